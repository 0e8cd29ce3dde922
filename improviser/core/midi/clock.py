"""MIDI clock: where the beat of the others is, and when the next point of its grid comes.

There are 24 ticks to a quarter note (MIDI 1.0); the first after a start is the first of a bar. The ticks' jitter is
averaged over the last beat.
"""

import math
from collections import deque

from improviser.core.midi.event import Continue, SongPosition, Start, Stop, Tick, Transport

GRIDS = {"off": 0, "1/4": 24, "1/8": 12, "1/16": 6, "1/32": 3, "1/4t": 16, "1/8t": 8, "1/16t": 4}
"""Ticks from one point to the next, by the name of the grid."""

AVERAGED = 25
NEEDED = 7
"""Ticks until the tempo is known."""

ON_TIME_SECONDS = 0.03
"""A note this much after a point of the grid was meant for it."""

TICKS_PER_BEAT = 6
"""Ticks to one beat of a song position."""

LOST_SECONDS = 0.5
"""Without a tick for so long there is no clock."""


class Clock:
    """Follows a MIDI clock; times are seconds of the session."""

    def __init__(self) -> None:
        self._ticks: deque[float] = deque(maxlen=AVERAGED)
        self._count = -1
        self._stopped = False

    def follow(self, event: Transport, now: float) -> None:
        """Take in a message of the clock's."""
        match event:
            case Tick():
                if self._ticks and not 0 < now - self._ticks[-1] < LOST_SECONDS:
                    self._ticks.clear()
                self._ticks.append(now)
                if not self._stopped:
                    self._count += 1
            case Start():
                self._count, self._stopped = -1, False
            case Continue():
                self._stopped = False
            case Stop():
                self._stopped = True
            case SongPosition(beats):
                self._count = beats * TICKS_PER_BEAT - 1  # the next tick is the one that is there

    def delay(self, now: float, grid: int) -> float:
        """Return the seconds from `now` to the next point of a grid of so many ticks, 0 without a clock or a grid."""
        if not grid or self._stopped or self._lost(now):
            return 0.0
        middle = sum(self._ticks) / len(self._ticks)  # a tick in the middle of those kept would have come then
        count = self._count - (len(self._ticks) - 1) / 2
        meant = count + (now - ON_TIME_SECONDS - middle) / self._period
        point = math.ceil(meant / grid) * grid
        return max(0.0, middle + (point - count) * self._period - now)

    @property
    def _period(self) -> float:
        return (self._ticks[-1] - self._ticks[0]) / (len(self._ticks) - 1)

    def _lost(self, now: float) -> bool:
        return len(self._ticks) < NEEDED or now - self._ticks[-1] > LOST_SECONDS
