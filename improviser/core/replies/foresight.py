"""Foresight: how well the models that play foresee a line, before any of it is played.

A model's opinion costs a thousand times as much as anything else about a line, so each is asked for once: what comes
after two notes is taken to depend on these two, with what came before them when it was asked for first.
"""

from collections.abc import Callable, Sequence

from improviser.core.networks.responder import LogProbabilities
from improviser.core.replies.line import Line

Imagine = Callable[[Sequence[int]], LogProbabilities]
"""What a model would make of the next note if these pitches were to follow: log-probabilities, shape (128,)."""
LEAST = -9.0
"""Nats; what one note costs at most."""


class Foresight:
    """Opinions on what follows what, in one situation.

    :param imagine: asks the models; changes nothing.
    :param most: how often it may be called.
    """

    def __init__(self, imagine: Imagine, most: int) -> None:
        self._imagine = imagine
        self._left = most
        self._opinions: dict[tuple[int, int], list[float]] = {}

    def lacks(self, line: Line) -> int | None:
        """Return the first place of a line that nobody was asked about yet; None if there is none, or no time."""
        if self._left <= 0:
            return None
        before = earlier = -1
        for place, pitch in enumerate(line.pitches):
            if (earlier, before) not in self._opinions:
                return place
            earlier, before = before, pitch
        return None

    def ask(self, pitches: Sequence[int]) -> list[float]:
        """Return what comes after these pitches of a line, and know it from now on."""
        key = (pitches[-2] if len(pitches) > 1 else -1, pitches[-1] if pitches else -1)
        if (known := self._opinions.get(key)) is not None:
            return known
        self._left -= 1
        found: list[float] = self._imagine(pitches).tolist()
        self._opinions[key] = found
        return found

    def nats(self, line: Line) -> float | None:
        """Return the mean log-probability of a line's notes, as far as it is known; None if nothing is."""
        opinions, total, count = self._opinions, 0.0, 0
        before = earlier = -1
        for pitch in line.pitches:
            opinion = opinions.get((earlier, before))
            if opinion is not None:
                total += max(LEAST, opinion[pitch])
                count += 1
            earlier, before = before, pitch
        return total / count if count else None
