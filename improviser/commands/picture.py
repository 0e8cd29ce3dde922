"""`improviser picture`: draw a session, a network, or a training run."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import Force, Strict


def picture(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A MIDI file, a session's or training run's .jsonl, or a model.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="X.svg", help="The picture to write.")],
    strict: Strict = False,
    force: Force = False,
) -> None:
    """Draw an SVG: a session's piano roll, what a model listens to, or how a training run went."""
    from improviser.commands.drawing import draw
    from improviser.commands.notices import give_notice
    from improviser.console_output import say
    from improviser.files import check_writable, write_atomically

    check_writable(output, force=force)
    drawing = draw(source, strict=strict)
    give_notice(drawing.remarks)
    write_atomically(output, drawing.svg.encode())
    say(f"wrote {output}")
