"""The line so far: what one part has sung last, so that it neither circles nor repeats itself, and ends at home."""

from collections import deque
from collections.abc import Iterable

import numpy as np

from improviser.core.networks.responder import LogProbabilities

REPEATS = 3
"""A line does not sing one pitch more often than this in a row."""

CLOSING = 4.5
"""How much more likely the stable notes of the mode are at the end of a reply (added to log-probabilities)."""

LINE, FIGURE, TIRED = 32, 3, 2.0
"""Of the last notes of a line: what came after the last few twice before is less likely, by so much each time."""


class LineSoFar:
    """The last notes of a line; bounded, whatever its length."""

    def __init__(self) -> None:
        self._pitches: deque[int] = deque(maxlen=LINE)

    def sing(self, pitch: int) -> None:
        """Take in a note."""
        self._pitches.append(pitch)

    def shaped(self, logs: LogProbabilities, stable: Iterable[int] = ()) -> LogProbabilities:
        """Return an opinion on its next pitch, shape (128,), kept from going round in circles.

        :param stable: the pitch classes that it is drawn to, if it is to end.
        """
        shaped = logs.copy()
        line = list(self._pitches)
        figure = line[-FIGURE:]
        if len(line) >= REPEATS and len({*line[-REPEATS:]}) == 1:
            shaped[line[-1]] = -np.inf
        followers = [line[end] for end in range(FIGURE, len(line)) if line[end - FIGURE : end] == figure]
        for pitch in {*followers}:
            shaped[pitch] -= TIRED * (followers.count(pitch) - 1)
        for pitch_class in stable:
            shaped[pitch_class::12] += CLOSING
        return shaped
