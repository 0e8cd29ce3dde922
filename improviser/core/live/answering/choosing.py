"""Choosing: what a part of an accompaniment strikes, by its network's opinion and by all that sounds.

Under one line alone the network's opinion is all there is. What was answered the last time at this place (`riffs`) is
favoured. Under close chords in the left hand, their roots are favoured, whichever note is lowest (`roots`).
"""

import math
from typing import Final

import numpy as np

from improviser.core.harmony.context import Context, FloatArray
from improviser.core.live.answering.band import Band
from improviser.core.live.answering.drawing import NO_FACTORS, Factors, Prediction
from improviser.core.live.answering.roots import Roots
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.chords import Listener, Texture
from improviser.core.live.player.riffs import Recalled
from improviser.core.music.counterpoint import CONSONANT
from improviser.core.music.note import PITCHES

STRIKE = 0.7
"""An answer is struck if its chance is no more nats than this below that of the best."""
FITTING = 1.2
"""What was answered the last time is favoured only if the network finds it no less likely than this (nats)."""
FAVOUR = (0.0, 0.0, 1.0, 2.5, 3.5, 3.5)
"""How much likelier what was answered the last time is (nats), by how many chords before are alike."""
COLDEST = 0.05
"""What was answered the last time is favoured as at this temperature where it is lower."""
LOWEST_BASS, LEAST_ROOM = 24, 36
"""Below a bass of the player's that is lower than this there is no room: not for its octave."""


class Choosing:
    """Chooses pitches for the parts of a band."""

    def __init__(self, band: Band, listener: Listener) -> None:
        self._band: Final = band
        self.roots: Final = Roots(band.tonality, listener)
        self._parameters = Parameters()

    def adopt(self, parameters: Parameters) -> None:
        """Choose by these parameters from now on."""
        self._parameters = parameters

    def choose(
        self,
        number: int,
        prediction: Prediction,
        texture: Texture,
        channel: int,
        now: float,
        recalled: Recalled | None,
        before: int | None,
    ) -> int:
        """Draw a pitch for a part to strike.

        :param before: what it sounded last, if anything.
        """
        band = self._band
        scores = self.scores(number, prediction, texture, before)
        if scores is None:
            factors = self.factors(number, prediction, recalled)
            return band.drawing.pick(prediction, channel, now, factors, texture.held)
        if (again := self._again(number, prediction, recalled)) is not None:
            scores[again[0]] += again[1]
        # What would be moved at once is not struck.
        scores[scores < best(scores, texture) - STRIKE] = -np.inf
        return band.drawing.pick_from(scores, channel, now, texture.held)

    def _again(self, number: int, prediction: Prediction, recalled: Recalled | None) -> tuple[int, float] | None:
        """Return the pitch that a part had at this place the last time, if it is favoured, and by how many nats."""
        if recalled is None or number >= len(recalled.answers):
            return None
        again, nats = recalled.answers[number], FAVOUR[min(recalled.alike, len(FAVOUR) - 1)]
        if again is None or (recalled.struck[-1] - again) % 12 not in CONSONANT:
            return None
        if not nats or prediction.scores.item(again) < prediction.highest - FITTING:
            return None
        return again, nats

    def factors(self, number: int, prediction: Prediction, recalled: Recalled | None) -> Factors:
        """Return how much likelier that pitch is."""
        if (again := self._again(number, prediction, recalled)) is None:
            return NO_FACTORS
        return {again[0]: math.exp(again[1] / max(self._parameters.temperature, COLDEST))}

    def scores(self, number: int, prediction: Prediction, texture: Texture, before: int | None) -> FloatArray | None:
        """Return log-probabilities of a part's pitches given all that sounds; None where one line is all."""
        experts, is_bass = self._band.lineup.experts[number], self._band.lineup.basses[number]
        if experts is None or not (len(texture.sounding) > 1 or texture.has_bass):
            return None
        supports = is_bass and self._parameters.bass == "support"
        root = self.roots.of(texture.sounding, texture.tune) if supports else None
        context = Context(
            texture.tune,
            texture.sounding,
            max(LEAST_ROOM, min(texture.sounding) - texture.reach) if is_bass else PITCHES,
            supports and (texture.has_bass or root is not None),
            root,
        )
        scores = experts.weigh(prediction.scores, context, before)
        if is_bass and np.isfinite(scores[LOWEST_BASS:]).any():
            scores[:LOWEST_BASS] = -np.inf
        return scores


def best(scores: FloatArray, texture: Texture) -> float:
    """Return the score of the best pitch that the player does not hold."""
    free = scores.copy()
    free[[*texture.held]] = -np.inf
    return float(free.max())
