"""What a user sees of a training run: JSON, plain lines, or on a terminal a bar, the fitness and its curve."""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import Progress as Bar
from rich.progress import TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from improviser.console_output import say, say_json
from improviser.core.music.pitch import pitch_name
from improviser.core.printable import printable
from improviser.training.chorales import PARSING
from improviser.training.crew import Crew, Share
from improviser.training.generations import Generation, Limits
from improviser.training.preview import Preview
from improviser.training.progress import Progress
from improviser.training.run_tally import RunTally

BLOCKS = " ▁▂▃▄▅▆▇█"
CURVE_WIDTH = 64
CURVE_HEIGHT = 6
SECONDS_BETWEEN_FRAMES = 0.25
SECONDS_BETWEEN_LINES = 1.0
SECONDS_BETWEEN_STEPS = 0.1
WORKERS_SHOWN = 8
SILENT = 30.0
"""Seconds without a word from a worker, after which that is told."""
REMARKS = {PARSING: "parsing the chorales, once; later they are read from a cache"}
"""What is said as a step begins, by its name."""


class View(Protocol):
    """A place that generations are shown; entered for the time of the run."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    def show(self, member: int, generation: Generation) -> None:
        """Show what one generation of a member of the choir brought."""


def view_for(
    limits: Limits,
    members: int,
    *,
    as_json: bool,
    title: str,
    preview: Preview | None = None,
    crew: Crew | None = None,
) -> View:
    """Return the view that fits where the output goes.

    :param preview: looks at the run, for more than its figures.
    :param crew: the workers, if there are several.
    """
    if as_json:
        return JsonView(members, crew)
    console = Console()
    if console.is_terminal:
        return TerminalView(limits, members, title, console, preview, crew)
    return PlainView(members, crew)


@contextmanager
def steps_shown(stream: TextIO) -> Iterator[Progress]:
    """Give what is told how much of a step is done, and shows it on `stream` if that is a terminal; remarks anywhere.

    Not each time: there may be thousands of parts.
    """
    console = Console(file=stream)
    with Bar(console=console, auto_refresh=False, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}
        shown_at = -math.inf

        def show(step: str, done: float) -> None:
            nonlocal shown_at
            if step not in tasks:
                if step in REMARKS:
                    bar.console.print(REMARKS[step])
                tasks[step] = bar.add_task(step, total=1.0)
            bar.update(tasks[step], completed=done)
            if done >= 1 or time.monotonic() - shown_at >= SECONDS_BETWEEN_STEPS:
                shown_at = time.monotonic()
                bar.refresh()

        yield show


class JsonView:
    """One object per generation and line; now and then, with how the workers are getting on."""

    def __init__(self, members: int, crew: Crew | None = None) -> None:
        self._members = members
        self._crew = crew
        self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def show(self, member: int, generation: Generation) -> None:
        """Print the generation."""
        values = generation.values() if self._members == 1 else {"member": member, **generation.values()}
        now = time.monotonic()
        if self._crew is not None and now - self._shown_at >= SECONDS_BETWEEN_LINES:
            values |= self._crew.values()
            self._shown_at = now
        say_json(values)


class PlainView:
    """A line now and then, for logs and pipes: at most one a second, and the last."""

    def __init__(self, members: int, crew: Crew | None = None) -> None:
        self._members = members
        self._crew = crew
        self._shown_at = -math.inf
        self._pending = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pending:
            say(self._pending)

    def show(self, member: int, generation: Generation) -> None:
        """Print the generation if the last line is old enough."""
        who = f"member {member + 1} of {self._members}, " if self._members > 1 else ""
        self._pending = (
            f"{who}generation {generation.generation}: best {generation.best:.4f}, mean {generation.mean:.4f}, "
            f"held out {generation.held_out:.4f}"
        )
        if self._crew is not None and (paces := self._crew.paces()):
            self._pending += f"; {len(paces)} workers, {self._crew.total().evaluations:,.0f} networks/s"
        now = time.monotonic()
        if now - self._shown_at >= SECONDS_BETWEEN_LINES:
            say(self._pending)
            self._shown_at = now
            self._pending = ""


class TerminalView:
    """A bar, the fitness, the speed, the time left, the curve of the best fitness, and what the best network plays.

    Bar and time are of the whole run. Of several members that are bred at a time the first is shown.
    """

    def __init__(
        self,
        limits: Limits,
        members: int,
        title: str,
        console: Console,
        preview: Preview | None = None,
        crew: Crew | None = None,
    ) -> None:
        self._tally = RunTally(limits, members)
        self._title = title
        self._preview = preview
        self._crew = crew
        self._live = Live(console=console, auto_refresh=False)
        self._drawn_at = -math.inf
        self._lately: set[int] = set()
        """The members that were heard of since the last frame."""

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lately:
            self._live.update(self.render(), refresh=True)
        self._live.__exit__(kind, error, trace)

    def show(self, member: int, generation: Generation) -> None:
        """Take in the generation, and draw if the last frame is old enough."""
        now = time.monotonic()
        if now - self._drawn_at >= SECONDS_BETWEEN_FRAMES and self._lately:
            self._live.update(self.render(), refresh=True)
            self._drawn_at = now
            self._lately.clear()
        self._lately.add(member)
        self._tally.take(member, generation)

    def render(self) -> RenderableType:
        """Return the panel for the generation that was heard of last, of the first member at work."""
        tally, member = self._tally, min(self._lately)
        generation, best = tally.last(member), tally.best(member)
        figures = Table.grid(padding=(0, 2))
        figures.add_row("best", f"[bold green]{generation.best:.4f}", "held out", f"[bold]{generation.held_out:.4f}")
        figures.add_row("mean", f"{generation.mean:.4f}", "speed", f"{tally.speed(member):,.0f} networks/s")
        left = round(tally.seconds_left())
        figures.add_row("generation", f"{generation.generation}", "time left", f"{left // 60}:{left % 60:02}")
        curve = Text("\n".join(curve_of(best, CURVE_WIDTH, CURVE_HEIGHT)), style="green")
        title = self._title if tally.members == 1 else f"{self._title}, member {member + 1} of {tally.members}"
        # Padding ends the bar's line, which the bar itself does not.
        bar = Padding(ProgressBar(total=1.0, completed=tally.done(), width=CURVE_WIDTH), 0)
        if self._preview is not None:
            self._preview.turn_to(member)
        return Panel(
            Group(bar, figures, curve, *self._look(figures), *crew_lines(self._crew)),
            title=Text(printable(title)),
            expand=False,
        )

    def _look(self, figures: Table) -> list[RenderableType]:
        """Add what the preview shows to the figures; return the phrase that the best network plays."""
        if self._preview is None:
            return []
        figures.add_row("diversity", f"{self._preview.diversity():.0%}")
        phrase = self._preview.phrase()
        if not phrase:
            return []
        tune = self._preview.tune()
        contours = curve_of([*tune, *phrase], CURVE_WIDTH, 1)[0]  # on one scale: a bass lies below its tune
        rows = [("it hears", tune, contours[: len(tune)], "bold #56b4e9")] if tune else []
        rows.append(("it plays", phrase, contours[len(tune) :], "bold #f0953f"))
        return [_phrase_line(*row) for row in rows]


def crew_lines(crew: Crew | None) -> list[RenderableType]:
    """Return what there is to see of workers: a line for each, but not more than `WORKERS_SHOWN`, and one for all."""
    if crew is None or not (paces := crew.paces()):
        return []
    table = Table.grid(padding=(0, 2))
    for pace in paces[:WORKERS_SHOWN]:
        waits = (
            f"waits {pace.waiting:.0%}" if pace.silent_seconds < SILENT else f"silent for {pace.silent_seconds:.0f} s"
        )
        table.add_row(Text(printable(pace.worker.name)), *_speeds(pace.speed), waits)
    calls = crew.waiting_calls
    more = f"{len(paces)} workers" if len(paces) <= WORKERS_SHOWN else f"all {len(paces)} workers"
    waiting = f"{calls} member{'s wait' if calls > 1 else ' waits'} for a worker" if calls else ""
    table.add_row(Text(more, style="bold"), *_speeds(crew.total()), waiting)
    return [table]


def _speeds(speed: Share) -> tuple[str, str]:
    return f"{speed.generations:,.1f} generations/s", f"{speed.evaluations:,.0f} networks/s"


def _phrase_line(title: str, pitches: Sequence[int], contour: str, style: str) -> Text:
    names = " ".join(map(pitch_name, pitches))
    line = Text.assemble(f"{title}  ", (contour, style), f"  {names}", no_wrap=True, overflow="ellipsis")
    line.truncate(CURVE_WIDTH, overflow="ellipsis")
    return line


def curve_of(values: Sequence[float], width: int, height: int) -> list[str]:
    """Draw `values` over their index as `height` lines of at most `width` columns of block characters; NaN is a gap."""
    columns = min(width, len(values))
    picked = [values[(column + 1) * len(values) // columns - 1] for column in range(columns)]
    known = [value for value in picked if math.isfinite(value)]
    if not known:
        return [""] * height
    lowest, highest = min(known), max(known)
    steps = height * (len(BLOCKS) - 1)
    levels = [
        0 if not math.isfinite(value) else 1 + round((value - lowest) / ((highest - lowest) or 1.0) * (steps - 1))
        for value in picked
    ]
    full = len(BLOCKS) - 1
    return [
        "".join(BLOCKS[max(0, min(full, level - row * full))] for level in levels) for row in reversed(range(height))
    ]
