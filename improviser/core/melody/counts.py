"""What this session alone says of the next note: counts of what followed what, without any training.

Where a player's language is like none that a model was bred on, this foresees more than they do; and what it proposes
is the player's own (a Continuator: Pachet, "The Continuator: Musical Interaction With Style", JNMR 32, 2003, in the
form of PPM). It is one opinion among others in a mixture, and has as much to say as it has foreseen.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.melody.model import CLASHING, MelodySession
from improviser.core.music.note import PITCHES
from improviser.core.networks.asking import Asked
from improviser.core.networks.memory import INTERVALS, Expert
from improviser.core.networks.responder import LogProbabilities

ORDER: Final = 4
"""Notes that a context has at most."""
FLOOR: Final = 1e-5
"""What each pitch has at least: none is impossible."""


class CountsModel(Asked):
    """A melody model that was never trained: all it knows it hears."""

    name = "this session"
    task = "melody"

    def responder(self) -> "CountsResponder":
        """Return a fresh session."""
        return CountsResponder()

    def session(self) -> MelodySession:
        """Return a session that answers as `distribution` does, note by note."""
        return MelodySession(self.responder())


class CountsResponder:
    """One session of counts: of pitches after pitches, and of intervals after intervals."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the session."""
        self._pitches: deque[int] = deque(maxlen=ORDER)
        self._steps: deque[int] = deque(maxlen=ORDER)
        self._pitch, self._interval = Expert(PITCHES, ORDER), Expert(INTERVALS, ORDER)

    def moment(self, onset_seconds: float) -> Hashable:  # noqa: ARG002
        """Return all that matters of an onset: nothing does."""
        return None

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of a note to sing to the player's `pitch`; changes nothing."""
        logs = self.proceed(onset_seconds)
        logs[CLASHING[pitch % 12]] = -np.inf
        return logs

    def proceed(self, onset_seconds: float) -> LogProbabilities:  # noqa: ARG002
        """Return log-probabilities, shape (128,), of the line's next note; changes nothing."""
        return self._opinion(list(self._pitches), list(self._steps))

    def imagine(self, pitches: Sequence[int]) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the note after `pitches`, were they to follow; changes nothing."""
        line = [*self._pitches, *pitches][-ORDER - 1 :]
        return self._opinion(line[-ORDER:], [after - before for before, after in pairwise(line)])

    def _opinion(self, pitches: list[int], steps: list[int]) -> LogProbabilities:
        chances = self._chances(self._pitch, pitches, 0)
        if pitches:
            chances += self._chances(self._interval, steps, pitches[-1])
        logs: LogProbabilities = np.log(chances / chances.sum() + FLOOR)
        return logs

    @staticmethod
    def _chances(expert: Expert, context: list[int], offset: int) -> NDArray[np.float64]:
        chances = np.array(expert.chances(context, -offset, PITCHES))
        chances /= chances.sum()
        return chances

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:  # noqa: ARG002
        """Take in the player's note and what was sung to it: that is none of the player's."""
        if played is not None:
            self.follow(played, onset_seconds, own=True)

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:  # noqa: ARG002
        """Take a note for part of the line; only the player's are counted."""
        if not own:
            self._pitch.learn(list(self._pitches), pitch)
            if self._pitches:
                self._interval.learn(list(self._steps), pitch - self._pitches[-1])
        if self._pitches:
            self._steps.append(pitch - self._pitches[-1])
        self._pitches.append(pitch)
