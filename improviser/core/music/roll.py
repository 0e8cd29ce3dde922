"""The roll of a live session: which keys it spans, and which slices of time its notes fill."""

from collections.abc import Iterator, Sequence

from improviser.core.live.snapshot import Sounded

PIANO = range(21, 109)
"""The pitches of a piano."""
LOWEST_ON_NARROW = 24
SLICE_SECONDS = 0.15


def window(pitches: Sequence[int], count: int) -> range:
    """Return the keys to show: all of a piano, or `count` of them that hold the pitches, if that can be."""
    if count >= len(PIANO):
        return PIANO
    low = LOWEST_ON_NARROW
    if pitches:
        low = min(low, *pitches) if max(pitches) < low + count else max(pitches) - count + 1
    low = min(max(low, PIANO.start), PIANO.stop - count)
    return range(low, low + count)


def slices(note: Sounded, oldest: int, newest: int) -> Iterator[tuple[int, bool]]:
    """Yield the slices of time, from `oldest` to `newest`, that a note fills, and whether it starts there.

    Slices stand at whole multiples of their length, so that a note keeps its shape while time goes on.
    """
    first = int(note.start_seconds / SLICE_SECONDS)
    last = newest if note.end_seconds is None else max(first, int(note.end_seconds / SLICE_SECONDS - 1e-9))
    for at in range(max(first, oldest), min(last, newest) + 1):
        yield at, at == first
