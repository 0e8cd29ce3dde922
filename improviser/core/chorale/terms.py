"""The terms by which voices are chosen together: what a combination of pitches is, as places in tables of numbers.

Each kind of term is a table; a combination of pitches reads one number of each, and their sum is how much likelier the
combination is than the parts by themselves would have it. Pairs of voices have their intervals, and how they have
moved; whole chords have their pitch classes, in the key and above the bass, and the chord before.

The same places are read when a note is answered and when the tables are fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]

VOICES = 4
PAIRS = tuple(combinations(range(VOICES), 2))
"""Soprano and alto, soprano and tenor, …: the upper voice first."""
UPPER = np.array([one for one, _ in PAIRS])
LOWER = np.array([other for _, other in PAIRS])

ENDS = (0.07, 0.18, 0.36)
"""A phrase ends with a note by a chance of less than these: four classes."""
END_CLASSES = len(ENDS) + 1
BEATS = 12
GAPS = 6
FEWEST_TYPES = 5
"""Chords of no known type are told apart by how many pitch classes they have."""

BELOW, ABOVE = 12, 36
"""Intervals between voices are told apart from so far below to so far above."""
STEP = 5
NEAR = 3


@dataclass(frozen=True, slots=True)
class Place:
    """What is known when a chord is chosen, beside the pitches to choose among.

    :param tonic: pitch class of the key (for a minor key, of its relative major).
    :param minor: whether it is minor.
    :param beat: the class of the beat, 0 … BEATS − 1.
    :param gap: the class of the interval since the last note, 0 … GAPS − 1.
    :param end: how likely a phrase ends here, 0 … END_CLASSES − 1.
    :param before: what sounded before, soprano first; None at the beginning.
    """

    tonic: int
    minor: bool
    beat: int
    gap: int
    end: int
    before: tuple[int, ...] | None


PAIR_KINDS = {
    "interval": BELOW + ABOVE + 1,
    "dyad": 12 * 12 * 2,
    "motion": 12 * 12 * 9 + 1,
    "steps": 12 * (2 * STEP + 1) ** 2 + 1,
    "overlap": (2 * NEAR + 1) ** 2 + 1,
    "degrees": 12 * 12 * 12 + 1,
    "counterpoint": 12 * 12 * 9 + 1,
}
"""The kinds of terms of pairs, and how many numbers each has for each pair, or for all of them (SHARED)."""
SHARED = frozenset({"counterpoint"})
MOTIONS = frozenset({"motion", "steps", "counterpoint"})
"""These say nothing of moves that notes in between have made."""


class Terms:
    """Where the numbers of each kind of term lie in one flat array.

    :param types: the sets of pitch classes above the bass (bits, 1–4095) that are types of chords of their own.
    """

    def __init__(self, types: Sequence[int]) -> None:
        self.types = tuple(types)
        count = len(types) + FEWEST_TYPES
        self._count = count
        chords = 12 * count
        kinds = {name: size if name in SHARED else len(PAIRS) * size for name, size in PAIR_KINDS.items()}
        kinds |= {
            "set": 4096 * 2,
            "chord": chords * END_CLASSES,
            "tune": chords * 12 * 2,
            "change": chords * chords + 1,
            "progress": count * count * 12 + 1,
            "held": 8 * 2 * BEATS * GAPS + 1,
            "stays": 2 * BEATS * END_CLASSES + 1,
            "bass": 25 * 12 * END_CLASSES + 1,
        }
        ends = np.cumsum([*kinds.values()]).tolist()
        self.slices = {name: slice(end - size, end) for (name, size), end in zip(kinds.items(), ends, strict=True)}
        """Where each kind lies."""
        self.size = ends[-1]
        self._offset = {name: place.start for name, place in self.slices.items()}
        self._type = np.array([max(1, min(FEWEST_TYPES, bits.bit_count())) - 1 for bits in range(4096)])
        self._type[list(types)] = FEWEST_TYPES + np.arange(len(types))
        turned = np.arange(4096)
        chords_of = [self._type[(turned << 12 | turned) >> bass & 4095] + count * bass for bass in range(12)]
        self._chord_of = np.concatenate(chords_of)
        """The chord of each set of degrees, for each degree of the bass in turn."""
        self._rises = (np.arange(12) - np.arange(12)[:, None]) % 12
        # Where the tables of each pair begin, shape (6, 1, 1).
        self._pair = {
            name: (self._offset[name] + (name not in SHARED) * size * np.arange(len(PAIRS)))[:, None, None]
            for name, size in PAIR_KINDS.items()
        }
        self._nothing = {name: self.slices[name].stop - 1 for name in ("change", "progress", "held", "stays", "bass")}

    @cached_property
    def pair_kinds(self) -> tuple[str, ...]:
        """The kinds of pairs, in the order in which they are read."""
        return tuple(PAIR_KINDS)

    @cached_property
    def chord_kinds(self) -> tuple[str, ...]:
        """The kinds of whole chords, in the order in which they are read."""
        return tuple(name for name in self.slices if name not in PAIR_KINDS)

    def of_pairs(self, upper: IntArray, lower: IntArray, place: Place, out: IntArray) -> None:
        """Write where the numbers of all pairs lie.

        :param upper: pitches of the upper voice of each pair, shape (6, n).
        :param lower: pitches of the lower voice of each pair, shape (6, m).
        :param out: shape (kinds, 6, n, m).
        """
        degree = ((lower - place.tonic) % 12)[:, None, :]
        apart = upper[:, :, None] - lower[:, None, :]
        turned = apart % 12
        pair = self._pair
        np.clip(apart, -BELOW, ABOVE, out=out[0])
        out[0] += pair["interval"] + BELOW
        np.add(turned, pair["dyad"] + 12 * degree + 144 * place.minor, out=out[1])
        if place.before is None:
            for number, name in enumerate(self.pair_kinds[2:], 2):
                out[number] = pair[name] + PAIR_KINDS[name] - 1
            return
        before = np.array(place.before)
        over, under = before[UPPER][:, None], before[LOWER][:, None]
        rises, follows = upper - over, lower - under
        earlier = ((over - under) % 12)[:, :, None]
        signs = 3 * np.sign(rises)[:, :, None] + np.sign(follows)[:, None, :] + 4
        np.add(turned, 12 * (9 * earlier + signs), out=out[6])
        np.add(out[6], pair["motion"], out=out[2])
        out[6] += pair["counterpoint"]
        wide, width = 2 * STEP + 1, 2 * NEAR + 1
        steps = pair["steps"] + wide * (wide * earlier + _step(rises, STEP)[:, :, None])
        np.add(steps, _step(follows, STEP)[:, None, :], out=out[3])
        crossing = pair["overlap"] + width * _step(upper - under, NEAR)[:, :, None]
        np.add(crossing, _step(lower - over, NEAR)[:, None, :], out=out[4])
        was, becomes = ((over - place.tonic) % 12)[:, :, None], ((upper - place.tonic) % 12)[:, :, None]
        np.add(pair["degrees"] + 144 * was + 12 * becomes, degree, out=out[5])

    def of_chords(self, pitches: IntArray, place: Place, out: IntArray) -> None:
        """Write where the numbers of whole chords lie; `chord_scores` adds them up.

        :param pitches: of each voice, shape (4, k); the soprano has but one, k times.
        :param out: shape (kinds, k, k, k): alto, tenor, bass.
        """
        degrees = (pitches - place.tonic) % 12
        bits = 1 << degrees
        upper = bits[1][:, None] | (bits[2] | bits[0, 0])
        sets = upper[:, :, None] | bits[3]
        bass = degrees[3]
        turned = ((sets << 12 | sets) >> bass) & 4095
        types = self._type[turned]
        chords = types + self._count * bass
        offset, nothing = self._offset, self._nothing
        np.add(sets, offset["set"] + 4096 * place.minor, out=out[0])
        np.add(chords, offset["chord"] + 12 * self._count * place.end, out=out[1])
        np.add(chords, offset["tune"] + 12 * self._count * (int(degrees[0, 0]) + 12 * place.minor), out=out[2])
        if place.before is None:
            for number, name in enumerate(("change", "progress", "held", "stays", "bass"), 3):
                out[number] = nothing[name]
            return
        earlier, earlier_type, earlier_bass = self._before(place.before, place.tonic)
        chord = earlier_type + self._count * earlier_bass
        np.add(chords, offset["change"] + 12 * self._count * chord, out=out[3])
        rise = (bass - earlier_bass) % 12
        np.add(types, offset["progress"] + self._count * (earlier_type + self._count * rise), out=out[4])
        alto, tenor, low = pitches[1:] == np.array(place.before[1:])[:, None]
        rhythm = 8 * (place.beat + BEATS * (place.gap + GAPS * int(pitches[0, 0] == place.before[0])))
        held = (4 * alto)[:, None] + 2 * tenor
        np.add(held[:, :, None], low + (offset["held"] + rhythm), out=out[5])
        np.add(sets == earlier, offset["stays"] + 2 * (place.beat + BEATS * place.end), out=out[6])
        leap = np.clip(pitches[3] - place.before[3], -12, 12) + 12
        out[7] = offset["bass"] + leap + 25 * (bass + 12 * place.end)

    def chord_scores(self, numbers: NDArray[np.float32], pitches: IntArray, tune: int, place: Place) -> FloatArray:
        """Return the sums of what `of_chords` points at, shape (k, k, k): fast, for one note.

        :param numbers: of all terms.
        :param pitches: of the parts, shape (3, k).
        """
        degrees = (pitches - place.tonic) % 12
        alto, tenor, low = 1 << degrees
        sung = (tune - place.tonic) % 12
        sets = (alto[:, None] | (tenor | 1 << sung))[:, :, None] | low
        bass, count, offset = degrees[2], self._count, self._offset
        size = 12 * count

        def row(name: str, number: int, length: int = size) -> NDArray[np.float32]:
            start = offset[name] + number * length
            return numbers[start : start + length]

        values = row("chord", place.end) + row("tune", sung + 12 * place.minor)
        scores: FloatArray
        if place.before is None:
            scores = values.take(self._chord_of.take(sets + 4096 * bass))
            scores += row("set", place.minor, 4096).take(sets)
            scores += sum(float(numbers[self._nothing[name]]) for name in self._nothing)
            return scores
        earlier, earlier_type, earlier_bass = self._before(place.before, place.tonic)
        values += row("change", earlier_type + count * earlier_bass)
        moved = numbers[self.slices["progress"]][:-1].reshape(12, count, count)[:, earlier_type]
        values.reshape(12, count)[:] += moved[self._rises[earlier_bass]]
        scores = values.take(self._chord_of.take(sets + 4096 * bass))
        scores += row("set", place.minor, 4096).take(sets)
        held = row("held", place.beat + BEATS * (place.gap + GAPS * (tune == place.before[0])), 8)
        alto, tenor, low = pitches == np.array(place.before[1:])[:, None]
        scores += held.take(((4 * alto)[:, None] + 2 * tenor)[:, :, None] + low)
        changes, stays = row("stays", place.beat + BEATS * place.end, 2).tolist()
        scores += changes
        scores += (sets == earlier) * np.float32(stays - changes)
        leap = np.minimum(np.maximum(pitches[2] - (place.before[3] - 12), 0), 24)
        scores += numbers.take(offset["bass"] + leap + 25 * (bass + 12 * place.end))
        return scores

    def _before(self, before: Sequence[int], tonic: int) -> tuple[int, int, int]:
        """Return the set, the type and the bass degree of the chord before, in the key of now."""
        bits = 0
        for pitch in before:
            bits |= 1 << (pitch - tonic) % 12
        bass = (before[3] - tonic) % 12
        return bits, int(self._type[(bits << 12 | bits) >> bass & 4095]), bass


def _step(distance: IntArray, limit: int) -> IntArray:
    """Return which of 2 · limit + 1 classes a distance is of; those beyond count as the nearest."""
    return np.clip(distance, -limit, limit) + limit


def end_class(chance: float) -> int:
    """Return the class of the probability that a phrase ends."""
    return sum(chance >= limit for limit in ENDS)
