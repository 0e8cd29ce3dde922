"""How often a bass strikes along with a left hand: with each change of harmony, and else on pulses.

A left hand that breaks chords, walks or repeats a chord in quick notes moves faster than a bass that supports it: that
strikes with every second of them, or third, or fourth, as long as the left hand goes on with single notes or with the
same chord.
"""

from collections import deque
from collections.abc import Collection
from typing import Final

from improviser.core.live.player.chords import NEVER, Listener
from improviser.core.live.player.pulse import COUNTS, MOST, SURE_SECONDS

PULSE_SECONDS = 0.34
"""The fewest notes of the left hand that take so long are a pulse."""
TREMOLO, TREMOLO_SECONDS = 0.13, 0.8
"""Notes that are closer than this are a tremolo, and its pulse is longer."""
LATELY = 5
LONGEST_SECONDS = 2.0
"""Longer than this nothing is a part of a quick figure."""


class LeftPulse:
    """Knows how quick the left hand is, and when a bass struck last."""

    def __init__(self, listener: Listener) -> None:
        self._listener: Final = listener
        self._gaps: deque[float] = deque(maxlen=LATELY)
        self._onset = NEVER
        self._classes: frozenset[int] = frozenset()
        """The pitch classes of the last chord."""
        self._latest = NEVER
        self._strokes: deque[float] = deque(maxlen=MOST)
        """All strokes of the bass, those of `_latest` and those along with the tune."""

    def learn(self, left: Collection[int], onset: float) -> None:
        """Take in what the left hand has struck with a chord that is complete."""
        if 0 < onset - self._onset < LONGEST_SECONDS:
            self._gaps.append(onset - self._onset)
        self._onset, self._classes = onset, frozenset(pitch % 12 for pitch in left)

    def strike(self, now: float, *, with_left: bool) -> None:
        """Take in that a bass has struck, with the left hand or with the tune."""
        self._strokes.append(now)
        if with_left:
            self._latest = now

    def waits(self, left: Collection[int], now: float) -> bool:
        """Say whether a bass waits for another pulse where the left hand strikes these pitches."""
        if len(self._strokes) == MOST and now - self._strokes[0] < SURE_SECONDS:
            return True
        classes = {pitch % 12 for pitch in left}
        goes_on = len(classes) == 1 or classes <= self._classes
        return goes_on and now < self._latest + self._seconds(now - self._onset)

    def _seconds(self, gap: float) -> float:
        """Return how soon after a stroke the next pulse may be, if the left hand's last note was `gap` seconds ago."""
        gaps = [*self._gaps, min(gap, LONGEST_SECONDS)][-LATELY:]
        unit = max(sum(gaps) / len(gaps), 0.001)
        least = TREMOLO_SECONDS if unit < TREMOLO else PULSE_SECONDS
        return unit * (next((count for count in COUNTS if count * unit >= least), COUNTS[-1]) - 0.5)
