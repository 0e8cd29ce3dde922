"""Pictures: a session as a piano roll, a training run as a curve, the terminal as it looked; SVG that needs nothing."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

from improviser.core.music.note import Note
from improviser.core.music.pitch import BLACK_KEYS, pitch_name
from improviser.core.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 800
LEFT, RIGHT, TOP, BOTTOM = 66, 20, 62, 46
"""The margins around the plot, in which title, legend and axes stand."""
PLOT_HEIGHT = 330
SMALLEST_RANGE = 24
"""The piano roll shows at least so many pitches."""
TOGETHER_SECONDS = 0.03
"""An answer is tied to the note that starts no further from it."""
MOST_TIES = 150
MOST_TOOLTIPS = 3000
LONGEST_TITLE = 70
MOST_POINTS = 600

# Blue and vermilion of Okabe & Ito's palette, and their lighter sisters on a dark page: told apart by every eye.
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #4a4f57 }
.page { fill: #fdfcf9; stroke: #e3e0d8 }
.title { font-size: 16px; font-weight: 600; fill: #1d2026 }
.plot { fill: #f6f4ee }
.stripe { fill: #ebe8df }
.grid { stroke: #dcd8cd; stroke-width: 1 }
.axis { stroke: #8b8f96; stroke-width: 1 }
.bar { stroke: #a9a597; stroke-width: 1.2 }
.white { fill: #fffefb; stroke: #b9b6ad; stroke-width: .6 }
.black { fill: #3a3d43 }
.player { fill: #0072b2 }
.improviser { fill: #d55e00 }
.tie { stroke: #8b8f96; stroke-width: 1; stroke-dasharray: 1 3; stroke-linecap: round }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.best { stroke: #0072b2 }
.held { stroke: #d55e00; stroke-dasharray: 6 4 }
.mean { stroke: #8b8f96; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #b4bac4 }
.page { fill: #14171c; stroke: #2a2f38 }
.title { fill: #eef0f3 }
.plot { fill: #1b1f26 }
.stripe { fill: #171a20 }
.grid { stroke: #2b313a }
.axis { stroke: #6b727d }
.bar { stroke: #555d69 }
.white { fill: #c9cdd4; stroke: #4b515b }
.black { fill: #0c0e11 }
.player { fill: #56b4e9 }
.improviser { fill: #f0953f }
.tie { stroke: #6b727d }
.best { stroke: #56b4e9 }
.held { stroke: #f0953f }
.mean { stroke: #7c838e }
}
"""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One generation of a training run: fitness, higher is better; None or NaN where there is none."""

    generation: int
    best: float | None
    mean: float | None = None
    held_out: float | None = None


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values from `low` to `high` on a line from pixel `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self, most: int, step_sizes: Sequence[float]) -> list[float]:
        """Return round values in range, at most `most`, a whole multiple of one of the steps apart."""
        step = next((size for size in step_sizes if (self.high - self.low) / size <= most), step_sizes[-1])
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, min(last, first + most) + 1)]


def session_picture(
    player: Sequence[Note], improviser: Sequence[Note], title: str, *, bars_seconds: Sequence[float] = ()
) -> str:
    """Return the piano roll of a session as SVG: both parts in two colours, over time and pitch.

    The louder a note, the stronger its colour; answers are tied to the notes they start with.

    :param bars_seconds: where to draw bar lines.
    """
    notes = [*player, *improviser]
    low, high = _pitch_range([note.pitch for note in notes])
    row = PLOT_HEIGHT / (high - low + 1)
    seconds = _Scale(0, max([1.0, *(note.end_seconds * 1.01 for note in notes)]), LEFT, WIDTH - RIGHT)
    pitches = _Scale(low, high + 1, TOP + PLOT_HEIGHT, TOP)
    body = [
        *_stripes(pitches, row),
        *_time_axis(seconds),
        *(_line("bar", x, TOP, x, TOP + PLOT_HEIGHT) for x in map(seconds, bars_seconds) if x <= WIDTH - RIGHT),
        *_keyboard(pitches, row),
        *(_ties(player, improviser, seconds, pitches, row) if len(improviser) <= MOST_TIES else ()),
        *_bars(player, "player", seconds, pitches, row, tooltips=len(notes) <= MOST_TOOLTIPS),
        *_bars(improviser, "improviser", seconds, pitches, row, tooltips=len(notes) <= MOST_TOOLTIPS),
        *_legend(
            [
                ('<rect class="player" width="22" height="9" rx="3" y="-9"/>', f"Player, {_counted(player)}"),
                (
                    '<rect class="improviser" width="22" height="9" rx="1" y="-9"/>',
                    f"Improviser, {_counted(improviser)}",
                ),
            ]
        ),
    ]
    described = f"Piano roll: the player's {_counted(player)} and the improviser's {_counted(improviser)}."
    return _svg(TOP + PLOT_HEIGHT + BOTTOM, title, described, body)


def _counted(notes: Sequence[Note]) -> str:
    return f"{len(notes):,} note{'s' if len(notes) != 1 else ''}"


def _pitch_range(pitches: Sequence[int]) -> tuple[int, int]:
    """Return the lowest and highest pitch to show: those there are, some air, and two octaves at least."""
    low, high = (min(pitches) - 2, max(pitches) + 2) if pitches else (60 - SMALLEST_RANGE // 2, 60)
    lacking = max(0, SMALLEST_RANGE - (high - low + 1))
    low = max(0, min(low - lacking // 2, 127 - SMALLEST_RANGE + 1))
    return low, min(127, max(high + (lacking + 1) // 2, low + SMALLEST_RANGE - 1))


def _stripes(pitches: _Scale, row: float) -> Iterator[str]:
    yield f'<rect class="plot" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{PLOT_HEIGHT}"/>'
    for pitch in range(int(pitches.low), int(pitches.high)):
        if pitch % 12 in BLACK_KEYS:
            y = pitches(pitch + 1)
            yield f'<rect class="stripe" x="{LEFT}" y="{y:.2f}" width="{WIDTH - LEFT - RIGHT}" height="{row:.2f}"/>'
        if pitch % 12 == 0:
            yield _line("grid", LEFT, pitches(pitch), WIDTH - RIGHT, pitches(pitch))


def _keyboard(pitches: _Scale, row: float) -> Iterator[str]:
    """Draw the keys at the left edge, and name the Cs."""
    x, width = LEFT - 26, 24
    yield f'<rect class="white" x="{x}" y="{TOP}" width="{width}" height="{PLOT_HEIGHT}"/>'
    for pitch in range(int(pitches.low), int(pitches.high)):
        y = pitches(pitch + 1)
        if pitch % 12 in BLACK_KEYS:
            yield f'<rect class="black" x="{x}" y="{y:.2f}" width="{width * 0.6:.1f}" height="{row:.2f}"/>'
            yield _line("grid", x + width * 0.6, y + row / 2, x + width, y + row / 2)
        elif (pitch + 1) % 12 not in BLACK_KEYS:
            yield _line("grid", x, y, x + width, y)
        if pitch % 12 == 0:
            yield f'<text x="{x - 6}" y="{y + row / 2 + 4:.2f}" text-anchor="end">{pitch_name(pitch)}</text>'


def _time_axis(seconds: _Scale) -> Iterator[str]:
    bottom = TOP + PLOT_HEIGHT
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
    for tick in seconds.ticks(12, steps):
        yield _line("grid", seconds(tick), TOP, seconds(tick), bottom)
        yield _label(seconds(tick), bottom + 17, _clock(tick, seconds.high))
    yield _line("axis", LEFT, bottom, WIDTH - RIGHT, bottom)
    unit = "time in seconds" if seconds.high < 120 else "time"
    yield _label((LEFT + WIDTH - RIGHT) / 2, bottom + 36, unit)


def _clock(tick: float, high: float) -> str:
    if high < 120:
        return f"{tick:g}" if tick == round(tick) else f"{tick:.1f}"
    minutes, seconds = divmod(round(tick), 60)
    return f"{minutes}:{seconds:02}" if high < 7200 else f"{minutes // 60}:{minutes % 60:02} h"


def _bars(
    notes: Iterable[Note], part: str, seconds: _Scale, pitches: _Scale, row: float, *, tooltips: bool
) -> Iterator[str]:
    height = max(row - 1, 2.5)
    corner = min(3.0, height / 2) if part == "player" else 1.0
    for note in notes:
        x, y = seconds(max(0.0, note.onset_seconds)), pitches(note.pitch + 0.5) - height / 2
        width = max(1.5, seconds(note.end_seconds) - x - 0.5)
        opacity = 0.5 + 0.5 * note.velocity / 127
        bar = (
            f'rect class="{part}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
            f'rx="{corner:.1f}" opacity="{opacity:.2f}"'
        )
        said = f"{pitch_name(note.pitch)} ({note.pitch}), {note.onset_seconds:.2f} s, velocity {note.velocity}"
        yield f"<{bar}><title>{said}</title></rect>" if tooltips else f"<{bar}/>"


def _ties(
    player: Sequence[Note], improviser: Sequence[Note], seconds: _Scale, pitches: _Scale, row: float
) -> Iterator[str]:
    heard = sorted(player, key=lambda note: note.onset_seconds)
    place = 0
    for answer in sorted(improviser, key=lambda note: note.onset_seconds):
        while place < len(heard) and heard[place].onset_seconds < answer.onset_seconds - TOGETHER_SECONDS:
            place += 1
        if place < len(heard) and abs(heard[place].onset_seconds - answer.onset_seconds) <= TOGETHER_SECONDS:
            x = seconds(answer.onset_seconds) + 1
            ends = sorted((pitches(heard[place].pitch + 0.5), pitches(answer.pitch + 0.5)))
            if ends[1] - ends[0] > 2 * row:
                yield _line("tie", x, ends[0] + row / 2, x, ends[1] - row / 2)


def training_curve(points: Sequence[CurvePoint], title: str, *, measure: str = "fitness") -> str:
    """Return the curve of a training run as SVG: best, mean and held-out `measure` over the generations."""
    shown = points[:: max(1, math.ceil(len(points) / MOST_POINTS))]
    shown = [*shown, *([points[-1]] if points and shown[-1] != points[-1] else [])]
    lines: list[tuple[str, str, list[tuple[int, float | None]]]] = [
        ("mean", "mean of the population", [(point.generation, point.mean) for point in shown]),
        ("best", "best", [(point.generation, point.best) for point in shown]),
        ("held", "best on held-out notes", [(point.generation, point.held_out) for point in shown]),
    ]
    drawn = {name: (said, runs) for name, said, points_of in lines if (runs := list(_runs(points_of)))}
    values = [value for _, runs in drawn.values() for run in runs for _, value in run]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    air = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
    first = points[0].generation if points else 0
    last = max(points[-1].generation if points else 1, first + 1)
    generations = _Scale(first, last, LEFT, WIDTH - RIGHT)
    levels = _Scale(low - air, high + air, TOP + PLOT_HEIGHT, TOP)
    body = [*_curve_axes(generations, levels, measure)]
    for name, (_, runs) in drawn.items():
        for run in runs:
            path = "L".join(f"{generations(generation):.2f} {levels(value):.2f}" for generation, value in run)
            body.append(f'<path class="line {name}" d="M{path}"/>')
    body += _legend([(f'<path class="line {name}" d="M0 -4h22"/>', said) for name, (said, _) in drawn.items()])
    described = f"{measure} over {len(points):,} generations."
    return _svg(TOP + PLOT_HEIGHT + BOTTOM, title, described, body)


def _runs(values: Iterable[tuple[int, float | None]]) -> Iterator[list[tuple[int, float]]]:
    """Yield the unbroken stretches of finite values."""
    run: list[tuple[int, float]] = []
    for generation, value in values:
        if value is not None and math.isfinite(value):
            run.append((generation, value))
        elif run:
            yield run
            run = []
    if run:
        yield [*run, run[0]] if len(run) == 1 else run


def _curve_axes(generations: _Scale, levels: _Scale, measure: str) -> Iterator[str]:
    bottom = TOP + PLOT_HEIGHT
    yield f'<rect class="plot" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{PLOT_HEIGHT}"/>'
    powers = [size * 10.0**power for power in range(-12, 13) for size in (1, 2, 5)]
    ticks = levels.ticks(8, powers)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    for tick in ticks:
        yield _line("grid", LEFT, levels(tick), WIDTH - RIGHT, levels(tick))
        yield f'<text x="{LEFT - 8}" y="{levels(tick) + 4:.2f}" text-anchor="end">{tick:,.{places}f}</text>'
    for tick in generations.ticks(10, [size for size in powers if size >= 1]):
        yield _line("axis", generations(tick), bottom, generations(tick), bottom + 4)
        yield _label(generations(tick), bottom + 18, f"{tick:,.0f}")
    yield _line("axis", LEFT, bottom, WIDTH - RIGHT, bottom)
    yield _label((LEFT + WIDTH - RIGHT) / 2, bottom + 37, "generation")
    middle = TOP + PLOT_HEIGHT / 2
    yield f'<text x="18" y="{middle}" text-anchor="middle" transform="rotate(-90 18 {middle})">{escape(measure)}</text>'


def bar_chart(rows: Sequence[tuple[str, float]], title: str, measure: str) -> str:
    """Return numbers ≥ 0 as SVG: a bar for each (name, number), under each other."""
    left, top, row = 232, 66, 22
    numbers = _Scale(0.0, max([1e-9, *(number for _, number in rows)]), left, WIDTH - RIGHT - 60)
    body = [f'<text x="{LEFT}" y="46">{escape(measure)}</text>']
    for index, (name, number) in enumerate(rows):
        y, end = top + index * row, numbers(number)
        body.append(f'<rect class="improviser" x="{left}" y="{y}" width="{end - left:.2f}" height="{row - 7}" rx="2"/>')
        body.append(f'<text x="{left - 10}" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
        body.append(f'<text x="{end + 6:.2f}" y="{y + 12}">{number:.2f}</text>')
    described = "; ".join(f"{name}: {number:.3g}" for name, number in rows)
    return _svg(top + len(rows) * row + 14, title, f"{measure}. {described}", body)


def _legend(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    x = float(LEFT)
    for sign, said in entries:
        yield f'<g transform="translate({x:.0f} 48)">{sign}<text x="29">{escape(said)}</text></g>'
        x += 54 + 6.6 * len(said)


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="middle">{escape(text)}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"/>'


def _svg(height: int, title: str, described: str, body: Iterable[str]) -> str:
    shown = printable(title, "")
    if len(shown) > LONGEST_TITLE:
        shown = f"{shown[: LONGEST_TITLE - 1]}…"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
            ' role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(shown)}</title>',
            f'<desc id="description">{escape(described)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="page" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>',
            f'<text class="title" x="{LEFT}" y="28">{escape(shown)}</text>',
            *body,
            "</svg>\n",
        ]
    )


def terminal_picture(renderable: "RenderableType", title: str, *, width: int = 80, height: int = 24) -> str:
    """Return what rich would draw on a terminal of `width` columns and `height` rows, in a window, as SVG."""
    from rich.console import Console

    console = Console(
        record=True,
        width=width,
        height=height,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(renderable)
    svg = console.export_svg(title=title)
    # rich's picture would fetch its font from the network; the reader's own monospaced font serves as well. Where text
    # starts with spaces, not every program keeps them unasked.
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
