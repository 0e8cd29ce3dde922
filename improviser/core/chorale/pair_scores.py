"""The terms of all pairs of voices, added up before a note comes: fast, for one session.

What is read is what `Terms.of_pairs` points at. Tables that are read at the same places are added up once, and so is
what the key alone decides; the rest is one number for each two pitches of a few small tables.
"""

from collections.abc import Sequence

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
_BOTH = np.concatenate([UPPER, LOWER])[:, None]
_OTHERS = np.concatenate([LOWER, UPPER])[:, None]
"""The voices of all pairs, the upper ones first; and the other one of each pair."""


def _scaled(upper: int, lower: int) -> IntArray:
    """Return by how much a class of the upper voices counts in a place in a table, and one of the lower voices."""
    return np.repeat([upper, lower], len(PAIRS))[:, None]


_BY_SIGN, _BY_STEP, _BY_NEARNESS, _BY_DEGREE = _scaled(36, 12), _scaled(_WIDE, 1), _scaled(_WIDTH, 1), _scaled(12, 1)


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
        self._starts = [
            [start + table.shape[1] * pair for pair in range(len(PAIRS))]
            for start, table in zip(starts, moving, strict=True)
        ]
        """Where the tables of each pair begin: of motion, steps, crossing and degrees."""
        self._beginning = np.array([[[sum(float(table[pair, -1]) for table in moving)]] for pair in range(len(PAIRS))])
        self._interval, self._dyad = tables["interval"], tables["dyad"]
        self._lower = lower
        self._both = np.concatenate([upper, lower])
        self._from_middle = self._both + _MIDDLE
        """The pitches of the voices `_BOTH`; and where they lie among the distances from 0."""
        self._apart = upper[:, :, None] - lower[:, None, :]
        self._turned = self._apart % 12
        self._in_key: dict[tuple[int, bool], NDArray[np.float32]] = {}
        """What a key alone decides, by the tonic and the mode."""

    def of(self, place: Place) -> NDArray[np.float32]:
        """Return how much likelier two pitches are together, of each pair of voices, shape (6, n, n)."""
        known = self._of_key(place.tonic, place.minor)
        if place.before is None:
            return known + self._beginning.astype(np.float32)
        before, numbers = np.array(place.before), self._numbers
        moved, near = self._from_middle - before.take(_BOTH), self._from_middle - before.take(_OTHERS)
        motion, steps, crossing, degrees = self._starts_after(place.before, place.tonic)
        places = self._turned + _spread(motion, _SIGNS.take(moved) * _BY_SIGN)
        scores: NDArray[np.float32] = numbers.take(places)
        scores += known
        scores += numbers.take(_spread(steps, _STEPS.take(moved) * _BY_STEP))
        scores += numbers.take(_spread(crossing, _NEAR.take(near) * _BY_NEARNESS))
        scores += numbers.take(_spread(degrees, (self._both - place.tonic) % 12 * _BY_DEGREE))
        return scores

    def _starts_after(self, before: Sequence[int], tonic: int) -> IntArray:
        """Return where the numbers of each pair begin after a chord, in the key of now, shape (4, 6, 1)."""
        motion, steps, crossing, degrees = self._starts
        earlier = [(before[one] - before[other]) % 12 for one, other in PAIRS]
        was = [(before[one] - tonic) % 12 for one, _ in PAIRS]
        rows = (
            [start + 108 * number for start, number in zip(motion, earlier, strict=True)],
            [start + _WIDE**2 * number for start, number in zip(steps, earlier, strict=True)],
            crossing,
            [start + 144 * number for start, number in zip(degrees, was, strict=True)],
        )
        return np.array(rows)[:, :, None]

    def _of_key(self, tonic: int, minor: bool) -> NDArray[np.float32]:
        known = self._in_key.get((tonic, minor))
        if known is None:
            number = np.arange(len(PAIRS))[:, None, None]
            intervals = self._interval[number, np.clip(self._apart, -BELOW, ABOVE) + BELOW]
            degrees = ((self._lower - tonic) % 12)[:, None, :]
            known = intervals + self._dyad[number, self._turned + 12 * degrees + 144 * minor]
            self._in_key[tonic, minor] = known
        return known


def _spread(starts: IntArray, classes: IntArray) -> IntArray:
    """Return the sums of where each pair begins and of both its voices' classes, shape (6, n, n).

    :param starts: shape (6, 1).
    :param classes: of the upper voices, then of the lower ones, shape (12, n).
    """
    high = starts + classes[: len(PAIRS)]
    sums: IntArray = high[:, :, None] + classes[len(PAIRS) :, None, :]
    return sums
