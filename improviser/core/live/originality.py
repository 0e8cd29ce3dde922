"""What keeps a line from saying the same again, and has it take up what the player has said.

A line that goes on by itself for minutes ends in circles: a network remembers what it has played, and expects it again.
So what would repeat a figure of its own is less likely, each time more. What would complete a figure of the player's is
likelier: that is what a listener recognises.
"""

import math
from collections import Counter, deque
from itertools import pairwise
from typing import Final

import numpy as np

from improviser.core.music.note import PITCHES
from improviser.core.networks.responder import LogProbabilities

OWN_FIGURE: Final = 6
"""Notes of a figure of its own that a line tires of."""
TIRED: Final = 3.5
"""Nats by which the last note of such a figure is less likely, for each time that it was played."""
REMEMBERED: Final = 512
"""Notes of its own that a line remembers."""
PLAYERS_FIGURE: Final = 3
"""Intervals of a figure of the player's."""
KIN: Final = (0.0, 0.0, 1.0, 2.5)
"""Nats by which the last note of such a figure is likelier, and of its first one, two, three intervals: they add up."""
PLAYERS_REMEMBERED: Final = 256
SPAN: Final = 13
"""Semitones from the middle of the player's notes within which a line moves freely."""
FAR: Final = 0.4
"""Nats by which a pitch is less likely for each semitone beyond: a run that is taken up would leave the keyboard."""
ARC, ARC_NOTES, LEANING = 9.0, 96, 0.08
"""A solo opens and closes: it leans towards a height that rises and falls by so many semitones in so many notes, by so
many nats for each semitone that a pitch is away from it."""

_PITCHES: Final = np.arange(PITCHES)


class Originality:
    """Both in one session; bounded."""

    def __init__(self) -> None:
        self._line: deque[int] = deque(maxlen=REMEMBERED)
        self._figures: Counter[tuple[int, ...]] = Counter()
        self._played = 0
        self._heard: deque[int] = deque(maxlen=PLAYERS_REMEMBERED)
        self._players: Counter[tuple[int, ...]] = Counter()

    def hear(self, pitch: int) -> None:
        """Take in a note of the player's line."""
        if len(self._heard) == PLAYERS_REMEMBERED:
            for length in range(1, PLAYERS_FIGURE + 1):
                _forget(self._players, _intervals([*self._heard][: length + 1]))
        self._heard.append(pitch)
        for length in range(1, min(PLAYERS_FIGURE, len(self._heard) - 1) + 1):
            self._players[_intervals([*self._heard][-length - 1 :])] += 1

    def play(self, pitch: int) -> None:
        """Take in a note of the line's own."""
        if len(self._line) == REMEMBERED:
            _forget(self._figures, tuple([*self._line][:OWN_FIGURE]))
        self._line.append(pitch)
        self._played += 1
        if len(self._line) >= OWN_FIGURE:
            self._figures[tuple([*self._line][-OWN_FIGURE:])] += 1

    def weigh(self, logs: LogProbabilities) -> None:
        """Change the log-probabilities, shape (128,), of the line's next note."""
        if self._heard:
            middle = sum(self._heard) / len(self._heard)
            beyond = np.abs(_PITCHES - middle) - SPAN
            logs -= FAR * np.maximum(beyond, 0.0)
            if self._played:
                height = middle + ARC * math.sin(2 * math.pi * self._played / ARC_NOTES)
                logs -= LEANING * np.abs(_PITCHES - height)
        line = [*self._line]
        if len(line) >= OWN_FIGURE:
            begun = tuple(line[-OWN_FIGURE + 1 :])
            for pitch in range(len(logs)):
                if times := self._figures.get((*begun, pitch)):
                    logs[pitch] -= TIRED * times
        for length in range(1, min(PLAYERS_FIGURE, len(line)) + 1):
            steps = _intervals(line[-length:])
            for pitch in range(len(logs)):
                if (*steps, pitch - line[-1]) in self._players:
                    logs[pitch] += KIN[length]


def _intervals(pitches: list[int]) -> tuple[int, ...]:
    return tuple(after - before for before, after in pairwise(pitches))


def _forget(figures: Counter[tuple[int, ...]], figure: tuple[int, ...]) -> None:
    figures[figure] -= 1
    if figures[figure] <= 0:
        del figures[figure]
