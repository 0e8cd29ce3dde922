"""The progress bar of the one slow step before training: parsing the chorales for the first time."""

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.progress import Progress

from improviser.training.chorales import load_chorales
from improviser.training.corpus import CHORALES


def parse_first(sources: Sequence[str], stream: TextIO) -> None:
    """Parse and cache the chorales if `sources` want them, and show how far it is on `stream` if that is a terminal.

    :raises CorpusError: if they are wanted and cannot be had.
    """
    if CHORALES not in sources:
        return
    console = Console(file=stream)
    with Progress(console=console, auto_refresh=False, transient=True, disable=not console.is_terminal) as bar:
        task = None

        def show(done: int, total: int) -> None:
            nonlocal task
            if task is None:
                bar.console.print("parsing the chorales, once; later they are read from a cache")
                task = bar.add_task("parsing", total=total)
            bar.update(task, completed=done, refresh=True)

        load_chorales(show)
