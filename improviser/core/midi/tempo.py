"""Ticks to seconds and back, through a file's tempo changes."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

DEFAULT_TEMPO = 500_000
"""Microseconds per quarter note where a file says nothing: 120 beats a minute."""


@dataclass(frozen=True, slots=True)
class TempoMap:
    """The tempo of a piece, as steps.

    :param ticks_per_beat: ticks per quarter note, 1–32767.
    :param changes: (tick, microseconds per quarter note), in any order; the last one said at a tick counts, a tempo of
        0 is no tempo, and 120 beats a minute hold before the first. Kept sorted, the first at tick 0.
    """

    ticks_per_beat: int
    changes: tuple[tuple[int, int], ...] = ()
    _ticks: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _elapsed: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        changes = _in_order(self.changes)
        # Microseconds × ticks per beat until each change: whole numbers, so that no error adds up.
        elapsed = [0]
        for (tick, tempo), (next_tick, _) in pairwise(changes):
            elapsed.append(elapsed[-1] + (next_tick - tick) * tempo)
        object.__setattr__(self, "changes", changes)
        object.__setattr__(self, "_ticks", tuple(tick for tick, _ in changes))
        object.__setattr__(self, "_elapsed", tuple(elapsed))

    def seconds_at(self, tick: int) -> float:
        """Return the time of `tick` (≥ 0) in seconds from the start of the piece."""
        step = bisect_right(self._ticks, tick) - 1
        start, tempo = self.changes[step]
        return (self._elapsed[step] + (tick - start) * tempo) / (self.ticks_per_beat * 1_000_000)

    def tick_at(self, seconds: float) -> int:
        """Return the tick that is nearest to a time (≥ 0), in seconds from the start of the piece."""
        elapsed = seconds * self.ticks_per_beat * 1_000_000
        step = max(0, bisect_right(self._elapsed, elapsed) - 1)
        start, tempo = self.changes[step]
        return start + round((elapsed - self._elapsed[step]) / tempo)


def _in_order(changes: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    latest = {0: DEFAULT_TEMPO} | {tick: tempo for tick, tempo in changes if tempo > 0}
    return tuple(sorted(latest.items()))
