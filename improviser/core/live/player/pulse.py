"""The pulse that an accompanist plays on: every note of a slow line, and of a fast passage a few a second.

A passage is fast where more notes than MOST would be struck in a second. There, strokes fall on the pulses of a
drummer, if one plays; and else a few notes apart: the smallest number of them, two, three or four, or a multiple, that
takes PULSE_SECONDS. What the line is likely to come to rest on is struck besides; the note before it is left out where
there would be too many.
"""

import math
from collections import deque
from itertools import pairwise
from typing import Protocol

from improviser.core.music.drums import DrumPulse

MOST, WINDOW = 4, 0.965
"""No more strokes than this within so many seconds, but where a line is slow."""
PULSE_SECONDS = 0.3
COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
LATELY = 5
GRACE_SECONDS, GRACE = 0.1, 0.35
"""A note so soon after the last, in less than GRACE of the time that that had come after, is an ornament."""
RUN_SECONDS = 0.11
"""Three notes that are no further apart than this begin a fast passage, too."""
FAST_SECONDS, FAST_NOTES, EVEN = 0.21, 4, 1.5
"""So do so many notes, if their mean interval is below this, and none longer than EVEN times that, as it is where one
is an ornament; the passage goes on as long as that is so."""
SURE_SECONDS = 1.0
JITTER = 0.03
"""Seconds by which a note may come later than the last time."""


class Rests(Protocol):
    """Foresees which notes the player's line comes to rest on."""

    def comes_to_rest(self, pitch: int) -> bool:
        """Say whether `pitch`, should it begin now, is likely to be long."""

    def rests_after(self, pitch: int) -> float | None:
        """Return how many seconds after `pitch`, should that begin now, one comes that is surely long."""


class Pulse:
    """Says which chords of the player's are struck along with.

    :param rests: foresees what the line comes to rest on.
    :param drums: a drummer who may play.
    """

    def __init__(self, rests: Rests, drums: DrumPulse | None = None) -> None:
        self._rests = rests
        self._drums = DrumPulse() if drums is None else drums
        self._onsets: deque[float] = deque(maxlen=LATELY + 1)
        self._strokes: deque[float] = deque(maxlen=MOST)
        self._all_strokes: deque[float] = deque(maxlen=MOST)
        """Those of ornaments included, which a slow line may have besides."""
        self._fast_until = self._latest = -1e9

    def unit_with(self, gap: float) -> float:
        """Return the median of the last inter-onset intervals, one of `gap` seconds included."""
        gaps = sorted([*(after - before for before, after in pairwise(self._onsets)), gap][-LATELY:])
        return gaps[len(gaps) // 2]

    def seconds_with(self, gap: float) -> float:
        """Return the pulse of a fast passage that goes on with this interval."""
        unit = max(self.unit_with(gap), 0.001)
        return unit * next((count for count in COUNTS if count * unit >= PULSE_SECONDS), COUNTS[-1])

    def is_fast(self, now: float) -> bool:
        """Say whether this is in a fast passage."""
        return now < self._fast_until

    def strikes(self, now: float, pitch: int) -> bool:
        """Take in a chord that begins now, with `pitch`; say whether it is struck along with."""
        struck, is_fast, is_grace = self.would_strike(now, pitch)
        self._onsets.append(now)
        if is_fast:
            self._fast_until = now + SURE_SECONDS
        if struck:
            self._latest = now
            self._all_strokes.append(now)
            if not is_grace:
                self._strokes.append(now)
        return struck

    def would_strike(self, now: float, pitch: int) -> tuple[bool, bool, bool]:
        """Say whether a chord that begins now is struck along with; whether it is fast, or an ornament.

        Changes nothing.
        """
        onsets, strokes = self._onsets, self._strokes
        gap = now - onsets[-1] if onsets else math.inf
        before = onsets[-1] - onsets[-2] if len(onsets) > 1 else math.inf
        runs = len(onsets) > 1 and max(gap, before) < RUN_SECONDS
        fast = runs or self.is_fast(now) or self._is_steadily_fast(now)
        if not fast and len(onsets) > 1 and gap < min(GRACE_SECONDS, GRACE * before):
            return True, False, True
        lately, window = (self._all_strokes, SURE_SECONDS) if fast else (strokes, WINDOW)
        if len(lately) == MOST and now - lately[0] < window:
            return False, True, False
        struck = not fast or self._is_time(now, gap)
        left = lately[1 - MOST] + window - now if len(lately) >= MOST - 1 else 0.0
        if struck and left > 0:  # this would be the last stroke for so long
            rests = self._rests.rests_after(pitch)
            struck = rests is None or rests > left - JITTER
        return struck or self._rests.comes_to_rest(pitch), runs, False

    def _is_steadily_fast(self, now: float) -> bool:
        """Say whether the last notes, one that begins now included, are fast and even."""
        if len(self._onsets) < FAST_NOTES:
            return False
        lately = [*self._onsets][-FAST_NOTES:]
        mean = (now - lately[0]) / FAST_NOTES
        return mean < FAST_SECONDS and max(after - before for before, after in pairwise([*lately, now])) <= EVEN * mean

    def _is_time(self, now: float, gap: float) -> bool:
        """Say whether a pulse of a fast passage has come since the last stroke."""
        came = self._drums.came(self._latest, now)
        return now >= self._latest + self.seconds_with(gap) - self.unit_with(gap) / 2 if came is None else came
