"""Homeward: the bass goes home under a home note that is going to be long.

How long a note will be is not known when it begins. But players return to what they have played: a note that was long
after the same notes before will be long again. Under long home notes Bach's basses have the root or the fifth of home
in 65 of 100 cases, and in 22 under short ones: so how long a note is likely to be decides how strongly the bass is
drawn. It is drawn to the root: the fifth would be a fourth below the note, which it chooses by itself where that goes.
`tests/benchmarks/home_bass.py` has what that costs and brings.
"""

import math
from collections import OrderedDict, deque

import numpy as np

from improviser.core.networks.responder import LogProbabilities

LONG = 1.6
"""A note is long that lasts so many times the usual length."""
CONTEXT = 6
"""Notes that are compared at most, the one that begins now included."""
FIRST_GUESS = 0.12
"""How likely a note is long, before anything is known."""
CAUTION = 8.0
"""How often a note has to be heard for that to count as much as what is known without; of n notes, an n-th as often."""
UNDRAWN, DRAWN, SHARE = 0.3, 0.8, 0.9
"""The root of home has at least SHARE of a bass's chances under a home note that is as likely long as DRAWN, or more;
this falls to none where it is no likelier to be long than UNDRAWN."""
NO_HOME, HOME = 0.15, 0.4
"""A pitch class that is no likelier home than the first of these is not taken for it; from the second on it is."""
LONG_FROM, SURELY_LONG_FROM = 0.5, 0.85
"""A note that is so likely to be long is taken for one that the line comes to rest on; or surely does."""
REMEMBERED_GAPS = 24
REMEMBERED_CONTEXTS = 4096
ANY = -1
"""In the place of a note: whichever it is."""
CHORD_SECONDS = 0.06

Counts = OrderedDict[tuple[int, ...], tuple[float, float, float]]
"""By the last notes: how often the last of them was long, and came at all; seconds after the one before."""
NEVER = (0.0, 0.0, 0.0)


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
        counts, heard = self._counts, tuple(self._lately)
        before = self._gaps[-1] if self._gaps else 0.0
        for notes in ((*heard[:-1], ANY), heard):
            for start in range(len(notes) - 1, -1, -1):
                context = notes[start:]
                longs, all_, _ = counts.pop(context, NEVER)
                # The latest come last: what has not been heard for longest is forgotten first.
                counts[context] = 0.8 * longs + long, 0.8 * all_ + 1, before
        while len(counts) > REMEMBERED_CONTEXTS:
            counts.popitem(last=False)

    def likely_long(self, pitch: int) -> float:
        """Return how likely the player's `pitch`, should it begin now, is long, 0-1; changes nothing."""
        return self._foreseen((*self._lately, pitch))[0]

    def next_long(self, pitch: int) -> tuple[float, float]:
        """Return how likely the note after `pitch`, should that begin now, is long, 0-1, and in how many seconds it is.

        Changes nothing.
        """
        return self._foreseen((*self._lately, pitch, ANY))

    def _foreseen(self, notes: tuple[int, ...]) -> tuple[float, float]:
        """Return how likely the last of these notes is long, and how many seconds after the one before it it begins."""
        chance, seconds = FIRST_GUESS, 0.0
        for size in range(1, min(CONTEXT, len(notes)) + 1):
            longs, all_, before = self._counts.get(notes[-size:], NEVER)
            caution = CAUTION / size
            chance = (longs + caution * chance) / (all_ + caution)
            seconds = before or seconds
        return chance, seconds


def homeward(logs: LogProbabilities, pitch: int, home_chance: float, likely_long: float) -> LogProbabilities:
    """Return a bass's opinion, shape (128,), on its note under the player's `pitch`, drawn there if that is home.

    :param home_chance: how likely that is, 0-1.
    :param likely_long: how likely it is that the note will be long, 0-1.
    """
    is_home = min(1.0, (home_chance - NO_HOME) / (HOME - NO_HOME))
    share = SHARE * is_home * min(1.0, (likely_long - UNDRAWN) / (DRAWN - UNDRAWN))
    if is_home <= 0 or share <= 0:
        return logs
    nats = math.log(share / (1 - share)) - _log_odds(logs[pitch % 12 :: 12], logs)
    if not 0 < nats < math.inf:
        return logs
    drawn = logs.copy()
    drawn[pitch % 12 :: 12] += nats
    return drawn


def _log_odds(some: LogProbabilities, all_: LogProbabilities) -> float:
    """Return the log-odds of some pitches among all."""
    chance = float(np.exp(some - all_.max()).sum() / np.exp(all_ - all_.max()).sum())
    if not 0 < chance < 1:
        return -math.inf if chance <= 0 else math.inf
    return math.log(chance / (1 - chance))
