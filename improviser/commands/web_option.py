"""The option `--web`, which may stand alone: then the page is served at its usual address."""

from typing import Any

import typer
import typer.core

OPTION, ALONE = "--web", "on"


class WithWeb(typer.core.TyperCommand):
    """A command whose `--web` needs no value; the parser knows no such options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, with the value that `--web` has where none is given."""
        return super().parse_args(ctx, completed(args))


def completed(args: list[str]) -> list[str]:
    """Return the arguments with a value for `--web` where it has none: at the end, or before another option."""
    given = []
    for number, arg in enumerate(args):
        given.append(arg)
        if arg == OPTION and (number + 1 == len(args) or args[number + 1].startswith("-")):
            given.append(ALONE)
    return given


def web_option(does: str = "Show, play and control the session") -> Any:
    """Return the option."""
    return typer.Option(
        OPTION,
        metavar="[HOST:]PORT",
        help=f"{does} in a browser; alone it takes the usual port, open opens the browser.",
    )
