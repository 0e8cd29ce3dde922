"""What a user sees of a training run: JSON, plain lines, or on a terminal a bar, the fitness and its curve."""

import json
import math
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from improviser.core.music.pitch import pitch_name
from improviser.training.generations import Generation, Limits
from improviser.training.glimpse import Glimpse

BLOCKS = " ▁▂▃▄▅▆▇█"
CURVE_WIDTH = 64
CURVE_HEIGHT = 6
SECONDS_BETWEEN_FRAMES = 0.25
SECONDS_BETWEEN_LINES = 1.0


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


def view_for(limits: Limits, members: int, *, as_json: bool, title: str, glimpse: Glimpse | None = None) -> View:
    """Return the view that fits where the output goes.

    :param glimpse: looks at the run, for more than its figures.
    """
    if as_json:
        return JsonView(members)
    console = Console()
    if console.is_terminal:
        return TerminalView(limits, members, title, console, glimpse)
    return PlainView(members)


class JsonView:
    """One object per generation and line."""

    def __init__(self, members: int) -> None:
        self._members = members

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def show(self, member: int, generation: Generation) -> None:
        """Print the generation."""
        values = generation.values() if self._members == 1 else {"member": member, **generation.values()}
        print(json.dumps(values), flush=True)


class PlainView:
    """A line now and then, for logs and pipes: at most one a second, and the last."""

    def __init__(self, members: int) -> None:
        self._members = members
        self._shown_at = -math.inf
        self._pending = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pending:
            print(self._pending, flush=True)

    def show(self, member: int, generation: Generation) -> None:
        """Print the generation if the last line is old enough."""
        who = f"member {member + 1} of {self._members}, " if self._members > 1 else ""
        self._pending = (
            f"{who}generation {generation.generation}: best {generation.best:.4f}, mean {generation.mean:.4f}, "
            f"held out {generation.held_out:.4f}"
        )
        now = time.monotonic()
        if now - self._shown_at >= SECONDS_BETWEEN_LINES:
            print(self._pending, flush=True)
            self._shown_at = now
            self._pending = ""


class TerminalView:
    """A bar, the fitness, the speed, the time left, the curve of the best fitness, and what the best network plays."""

    def __init__(
        self, limits: Limits, members: int, title: str, console: Console, glimpse: Glimpse | None = None
    ) -> None:
        self._limits = limits
        self._members = members
        self._title = title
        self._glimpse = glimpse
        self._live = Live(console=console, auto_refresh=False)
        self._drawn_at = -math.inf
        self._best: list[float] = []
        self._member = 0
        self._seconds = 0.0
        self._last: Generation | None = None

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None:
            self._live.update(self.render(self._last), refresh=True)
        self._live.__exit__(kind, error, trace)

    def show(self, member: int, generation: Generation) -> None:
        """Take in the generation, and draw if the last frame is old enough."""
        if member != self._member:
            self._member, self._best, self._seconds = member, [], 0.0
        self._best.append(generation.best)
        self._seconds += generation.seconds
        self._last = generation
        now = time.monotonic()
        if now - self._drawn_at >= SECONDS_BETWEEN_FRAMES:
            self._live.update(self.render(generation), refresh=True)
            self._drawn_at = now

    def render(self, generation: Generation) -> RenderableType:
        """Return the panel for a generation."""
        done = self._done(generation)
        speed = generation.evaluations / generation.generation * len(self._best) / max(self._seconds, 1e-9)
        figures = Table.grid(padding=(0, 2))
        figures.add_row("best", f"[bold green]{generation.best:.4f}", "held out", f"[bold]{generation.held_out:.4f}")
        figures.add_row("mean", f"{generation.mean:.4f}", "speed", f"{speed:,.0f} networks/s")
        left = self._seconds * (1 - done) / done if 0 < done <= 1 and self._seconds else 0.0
        figures.add_row("generation", f"{generation.generation}", "time left", f"{left // 60:.0f}:{left % 60:02.0f}")
        curve = Text("\n".join(curve_of(self._best, CURVE_WIDTH, CURVE_HEIGHT)), style="green")
        title = self._title if self._members == 1 else f"{self._title}, member {self._member + 1} of {self._members}"
        # Padding ends the bar's line, which the bar itself does not.
        bar = Padding(ProgressBar(total=1.0, completed=done, width=CURVE_WIDTH), 0)
        return Panel(Group(bar, figures, curve, *self._look(figures)), title=title, expand=False)

    def _look(self, figures: Table) -> list[RenderableType]:
        """Add what the glimpse shows to the figures; return the phrase that the best network plays."""
        if self._glimpse is None:
            return []
        figures.add_row("diversity", f"{self._glimpse.diversity():.0%}")
        phrase = self._glimpse.phrase()
        if not phrase:
            return []
        tune = self._glimpse.tune()
        contours = curve_of([*tune, *phrase], CURVE_WIDTH, 1)[0]  # on one scale: a bass lies below its tune
        rows = [("it hears", tune, contours[: len(tune)], "bold #56b4e9")] if tune else []
        rows.append(("it plays", phrase, contours[len(tune) :], "bold #f0953f"))
        return [_phrase_line(*row) for row in rows]

    def _done(self, generation: Generation) -> float:
        """Return how much of the way to the nearest limit is done, 0–1."""
        shares = [0.0]
        if self._limits.generations:
            shares.append(generation.generation / self._limits.generations)
        if self._limits.minutes:
            shares.append(self._seconds / 60 / self._limits.minutes)
        return min(1.0, max(shares))


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
