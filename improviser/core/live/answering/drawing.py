"""Drawing: from a part's opinion to the pitch that it sounds: an allowed one, and none that another note has taken.

What sounds for one note of a chord is taken for the others: two parts, or two keys, that are answered by one pitch
would end each other's note.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from improviser.core.live.answering.chance import Chance
from improviser.core.live.answering.decoding import Mask, Wheel, placed, spin, spin_towards, wheel
from improviser.core.live.parameters.table import Parameters
from improviser.core.music.note import PITCHES
from improviser.core.music.phrase import CHORD_SECONDS
from improviser.core.networks.responder import LogProbabilities

MOST_TAKEN = 64
LEAST = 0.1
"""A voice that accompanies strikes nothing that is less likely than this share of what is likeliest: the rest of its
chances are many wrong notes, each of them rare (`tests/benchmarks/ear.py` has what that brings)."""
Factors = Mapping[int, float]
"""How many times likelier some pitches are."""
NO_FACTORS: Factors = {}


class Prediction(NamedTuple):
    """What a part thinks of a note, ready to be drawn from.

    :param logs: its opinion, log-probabilities of its own pitches, shape (128,).
    :param scores: the same of the pitches that sound, `shift` semitones away.
    :param sums: running sums of the chances of the allowed pitches, see `wheel`.
    """

    logs: LogProbabilities
    scores: LogProbabilities
    shift: int
    sums: Wheel

    @property
    def highest(self) -> float:
        """The score of the likeliest pitch that sounds."""
        return float(self.scores.item(self.scores.argmax()))


Favour = Callable[[int, Prediction], Factors]
"""What makes which pitches likelier of a part, given its number and what it thinks."""


class Drawing:
    """Draws the pitches of all parts.

    :param chance: the only source of chance.
    :param allowed: which pitches may sound, shape (128,); None if all.
    """

    def __init__(self, chance: Chance, parameters: Parameters, allowed: Mask | None) -> None:
        self._chance: Final = chance
        self._taken: list[tuple[float, int, int]] = []
        """What began to sound with the last chord: time, channel and pitch."""
        self.adopt(parameters, allowed)

    def adopt(self, parameters: Parameters, allowed: Mask | None) -> None:
        """Draw by these parameters, among these pitches, from now on."""
        self._parameters, self.allowed = parameters, allowed

    def weighed(self, logs: LogProbabilities, *, accompanies: bool = False) -> Prediction:
        """Return an opinion ready to be drawn from; of a voice that accompanies without what is too unlikely."""
        parameters = self._parameters
        scores, shift = placed(logs, parameters.transpose, parameters.low, parameters.high)
        return Prediction(logs, scores, shift, wheel(scores, parameters.temperature, self.allowed, LEAST * accompanies))

    def take(self, channel: int, pitch: int, now: float) -> None:
        """Let a pitch be taken that sounds on `channel` from now on."""
        self._taken = [taken for taken in self._taken[-MOST_TAKEN:] if 0 <= now - taken[0] < CHORD_SECONDS]
        self._taken.append((now, channel, pitch))

    def give(self, channel: int, pitch: int) -> None:
        """Leave a pitch that a part has struck."""
        self._taken = [taken for taken in self._taken if taken[1:] != (channel, pitch)]

    def taken_on(self, channel: int, now: float) -> list[int]:
        """Return the pitches that are taken on a channel at a time."""
        return [pitch for onset, on, pitch in self._taken if on == channel and 0 <= now - onset < CHORD_SECONDS]

    def pick(
        self,
        prediction: Prediction,
        channel: int,
        now: float,
        factors: Factors = NO_FACTORS,
        held: Iterable[int] = (),
    ) -> int:
        """Draw a pitch to sound, and take it: an allowed one that is free.

        :param factors: how many times likelier some pitches are.
        :param held: pitches that are not free either.
        """
        pitch = self.choose(prediction, [*held, *self.taken_on(channel, now)], self._chance.random, factors)
        self.take(channel, pitch, now)
        return pitch

    def choose(
        self, prediction: Prediction, taken: Sequence[int], chance: Callable[[], float], factors: Factors
    ) -> int:
        """Draw a pitch by numbers ≥ 0 and < 1, another one than those `taken` if there is any."""
        pitch = spin_towards(prediction.sums, factors, chance()) if factors else spin(prediction.sums, chance())
        if pitch in taken:  # draw again among the others, which is as if they alone had been drawn from
            free = self._free(taken)
            if free.any():
                pitch = spin(wheel(prediction.scores, self._parameters.temperature, free), chance())
        return pitch

    def pick_from(self, scores: LogProbabilities, channel: int, now: float, held: frozenset[int]) -> int:
        """Draw a pitch by log-probabilities, shape (128,), and take it: allowed, and none that the player holds."""
        possible = np.isfinite(scores)
        free = self._free([*held]) & possible
        pitch = spin(
            wheel(scores, self._parameters.temperature, free if free.any() else possible), self._chance.random()
        )
        self.take(channel, pitch, now)
        return pitch

    def _free(self, taken: Sequence[int]) -> Mask:
        """Return the allowed pitches without those `taken`, shape (128,)."""
        free = np.ones(PITCHES, np.bool_) if self.allowed is None else self.allowed.copy()
        free[[*taken]] = False
        return free
