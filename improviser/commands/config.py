"""`improviser config`: write the file of settings, and check it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from improviser.settings.config import Config, Key

HEADING = """\
# How improviser plays live. Remove the "# " before a setting to change it from what it is by default.
# Environment variables (IMPROVISER_TEMPERATURE, say) come before this file, and the options of `play` before both.
# Settings under a heading such as [profile.piano], at the end of the file, hold with `play --profile piano` alone.
# Check it with: improviser config check
"""
EXAMPLES = {
    "seed": 1,
    "sound": True,
    "soundfont": "auto",
    "display": True,
    "mqtt": "mqtt://user@localhost",
    "mqtt_password_file": "/etc/improviser/password",
    "mqtt_ca_file": "/etc/improviser/ca.crt",
    "mqtt_cert_file": "/etc/improviser/client.crt",
    "mqtt_key_file": "/etc/improviser/client.key",
    "listen_to": "left",
}
"""What is shown for settings that are unset, or off, by default."""


def init(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="By default the user's own file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a file with every setting, explained."""
    import os

    from improviser.errors import OutputError
    from improviser.files import create_folder, write_atomically
    from improviser.settings.config import FILE_VARIABLE, KEYS, default_file

    named = os.environ.get(FILE_VARIABLE)
    path = file or (Path(named) if named else default_file())
    if path == default_file():
        create_folder(path.parent)
    if path.exists() and not path.is_dir() and not force:
        raise OutputError(f"{path} is there already; overwrite it with --force")
    text = "\n".join([HEADING, *(explained(key) for key in KEYS.values())])
    write_atomically(path, text.encode())
    print(path)


def check(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="By default the user's own file.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="One of the file's profiles.")] = None,
) -> None:
    """Check the settings and print them, each with where it comes from."""
    from improviser.settings.config import default_file, load

    config = load(file=file, profile=profile)
    if config.file is None:
        print(f"# no file of settings; `improviser config init` writes {default_file()}")
    for line in listed(config):
        print(line)


def explained(key: "Key") -> str:
    """Return the lines of the file that explain a setting."""
    live = " Can change while playing." if key.live else ""
    example = EXAMPLES.get(key.name, key.default)
    return f"# {key.description.rstrip('.')}: {key.allowed}.{live}\n# {key.name} = {as_toml(example)}\n"


def listed(config: "Config") -> list[str]:
    """Return one line for each setting: what it is, and where that comes from."""
    from improviser.settings.config import KEYS

    values = {name: getattr(config.settings, name) for name in KEYS}
    lines = {
        name: f"{name} = {as_toml(value)}" if value is not None else f"# {name} is unset"
        for name, value in values.items()
    }
    width = max(map(len, lines.values()))
    return [f"{line:{width}}  # {config.origins[name]}" for name, line in lines.items()]


def as_toml(value: Any) -> str:
    """Write a setting as TOML does, which for these is as JSON does."""
    import json

    if isinstance(value, tuple) and len(value) == 1:
        return as_toml(value[0])
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
