"""`improviser config`: write the file of settings, and check it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.commands.options import Force

if TYPE_CHECKING:
    from improviser.settings.config import Config


def init(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="By default the one IMPROVISER_CONFIG names, or your own.")
    ] = None,
    force: Force = False,
) -> None:
    """Write a settings file with every setting explained."""
    import os

    from improviser.console_output import say
    from improviser.files import check_writable, create_folder, write_atomically
    from improviser.settings.config import FILE_VARIABLE, default_file
    from improviser.settings.explained import all_explained

    named = os.environ.get(FILE_VARIABLE)
    path = file or (Path(named) if named else default_file())
    if path == default_file():
        create_folder(path.parent)
    check_writable(path, force=force)
    write_atomically(path, all_explained().encode())
    say(path)


def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="By default the one IMPROVISER_CONFIG names, or your own.")
    ] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="A profile from the file.")] = None,
) -> None:
    """Check the settings and print each one with its source."""
    from improviser.console_output import say
    from improviser.settings.config import default_file, load

    config = load(file=file, profile=profile)
    if config.file is None:
        say(f"# no file of settings; `improviser config init` writes {default_file()}")
    for line in listed(config):
        say(line)


def listed(config: "Config") -> list[str]:
    """Return one line for each setting: what it is, and where that comes from."""
    from improviser.settings.schema import KEYS
    from improviser.settings.toml import as_toml

    values = {name: getattr(config.settings, name) for name in KEYS}
    lines = {
        name: f"{name} = {as_toml(value)}" if value is not None else f"# {name} is unset"
        for name, value in values.items()
    }
    width = max(map(len, lines.values()))
    return [f"{line:{width}}  # {config.origins[name]}" for name, line in lines.items()]
