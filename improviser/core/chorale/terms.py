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

    def of_pairs(self, pitches: IntArray, place: Place, out: IntArray) -> None:
        """Write where the numbers of all pairs lie.

        :param pitches: of each voice, shape (4, k); the soprano has but one, k times.
        :param out: shape (kinds, 6, k, k): the upper voice's pitch, then the lower one's.
        """
        degrees = (pitches - place.tonic) % 12
        apart = pitches[UPPER, :, None] - pitches[LOWER, None, :]
        turned = apart % 12
        pair = self._pair
        np.clip(apart, -BELOW, ABOVE, out=out[0])
        out[0] += pair["interval"] + BELOW
        np.add(turned, pair["dyad"] + 12 * degrees[LOWER, None, :] + 144 * place.minor, out=out[1])
        if place.before is None:
            for number, name in enumerate(self.pair_kinds[2:], 2):
                out[number] = pair[name] + PAIR_KINDS[name] - 1
            return
        before = np.array(place.before)
        moved = pitches - before[:, None]
        signs, steps = np.sign(moved) + 1, np.clip(moved, -STEP, STEP) + STEP
        earlier = ((before[UPPER] - before[LOWER]) % 12)[:, None, None]
        np.add(turned, 12 * (9 * earlier + 3 * signs[UPPER, :, None] + signs[LOWER, None, :]), out=out[6])
        np.add(out[6], pair["motion"], out=out[2])
        out[6] += pair["counterpoint"]
        wide = 2 * STEP + 1
        np.add(pair["steps"] + wide * (wide * earlier + steps[UPPER, :, None]), steps[LOWER, None, :], out=out[3])
        over = np.clip(pitches[UPPER] - before[LOWER][:, None], -NEAR, NEAR) + NEAR
        under = np.clip(pitches[LOWER] - before[UPPER][:, None], -NEAR, NEAR) + NEAR
        np.add(pair["overlap"] + (2 * NEAR + 1) * over[:, :, None], under[:, None, :], out=out[4])
        was = (before[UPPER] - place.tonic) % 12
        left = pair["degrees"] + 144 * was[:, None, None] + 12 * degrees[UPPER][:, :, None]
        np.add(left, degrees[LOWER][:, None, :], out=out[5])

    def of_chords(self, pitches: IntArray, place: Place, out: IntArray) -> None:
        """Write where the numbers of whole chords lie.

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

    def _before(self, before: Sequence[int], tonic: int) -> tuple[int, int, int]:
        """Return the set, the type and the bass degree of the chord before, in the key of now."""
        bits = 0
        for pitch in before:
            bits |= 1 << (pitch - tonic) % 12
        bass = (before[3] - tonic) % 12
        return bits, int(self._type[(bits << 12 | bits) >> bass & 4095]), bass


def end_class(chance: float) -> int:
    """Return the class of the probability that a phrase ends."""
    return sum(chance >= limit for limit in ENDS)
