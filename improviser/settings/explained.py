"""The file of settings, as it is written for a user who has none: every setting, explained, and none of them set."""

from collections.abc import Mapping
from typing import Any

from improviser.settings.schema import KEYS, Key
from improviser.settings.toml import as_toml

HEADING = """\
# How improviser plays live. All settings are at their defaults; to change one, remove the "# " in front of it.
# Environment variables (such as IMPROVISER_TEMPERATURE) override this file, and the options of `play` override both.
# Settings under a heading such as [profile.piano], at the end of the file, apply only with `play --profile piano`.
# To check this file: improviser config check
"""
EXAMPLES: Mapping[str, Any] = {
    "seed": 1,
    "sound": True,
    "soundfont": "auto",
    "display": True,
    "web": "on",
    "web_token_file": "/etc/improviser/token",
    "web_hosts": ("studio.local",),
    "mqtt": "mqtt://user@localhost",
    "mqtt_password_file": "/etc/improviser/password",
    "mqtt_ca_file": "/etc/improviser/ca.crt",
    "mqtt_cert_file": "/etc/improviser/client.crt",
    "mqtt_key_file": "/etc/improviser/client.key",
    "listen_to": "left",
    "learn_except": ("session-2026-11-28*", "guest"),
    "program_models": ("bach-bass", "bach-tenor"),
    "controls": {"temperature": 21, "mode": {"control": 22, "channel": 1}},
}
"""What is shown for settings that are unset, or off, by default."""


def all_explained() -> str:
    """Return the text of a file that explains every setting and sets none."""
    return "\n".join([HEADING, *map(explained, KEYS.values())])


def explained(key: Key) -> str:
    """Return the lines of the file that explain a setting."""
    live = " Can change while playing." if key.live else ""
    example = EXAMPLES.get(key.name, key.default)
    return f"# {key.description.rstrip('.')}: {key.allowed}.{live}\n# {key.name} = {as_toml(example)}\n"
