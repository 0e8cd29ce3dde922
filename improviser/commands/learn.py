"""`improviser learn`: breed a model of your own playing from your recordings."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import Force


def learn(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RECORDING]...",
            help="Logs, MIDI files or folders of them; by default where sessions are recorded.",
        ),
    ] = None,
    *,
    left_out: Annotated[
        list[str] | None,
        typer.Option(
            "--except",
            metavar="NAME",
            help="Leave out recordings, such as somebody else's; * is anything, and 'guests/*' all in a folder.",
        ),
    ] = None,
    minutes: Annotated[
        float,
        typer.Option(min=0.01, max=10_000, help="How long to breed from nothing, once you have played 3,000 notes."),
    ] = 3.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The model file; by default the model 'me'.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same recordings and seed give the same adaptation.")] = 0,
    force: Force = False,
    workers: Annotated[int | None, typer.Option(help="How many processes to read with. By default 1.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn your own playing. The model is kept if it predicts you better than the bundled ones; play --model me."""
    from improviser.threads import use_one_thread

    use_one_thread()  # before anything imports numpy
    from improviser.commands.learn_run import Wanted, run

    run(Wanted(recordings or [], left_out or [], minutes, output, seed), force=force, workers=workers, json=json)
