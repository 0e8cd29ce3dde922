"""A crowd: more notes at once than anybody plays. The models hear a few of them, and all are answered.

A burst from a machine must not keep the player's next note waiting until it has been thought through. While
CROWD_NOTES notes have come within CROWD_SECONDS, one in EAR is heard and answered as ever; the others are answered
from the opinion on that one, each by a draw of its own. What is a crowd depends on time stamps alone, so that a replay
is the same.
"""

from collections import deque
from math import inf

CROWD_NOTES, CROWD_SECONDS = 64, 0.1
EAR = 64


class Crowd:
    """Tells which notes are lost on the models. All times are seconds of the session."""

    def __init__(self) -> None:
        self._onsets: deque[float] = deque(maxlen=CROWD_NOTES)
        self._unheard = 0

    @property
    def until(self) -> float:
        """Until when the next note is one of a crowd."""
        full = len(self._onsets) >= CROWD_NOTES - 1
        return self._onsets[1 - CROWD_NOTES] + CROWD_SECONDS if full else -inf

    def swallows(self, now: float) -> bool:
        """Take in a note of the player; say whether it is one of those that the models do not hear."""
        self._onsets.append(now)
        crowded = len(self._onsets) == CROWD_NOTES and now - self._onsets[0] < CROWD_SECONDS
        self._unheard = (self._unheard + 1) % EAR if crowded else 0
        return self._unheard > 0
