"""The live session as a screen of text: a keyboard, the notes that rise from it, and what goes on."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.parameters.table import notable
from improviser.core.live.snapshot import News, Part, Snapshot
from improviser.core.midi.event import NoteOn
from improviser.core.music.pitch import BLACK_KEYS, pitch_name
from improviser.core.music.roll import PIANO, SLICE_SECONDS, slices, window
from improviser.core.printable import printable

MOST_ANSWERS = 8
TALL = 32
"""From this height on the keys are longer."""
KEYS = (("Ctrl-C", "ends"),)

PLAIN = Style.null()
DIM = Style(dim=True)
BOLD = Style(bold=True)
TITLE = Style(bold=True, color="#14171c", bgcolor="#d8dce3")
TITLE_SOFT = Style(color="#3a3f47", bgcolor="#d8dce3")
WARNING = Style(color="#f0c43f", bold=True)
COLOURS = {Part.PLAYER: "#56b4e9", Part.IMPROVISER: "#f0953f"}
HEADS = {Part.PLAYER: "#c4e6fb", Part.IMPROVISER: "#fddcb5"}
"""The start of a note on the roll is lighter, so that one sees a key struck again."""
BOTH, BOTH_HEAD = "#c58af0", "#ecd9fb"
PART_STYLES = {part: Style(color=colour, bold=True) for part, colour in COLOURS.items()}
WHITE_KEY, BLACK_KEY, KEY_EDGE = "#e9e6df", "#24272d", "#9a968c"

Line = list[tuple[str, Style]]
Cells = dict[int, list[tuple[Part, bool]]]
"""The notes in a slice of time by column: who plays, and whether it starts there."""


def note_text(note: NoteOn) -> str:
    """Return a note as text: "C5 (72) v80"."""
    return f"{pitch_name(note.pitch)} ({note.pitch}) v{note.velocity}"


def _invitation(mode: str) -> str:
    """Return what stands there until the first note."""
    return MODES_BY_NAME[mode].invitation if mode in MODES_BY_NAME else ""


def _takes_turns(mode: str) -> bool:
    """Say whether one plays when the other does not."""
    return mode in MODES_BY_NAME and MODES_BY_NAME[mode].replies


class SessionScreen:
    """A snapshot, drawn to fill the console: always its height, never wider."""

    def __init__(self, snapshot: Snapshot, keys: Sequence[tuple[str, str]] = KEYS) -> None:
        self._snapshot = snapshot
        self._keys = keys

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        for number, line in enumerate(self.lines(width, height)):
            if number:
                yield Segment.line()
            yield from fitted(line, width)

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the lines of a screen of this size, not yet cut to it."""
        snapshot = self._snapshot
        answers = min(MOST_ANSWERS, max(2, (height - 8) // 4))
        above = [_title(snapshot, width), _ports(snapshot)]
        below = [*_answers(snapshot, answers), _health(snapshot), _warning(snapshot), _keys(self._keys)]
        keyboard = _Keyboard(snapshot, width)
        keys = keyboard.keys(2 if height >= TALL else 1)
        rows = height - len(above) - len(keys) - len(below)
        roll = keyboard.roll(max(0, rows))
        if roll and not snapshot.heard and not snapshot.played:
            roll[len(roll) // 2] = [(f"{_invitation(snapshot.setup.parameters.mode):^{width}}", BOLD)]
        return [*above, *roll, *keys, *below][:height]


def fitted(line: Line, width: int) -> Iterator[Segment]:
    """Yield the line, cut to `width` columns and filled up to it."""
    left = width
    for text, style in line:
        size = cell_len(text)
        if left <= 0:
            return
        yield Segment(text if size <= left else set_cell_size(text, left), style)
        left -= size
    if left > 0:
        yield Segment(" " * left)


def shown(text: str) -> str:
    """Return text that cannot upset a terminal."""
    return printable(text, "·")


def _title(snapshot: Snapshot, width: int) -> Line:
    setup = snapshot.setup
    mode = setup.parameters.mode
    special = (said for name, said in notable(setup.parameters).items() if name != "mode")  # that has its own place
    how = map(shown, (" + ".join(setup.models), *special))
    left = f" {shown(mode)}{f': {snapshot.turn}' if _takes_turns(mode) else ''} "
    middle = f" {' · '.join(how)} "
    minutes, seconds = divmod(int(snapshot.seconds), 60)
    right = f"{'● rec  ' if setup.recording else ''}{minutes}:{seconds:02} "
    gap = width - cell_len(left) - cell_len(middle) - cell_len(right)
    if gap < 0:
        middle = set_cell_size(middle, max(0, cell_len(middle) + gap))
    return [(left, TITLE), (middle, TITLE_SOFT), (" " * max(0, gap), TITLE_SOFT), (right, TITLE)]


def _ports(snapshot: Snapshot) -> Line:
    setup = snapshot.setup
    return [
        (f" {shown(setup.api)}  ", DIM),
        ("hears ", DIM),
        (shown(setup.hears), PART_STYLES[Part.PLAYER]),
        ("  plays to ", DIM),
        (shown(setup.plays_to), PART_STYLES[Part.IMPROVISER]),
    ]


def _answers(snapshot: Snapshot, count: int) -> list[Line]:
    lines: list[Line] = []
    for answer in snapshot.answers[-count:]:
        played = ", ".join(map(note_text, answer.played)) or "–"
        lines.append(
            [
                (f" {answer.seconds:9.2f} s   ", DIM),
                (f"{note_text(answer.heard):<16}", PART_STYLES[Part.PLAYER]),
                (" → ", DIM),
                (f"{played:<16}", PART_STYLES[Part.IMPROVISER]),
                (f"  {answer.latency_seconds * 1000:6.2f} ms", DIM),
            ]
        )
    return [*([[]] * (count - len(lines))), *lines]


def _health(snapshot: Snapshot) -> Line:
    line: Line = [
        (" heard ", DIM),
        (f"{snapshot.heard:,}", PART_STYLES[Part.PLAYER]),
        ("  played ", DIM),
        (f"{snapshot.played:,}", PART_STYLES[Part.IMPROVISER]),
    ]
    line += [("  key ", DIM), (snapshot.key, BOLD)] if snapshot.key else []
    line += [("  listens to ", DIM), (shown(snapshot.listens_to), BOLD)] if snapshot.listens_to else []
    line += [("  pedal", BOLD)] if snapshot.pedal else []
    if latency := snapshot.latency:
        median, p99, worst = (f"{seconds * 1000:.2f}" for seconds in (latency.median, latency.p99, latency.worst))
        line += [("  latency ", DIM), (median, BOLD), (f" ms  99 % {p99}  worst {worst}", DIM)]
    return line


def _warning(snapshot: Snapshot) -> Line:
    if not snapshot.warnings:
        return []
    last = snapshot.warnings[-1]
    return [(f" · {shown(last)}", DIM) if isinstance(last, News) else (f" ! {shown(last)}", WARNING)]


def _keys(keys: Sequence[tuple[str, str]]) -> Line:
    line: Line = [(" ", PLAIN)]
    for key, does in keys:
        line += [(key, BOLD), (f" {does}  ", DIM)]
    return line


class _Keyboard:
    """A piano that spans the width, a column or more per key, and the notes that rise from it."""

    def __init__(self, snapshot: Snapshot, width: int) -> None:
        self._snapshot = snapshot
        self._columns = max(1, (width - 2) // len(PIANO))
        count = min(len(PIANO), (width - 2) // self._columns)
        self._pitches = window([note.pitch for note in snapshot.roll], count)
        self._margin = " " * ((width - count * self._columns) // 2)

    def keys(self, length: int) -> list[Line]:
        """Return the keys: the black ones' part, the white ones' part, `length` rows each, and the names of the Cs."""
        held = {part: self._snapshot.sounding(part) for part in Part}
        upper, lower = [], []
        for pitch in self._pitches:
            colour = _mixed([COLOURS[part] for part in Part if pitch in held[part]], BOTH)
            black = pitch % 12 in BLACK_KEYS
            upper.append((" ", colour or (BLACK_KEY if black else WHITE_KEY)))
            # Under a black key its neighbours meet; the edge between two white ones is seen at E–F and B–C.
            edge = "▏" if pitch % 12 in (0, 5) else " "
            lower.append((edge, WHITE_KEY if black else colour or WHITE_KEY))
        return [*[self._key_row(upper)] * length, *[self._key_row(lower)] * length, self._names()]

    def _key_row(self, cells: Sequence[tuple[str, str]]) -> Line:
        line: Line = [(self._margin, PLAIN)]
        for (sign, colour), group in groupby(cells):
            count = len(list(group))
            line.append(((sign + " " * (self._columns - 1)) * count, _style(KEY_EDGE, colour)))
        return line

    def _names(self) -> Line:
        size = 12 * self._columns
        first = -(-self._pitches.start // 12) * 12
        names = "".join(f"C{pitch // 12 - 1:<{size - 1}}" for pitch in range(first, self._pitches.stop, 12))
        before = " " * ((first - self._pitches.start) * self._columns)
        return [(f"{self._margin}{before}{names}".rstrip(), DIM)]

    def roll(self, rows: int) -> list[Line]:
        """Return the last seconds, the newest in the lowest of `rows`; each row holds two slices of time."""
        if not self._pitches:
            return [[]] * rows
        newest = int(self._snapshot.seconds / SLICE_SECONDS)
        oldest = newest - 2 * rows + 1
        cells: dict[int, Cells] = {}
        for note in self._snapshot.roll:
            column = min(max(note.pitch, self._pitches.start), self._pitches.stop - 1) - self._pitches.start
            for at, head in slices(note, oldest, newest):
                cells.setdefault(at, {}).setdefault(column, []).append((note.part, head))
        return [self._roll_row(*(cells.get(oldest + 2 * row + half, {}) for half in (0, 1))) for row in range(rows)]

    def _roll_row(self, above: Cells, below: Cells) -> Line:
        line: Line = [(self._margin, PLAIN)]
        columns: list[tuple[str | None, str | None, bool]]
        columns = [(None, None, pitch % 12 == 0) for pitch in self._pitches]
        for column in above.keys() | below.keys():
            columns[column] = (_colour(above.get(column)), _colour(below.get(column)), columns[column][2])
        for (top, bottom, guide), group in groupby(columns):
            count = len(list(group)) * self._columns
            if top is None and bottom is None:
                sign = "┊" + " " * (self._columns - 1) if guide else " " * count
                line.append((sign, DIM))
            elif top == bottom:
                line.append(("█" * count, _style(top, None)))
            elif top is None:
                line.append(("▄" * count, _style(bottom, None)))
            else:
                line.append(("▀" * count, _style(top, bottom)))
        return line


def _colour(notes: list[tuple[Part, bool]] | None) -> str | None:
    if not notes:
        return None
    head = any(starts for _, starts in notes)
    colours = {(HEADS if head else COLOURS)[part] for part, _ in notes}
    return _mixed(list(colours), BOTH_HEAD if head else BOTH)


@cache
def _style(colour: str | None, ground: str | None) -> Style:
    return Style(color=colour, bgcolor=ground)


def _mixed(colours: Sequence[str], both: str) -> str | None:
    if not colours:
        return None
    return colours[0] if len(colours) == 1 else both
