"""The rhythm of a session, free of its tempo: inter-onset intervals are classed against the session's own.

Half or double tempo changes nothing here: every length is a ratio to the median of the last intervals.
"""

import math
from collections import deque
from typing import NamedTuple

# Intervals remembered for the median.
REMEMBERED = 32
# Classes of an interval: −2 … 2, the rounded binary logarithm of its ratio to the median.
CLASSES = 5
# A note this much closer than a usual one belongs to the same chord.
CHORD_RATIO = 0.09
# A gap at least this long ends a phrase (binary logarithm of its ratio to the median).
PHRASE_LOG_RATIO = 0.9
# The same, in seconds, while no interval is known yet.
FIRST_CHORD_SECONDS = 0.02
# Steps of the metrical grid to a median interval, and in the cycle that is counted.
STEPS_PER_PULSE = 4
CYCLE = 4 * STEPS_PER_PULSE
# Counting notes stops here: later ones are all "many".
MANY = 15


class Moment(NamedTuple):
    """The rhythmic place of a note; a tuple, since many are looked up before each note.

    :param gap: class of the interval before it, −2 … 2; None for the first note.
    :param earlier_gap: class of the interval before that one; None where there is none.
    :param steps: quarters of a pulse since the last long note (or the first note) began, modulo four pulses.
    :param anchored: whether a long note has been heard.
    :param notes: those since the phrase began, 0 for its first, at most MANY.
    """

    gap: int | None
    earlier_gap: int | None
    steps: int
    anchored: bool
    notes: int

    @property
    def gap_class(self) -> int | None:
        """Which of CLASSES the interval before it is in; None for the first note."""
        return None if self.gap is None else self.gap + 2

    @property
    def earlier_gap_class(self) -> int | None:
        """The same for the interval before that one."""
        return None if self.earlier_gap is None else self.earlier_gap + 2

    @property
    def beat_class(self) -> int:
        """Which of BEAT_CLASSES it is: pulse 0 … 3, a half or a quarter between; six more once it is anchored."""
        return _BEATS[self.steps] + 6 if self.anchored else _BEATS[self.steps]

    @property
    def count_class(self) -> int:
        """Which of COUNT_CLASSES its place in the phrase is: 0, 1, 2, 3, 4–5, 6–7, 8–10, more."""
        return _COUNTS[self.notes]


BEAT_CLASSES = 12
COUNT_CLASSES = 8
_BEATS = tuple(4 + step % 2 if step % STEPS_PER_PULSE else step // STEPS_PER_PULSE for step in range(CYCLE))
_COUNTS = (0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 7)
_CHORD_LOG_RATIO = math.log2(CHORD_RATIO)
_FIRST = Moment(None, None, 0, False, 0)


class RhythmTracker:
    """Places onsets (seconds, ascending) against those before them."""

    def __init__(self) -> None:
        self._onset: float | None = None
        self._lengths: deque[float] = deque(maxlen=REMEMBERED)
        self._reference = 0.0
        self._moment = _FIRST
        self._looked_at: float | None = None
        self._seen: tuple[Moment, float | None] = _FIRST, None
        """What was seen where one has looked last: a note is looked at several times."""

    def look(self, onset_seconds: float) -> Moment:
        """Return the place of a note that starts now; changes nothing."""
        if onset_seconds != self._looked_at:
            self._see(onset_seconds)
        return self._seen[0]

    def hear(self, onset_seconds: float) -> None:
        """Take in a note's onset. One that lies before the last is taken as simultaneous with it."""
        if onset_seconds != self._looked_at:
            self._see(onset_seconds)
        moment, length = self._seen
        self._looked_at = None
        if length is not None:
            self._lengths.append(length)
            self._reference = sorted(self._lengths)[(len(self._lengths) - 1) // 2]
            self._onset = onset_seconds
        elif self._onset is None:
            self._onset = onset_seconds
        self._moment = moment

    def _see(self, onset_seconds: float) -> None:
        self._seen = self._place(onset_seconds)
        self._looked_at = onset_seconds

    def _place(self, onset_seconds: float) -> tuple[Moment, float | None]:
        """Return the place of a note, and the binary logarithm of the interval before it (None within a chord)."""
        before = self._moment
        if self._onset is None:
            return _FIRST, None
        seconds = onset_seconds - self._onset
        if seconds <= 0:
            return before, None
        length = math.log2(seconds)
        ratio = length - self._reference if self._lengths else 0.0
        if ratio < _CHORD_LOG_RATIO or (not self._lengths and seconds < FIRST_CHORD_SECONDS):
            return before, None
        gap = max(-2, min(2, round(ratio)))
        long = ratio >= PHRASE_LOG_RATIO
        walked = round(STEPS_PER_PULSE * 2.0 ** min(ratio, 4.0))
        start = 0 if long else before.steps
        notes = 0 if long else min(before.notes + 1, MANY)
        return Moment(gap, before.gap, (start + walked) % CYCLE, before.anchored or long, notes), length
