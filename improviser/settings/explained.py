"""The file of settings, as it is written for a user who has none: every setting, explained, and none of them set."""

import json
import re
from collections.abc import Mapping
from typing import Any

from improviser.settings.config import KEYS, Key

HEADING = """\
# How improviser plays live. Remove the "# " before a setting to change it from what it is by default.
# Environment variables (IMPROVISER_TEMPERATURE, say) come before this file, and the options of `play` before both.
# Settings under a heading such as [profile.piano], at the end of the file, hold with `play --profile piano` alone.
# Check it with: improviser config check
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


def as_toml(value: Any) -> str:
    """Write a setting as TOML does, in one line."""
    if isinstance(value, tuple) and len(value) == 1:
        return as_toml(value[0])
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_bare(name)} = {as_toml(its)}" for name, its in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _bare(name: str) -> str:
    """Return a key as TOML does: in quotes only where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
