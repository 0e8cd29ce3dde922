"""The option of a live parameter, from its entry in the table."""

from typing import Annotated, Any

import typer

from improviser.commands import completion
from improviser.core.live.parameters.kinds import Range, words
from improviser.core.live.parameters.table import DEFAULTS, TABLE


def live_option(name: str) -> Any:
    """Return the annotation of the option of a live parameter; it is None where the option is not given."""
    described = TABLE[name]
    option = typer.Option(
        metavar={"seconds": "S"}.get(described.unit),
        help=live_help(name),
        autocompletion=completion.choices(described.choices) if described.choices else None,
    )
    return Annotated[described.type | None, option]


def live_help(name: str) -> str:
    """Return the help of the option of a live parameter: what for, what it may be, and in brackets its default.

    In letters that every terminal has.
    """
    described, default = TABLE[name], DEFAULTS[name]
    what, note = described.help.rstrip("."), f"; {described.note}" if described.note else ""
    if isinstance(described.kind, Range):
        said = f"{what}, {described.kind.span} {described.unit}".rstrip() + f"{note} ({default:g})."
    elif described.type is bool:
        said = f"{what} ({'on' if default else 'off'})."
    else:
        said = f"{what}: {words(described.kind)}{note} ({default})."
    return said.replace("–", "-")


def given(name: str, value: Any) -> Any:
    """Return what an option of a live parameter means: its default where it was not given.

    :raises ConfigError: if the parameter cannot be this.
    """
    from improviser.settings.checking import check

    return DEFAULTS[name] if value is None else check(name, value, "--" + name.replace("_", "-"))
