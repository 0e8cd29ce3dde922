"""`improviser tune`: search for the best recipe to train with."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import SOURCES, Force, Strict
from improviser.commands.train_options import Cluster, Workers


def tune(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help=SOURCES)],
    *,
    minutes: Annotated[float, typer.Option(min=0.01, max=1e6, help="Stop after this many minutes.")] = 30.0,
    rounds: Annotated[int | None, typer.Option(min=1, help="Stop after so many rounds of 9 recipes.")] = None,
    task: Annotated[str, typer.Option(help="What to evolve for: harmony or melody.")] = "harmony",
    voice: Annotated[str | None, typer.Option(help="harmony: the voice to learn: bass, tenor or alto.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write the table and the best recipe.")
    ] = Path("tuning.md"),
    seed: Annotated[int, typer.Option(min=0, help="With the same --rounds, the same seed finds the same.")] = 0,
    workers: Workers = None,
    cluster: Cluster = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a search that was stopped, if there is one.")
    ] = False,
    force: Force = False,
    strict: Strict = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")] = False,
) -> None:
    """Search for the best recipe: many are tried for a little, the better of them for longer. Ctrl-C ends early."""
    from improviser.threads import use_one_thread

    use_one_thread()  # before anything imports numpy
    from improviser.commands.tune_run import run
    from improviser.training.places_to_work import WhereToWork
    from improviser.training.recipe import Options

    options = Options(sources=tuple(sources), task=task, voice=voice, seed=seed, strict=strict)
    where = WhereToWork(workers, cluster)
    run(options, where, output, as_json=json, minutes=minutes, rounds=rounds, resume=resume, force=force)
