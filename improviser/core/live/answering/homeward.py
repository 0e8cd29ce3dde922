"""Homeward: the bass goes home under a home note that is going to be long.

How long a note will be is not known when it begins. But players return to what they have played: a note that was long
after the same notes before will be long again. Under long home notes Bach's basses have the root or the fifth of home
in 65 of 100 cases, and in 22 under short ones: so how long a note is likely to be decides how strongly the bass is
drawn. It is drawn to the root: the fifth would be a fourth below the note, which it chooses by itself where that goes.
`tests/benchmarks/home_bass.py` has what that costs and brings.
"""

from collections import OrderedDict, deque

from improviser.core.music.home import Home
from improviser.core.networks.responder import LogProbabilities

LONG = 1.6
"""A note is long that lasts so many times the usual length."""
CONTEXT = 6
"""Notes that are compared at most, the one that begins now included."""
FIRST_GUESS = 0.12
"""How likely a note is long, before anything is known."""
CAUTION = 8.0
"""How often a note has to be heard for that to count as much as what is known without; of n notes, an n-th as often."""
UNDRAWN, DRAWN = 0.35, 9.0
"""How much likelier the root of home is under a home note: so many nats for all of its chance of being long that is
above the first of these."""
REMEMBERED_GAPS = 24
REMEMBERED_CONTEXTS = 2048
CHORD_SECONDS = 0.06

Counts = OrderedDict[tuple[int, ...], tuple[float, float]]
NEVER = (0.0, 0.0)


class Lengths:
    """Which notes have been long after which; bounded, whatever the session's length."""

    def __init__(self) -> None:
        self._counts: Counts = OrderedDict()
        self._lately: deque[int] = deque(maxlen=CONTEXT)
        self._gaps: deque[float] = deque(maxlen=REMEMBERED_GAPS)
        self._onset: float | None = None

    def hear(self, pitch: int, onset_seconds: float) -> None:
        """Take in a note of the player's; of a chord the highest is the tune."""
        if self._onset is not None:
            gap = onset_seconds - self._onset
            if gap < CHORD_SECONDS:
                self._lately[-1] = max(self._lately[-1], pitch)
                return
            if self._gaps:
                usual = sorted(self._gaps)[len(self._gaps) // 2]
                self._learn(long=gap > LONG * usual)
            self._gaps.append(gap)
        self._onset = onset_seconds
        self._lately.append(pitch)

    def _learn(self, *, long: bool) -> None:
        notes, counts = tuple(self._lately), self._counts
        for start in range(len(notes) - 1, -1, -1):
            context = notes[start:]
            longs, all_ = counts.pop(context, NEVER)
            # The latest come last: what has not been heard for longest is forgotten first.
            counts[context] = 0.8 * longs + long, 0.8 * all_ + 1
        while len(counts) > REMEMBERED_CONTEXTS:
            counts.popitem(last=False)

    def likely_long(self, pitch: int) -> float:
        """Return how likely the player's `pitch`, should it begin now, is long, 0-1; changes nothing."""
        notes = (*self._lately, pitch)[-CONTEXT:]
        chance = FIRST_GUESS
        for size in range(1, len(notes) + 1):
            longs, all_ = self._counts.get(notes[-size:], NEVER)
            caution = CAUTION / size
            chance = (longs + caution * chance) / (all_ + caution)
        return chance


def homeward(logs: LogProbabilities, pitch: int, home: Home, likely_long: float) -> LogProbabilities:
    """Return a bass's opinion, shape (128,), on its note under the player's `pitch`, drawn home if that is home."""
    nats = DRAWN * (likely_long - UNDRAWN)
    if pitch % 12 != home.tonic or nats <= 0:
        return logs
    drawn = logs.copy()
    drawn[home.tonic % 12 :: 12] += nats
    return drawn
