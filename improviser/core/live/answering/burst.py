"""A burst: more notes at once than anybody plays. The models hear a few of them, and all are answered.

A burst from a machine must not keep the player's next note waiting until it has been thought through. While
BURST_NOTES notes have come within BURST_SECONDS, one in HEARD_ONE_IN is heard and answered as ever; the others are
answered from the opinion on that one, each by a draw of its own. What is a burst depends on time stamps alone, so that
a replay is the same.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Final

from improviser.core.live.answering.decoding import Wheel, spin
from improviser.core.live.answering.predictions import Predictions
from improviser.core.networks.responder import LogProbabilities

BURST_NOTES, BURST_SECONDS = 64, 0.1
HEARD_ONE_IN = 64


class Burst:
    """Tells which notes the models are not asked about. All times are seconds of the session."""

    def __init__(self) -> None:
        self._onsets: deque[float] = deque(maxlen=BURST_NOTES)
        self._unheard = 0

    @property
    def until(self) -> float:
        """Until when the next note is one of a burst."""
        full = len(self._onsets) >= BURST_NOTES - 1
        return self._onsets[1 - BURST_NOTES] + BURST_SECONDS if full else -inf

    def drops(self, now: float) -> bool:
        """Take in a note of the player; say whether it is one of those that the models do not hear."""
        self._onsets.append(now)
        in_burst = len(self._onsets) == BURST_NOTES and now - self._onsets[0] < BURST_SECONDS
        self._unheard = (self._unheard + 1) % HEARD_ONE_IN if in_burst else 0
        return self._unheard > 0


class LastOpinions:
    """What each part thought of the note that it was asked about last, ready to answer others by."""

    def __init__(self, predictions: Predictions) -> None:
        self._predictions: Final = predictions
        self._opinions: Sequence[LogProbabilities] = ()
        self._wheels: list[Wheel] = []
        """The same, to be drawn from; made when the first note of a burst comes."""

    def __len__(self) -> int:
        return len(self._opinions)

    def take(self, opinions: Sequence[LogProbabilities]) -> None:
        """Take in what all parts think of a note."""
        self._opinions = opinions
        self.weigh_anew()

    def weigh_anew(self) -> None:
        """Draw by other parameters from now on."""
        self._wheels = []

    def draw(self, chance: Callable[[], float]) -> Iterator[int]:
        """Yield a pitch that sounds for each part, by a number ≥ 0 and < 1 for each."""
        if not self._wheels:
            ready = self._predictions.ready
            self._wheels = [ready(number, logs).sums for number, logs in enumerate(self._opinions)]
        return (spin(sums, chance()) for sums in self._wheels)
