"""`improviser picture`: draw a session, a network, or a training run."""

from pathlib import Path
from typing import Annotated

import typer


def picture(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A MIDI file, a session's or training run's .jsonl, or a model.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="X.svg", help="The picture to write.")],
) -> None:
    """Draw a session as a piano roll, what a model listens to, or how a training run went, as SVG."""
    from improviser.files import check_writable, write_atomically
    from improviser.saying import say
    from improviser.show.drawing import draw

    check_writable(output)
    write_atomically(output, draw(source).encode())
    say(f"wrote {output}")
