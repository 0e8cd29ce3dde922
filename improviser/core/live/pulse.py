"""The pulse that an accompanist plays on: every note of a slow line, and of a fast passage a few a second.

A passage is fast where more notes than MOST would be struck in a second. There, strokes fall a few notes apart: the
smallest number of them, two, three or four, or a multiple, that takes PULSE_SECONDS.
"""

from collections import deque
from itertools import pairwise

MOST, WINDOW = 4, 0.965
"""No more strokes than this within so many seconds, but where a line is slow."""
PULSE_SECONDS = 0.3
COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
LATELY = 5
GRACE_SECONDS, GRACE = 0.1, 0.35
"""A note so soon after the last, in less than GRACE of the time that that had come after, is an ornament."""
RUN_SECONDS = 0.11
"""Three notes that are no further apart than this begin a fast passage, too."""
SURE_SECONDS = 1.0


class Pulse:
    """Says which chords of the player's are struck along with."""

    def __init__(self) -> None:
        self._onsets: deque[float] = deque(maxlen=LATELY + 1)
        self._strokes: deque[float] = deque(maxlen=MOST)
        self._fast_until = self._latest = -1e9

    @property
    def unit_seconds(self) -> float:
        """The median of the last inter-onset intervals."""
        onsets = list(self._onsets)
        gaps = sorted(after - before for before, after in pairwise(onsets))
        return gaps[len(gaps) // 2] if gaps else PULSE_SECONDS

    @property
    def seconds(self) -> float:
        """The pulse of a fast passage."""
        unit = max(self.unit_seconds, 0.001)
        return unit * next((count for count in COUNTS if count * unit >= PULSE_SECONDS), COUNTS[-1])

    def is_fast(self, now: float) -> bool:
        """Say whether this is in a fast passage."""
        return now < self._fast_until

    def strikes(self, now: float) -> bool:
        """Take in a chord that begins now; say whether it is struck along with."""
        onsets = self._onsets
        grace = len(onsets) > 1 and now - onsets[-1] < min(GRACE_SECONDS, GRACE * (onsets[-1] - onsets[-2]))
        self._onsets.append(now)
        strokes = self._strokes
        if len(onsets) > 2 and max(onsets[-1] - onsets[-2], onsets[-2] - onsets[-3]) < RUN_SECONDS:
            self._fast_until = now + SURE_SECONDS
        elif grace and not self.is_fast(now):
            self._latest = now
            return True
        fast = self.is_fast(now)
        if len(strokes) == MOST and now - strokes[0] < (SURE_SECONDS if fast else WINDOW):
            self._fast_until = now + SURE_SECONDS
            return False
        if fast and now < self._latest + self.seconds - self.unit_seconds / 2:
            return False
        strokes.append(now)
        self._latest = now
        return True
