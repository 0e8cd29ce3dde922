"""The terms of all pairs of voices, added up before a note comes: fast, for one session.

What is read is what `Terms.of_pairs` points at. Tables that are read at the same places are added up once, and so is
what the key alone decides; the rest is one number for each two pitches of a few small tables.
"""

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.terms import (
    ABOVE,
    BELOW,
    LOWER,
    NEAR,
    PAIR_KINDS,
    PAIRS,
    SHARED,
    STEP,
    UPPER,
    FloatArray,
    IntArray,
    Place,
    Terms,
)
from improviser.core.music.note import PITCHES

_DISTANCES = np.arange(-2 * PITCHES, 2 * PITCHES + 1)
_MIDDLE = 2 * PITCHES
"""Where the distance 0 lies among these."""
_SIGNS = np.sign(_DISTANCES) + 1
_STEPS = np.clip(_DISTANCES, -STEP, STEP) + STEP
_NEAR = np.clip(_DISTANCES, -NEAR, NEAR) + NEAR
_WIDE, _WIDTH = 2 * STEP + 1, 2 * NEAR + 1


class PairScores:
    """Knows the tables of all pairs of voices.

    :param upper: the pitches of the upper voice of each pair that are asked for, shape (6, n).
    :param lower: those of the lower voice, shape (6, n).
    """

    def __init__(self, terms: Terms, numbers: FloatArray, upper: IntArray, lower: IntArray) -> None:
        tables = {}
        for name, size in PAIR_KINDS.items():
            found = numbers[terms.slices[name]]
            tables[name] = np.resize(found, (len(PAIRS), size)) if name in SHARED else found.reshape(len(PAIRS), size)
        motion = tables["motion"] + tables["counterpoint"]
        moving = [motion, tables["steps"], tables["overlap"], tables["degrees"]]
        self._numbers = np.concatenate([table.ravel() for table in moving])
        ends = np.cumsum([table.size for table in moving])
        starts = [ends[number] - table.size for number, table in enumerate(moving)]
        number = np.arange(len(PAIRS))[:, None]
        self._motion, self._steps, self._crossing, self._degrees = (
            start + table.shape[1] * number for start, table in zip(starts, moving, strict=True)
        )
        """Where the tables of each pair begin, shape (6, 1)."""
        self._beginning = np.array([[[sum(float(table[pair, -1]) for table in moving)]] for pair in range(len(PAIRS))])
        self._interval, self._dyad = tables["interval"], tables["dyad"]
        self._upper, self._lower = upper, lower
        self._apart = upper[:, :, None] - lower[:, None, :]
        self._turned = self._apart % 12
        self._in_key: dict[tuple[int, bool], NDArray[np.float32]] = {}
        """What a key alone decides, by the tonic and the mode."""

    def of(self, place: Place) -> NDArray[np.float32]:
        """Return how much likelier two pitches are together, of each pair of voices, shape (6, n, n)."""
        known = self._of_key(place.tonic, place.minor)
        if place.before is None:
            return known + self._beginning.astype(np.float32)
        before = np.array(place.before)
        over, under = before[UPPER][:, None], before[LOWER][:, None]
        upper, lower = self._upper, self._lower
        rises, follows = upper - over + _MIDDLE, lower - under + _MIDDLE
        earlier = (over - under) % 12
        high = self._motion + 12 * (9 * earlier + 3 * _SIGNS.take(rises))
        places = self._turned + high[:, :, None]
        places += 12 * _SIGNS.take(follows)[:, None, :]
        numbers = self._numbers
        scores: NDArray[np.float32] = numbers.take(places)
        scores += known
        high = self._steps + _WIDE * (_WIDE * earlier + _STEPS.take(rises))
        scores += numbers.take(high[:, :, None] + _STEPS.take(follows)[:, None, :])
        high = self._crossing + _WIDTH * _NEAR.take(upper - under + _MIDDLE)
        scores += numbers.take(high[:, :, None] + _NEAR.take(lower - over + _MIDDLE)[:, None, :])
        high = self._degrees + 144 * ((over - place.tonic) % 12) + 12 * ((upper - place.tonic) % 12)
        scores += numbers.take(high[:, :, None] + ((lower - place.tonic) % 12)[:, None, :])
        return scores

    def _of_key(self, tonic: int, minor: bool) -> NDArray[np.float32]:
        known = self._in_key.get((tonic, minor))
        if known is None:
            number = np.arange(len(PAIRS))[:, None, None]
            intervals = self._interval[number, np.clip(self._apart, -BELOW, ABOVE) + BELOW]
            degrees = ((self._lower - tonic) % 12)[:, None, :]
            known = intervals + self._dyad[number, self._turned + 12 * degrees + 144 * minor]
            self._in_key[tonic, minor] = known
        return known
