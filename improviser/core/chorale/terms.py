"""The terms by which voices are chosen together: what a combination of pitches is, as places in tables of numbers.

Each kind of term is a table; a combination of pitches reads one number of each, and their sum is how much likelier the
combination is than the parts by themselves would have it. Pairs of voices have their intervals, and how they have
moved; whole chords have their pitch classes, in the key and above the bass, and the chord before.

The tables are fitted by these places. While somebody plays, the same numbers are read faster, by `pair_scores` and
`chord_scores`.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.arrangement import (
    BASS_MOVES,
    MOVES,
    TURN,
    TURNS,
    VOICINGS,
    lower_turn_of,
    moved,
    turns_of,
    voicing,
)

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]

VOICES = 4
SOPRANO, BASS = 0, 3
PAIRS = tuple(combinations(range(VOICES), 2))
"""Soprano and alto, soprano and tenor, …: the upper voice first."""
UPPER = np.array([one for one, _ in PAIRS])
LOWER = np.array([other for _, other in PAIRS])

ENDS = (0.07, 0.18, 0.36, 0.6)
"""A phrase ends with a note by a chance of less than these: five classes."""
END_CLASSES = len(ENDS) + 1
BEATS = 12
GAPS = 6
FEWEST_TYPES = 5
"""Chords of no known type are told apart by how many pitch classes they have."""

BELOW, ABOVE = 12, 36
"""Intervals between voices are told apart from so far below to so far above."""
STEP = 5
NEAR = 3
LEAP = 12
LEAPS = 2 * LEAP + 1
"""Moves of the bass are told apart up to so far, in semitones."""


class Place(NamedTuple):
    """What is known when a chord is chosen, beside the pitches to choose among.

    :param tonic: pitch class of the key (for a minor key, of its relative major).
    :param minor: whether it is minor.
    :param beat: the class of the beat, 0 … BEATS − 1.
    :param gap: the class of the interval since the last note, 0 … GAPS − 1.
    :param end: how likely a phrase ends here, 0 … END_CLASSES − 1.
    :param before: what sounded before, soprano first; None at the beginning.
    :param bass_before: what the bass sang before that; None if it did not.
    """

    tonic: int
    minor: bool
    beat: int
    gap: int
    end: int
    before: tuple[int, ...] | None
    bass_before: int | None = None


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
    :param given: the voice that the others are chosen to, 0 (the soprano) to 3 (the bass).
    """

    def __init__(self, types: Sequence[int], given: int = SOPRANO) -> None:
        self.types = tuple(types)
        self.given = given
        self.others = tuple(voice for voice in range(VOICES) if voice != given)
        """The voices that are chosen, the highest first."""
        count = len(types) + FEWEST_TYPES
        self.count = count
        """How many types of chords there are."""
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
            "bass": LEAPS * 12 * END_CLASSES + 1,
            "beat": chords * BEATS,
            "gap": chords * GAPS,
            "mode": chords * 2,
            "line": chords * 12 * 13,
            "path": chords * 13 * 13,
            "voicing": VOICINGS,
            "moves": MOVES + 1,
            **dict.fromkeys(TURNS, TURN**2 + 1),
            "voicing leap": VOICINGS * BASS_MOVES + 1,
            "voicing AT leap": TURN**2 * BASS_MOVES + 1,
        }
        ends = np.cumsum([*kinds.values()]).tolist()
        self.slices = {name: slice(end - size, end) for (name, size), end in zip(kinds.items(), ends, strict=True)}
        """Where each kind lies."""
        self.size = ends[-1]
        self.offset = {name: place.start for name, place in self.slices.items()}
        """Where each kind begins."""
        self.type_of = np.array([max(1, min(FEWEST_TYPES, bits.bit_count())) - 1 for bits in range(4096)])
        self.type_of[list(types)] = FEWEST_TYPES + np.arange(len(types))
        """The type of each set of pitch classes above the bass, shape (4096,)."""
        # Where the tables of each pair begin, shape (6, 1, 1).
        self._pair = {
            name: (self.offset[name] + (name not in SHARED) * size * np.arange(len(PAIRS)))[:, None, None]
            for name, size in PAIR_KINDS.items()
        }
        self.nothing = {name: self.slices[name].stop - 1 for name in _AFTER}
        """Where the numbers lie of the kinds of chords that say nothing where nothing has sounded."""

    @cached_property
    def parallels(self) -> NDArray[np.bool_]:
        """Which numbers are of pairs that move in one direction and keep their interval, whatever it is, shape (size,).

        An octave counts as none.
        """
        found = np.zeros(self.size, np.bool_)
        earlier, signs, turned = np.meshgrid(np.arange(12), np.arange(9), np.arange(12), indexing="ij")
        kept = (earlier == turned) & ((signs == 0) | (signs == 8))
        found[self.slices["counterpoint"]][:-1] = kept.ravel()
        return found

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

    def of_chords(self, four: IntArray, place: Place, out: IntArray) -> None:
        """Write where the numbers of whole chords lie; `ChordScores` adds them up.

        :param four: pitches of each voice, shape (4, chords); that of the given voice is the same in all.
        :param out: shape (kinds, chords).
        """
        degrees = [(line - place.tonic) % 12 for line in four]
        sets = 1 << degrees[0] | 1 << degrees[1] | 1 << degrees[2] | 1 << degrees[3]
        bass = degrees[BASS]
        turned = ((sets << 12 | sets) >> bass) & 4095
        types = self.type_of[turned]
        chords = types + self.count * bass
        offset, nothing = self.offset, self.nothing
        np.add(sets, offset["set"] + 4096 * place.minor, out=out[0])
        np.add(chords, offset["chord"] + 12 * self.count * place.end, out=out[1])
        np.add(chords, offset["tune"] + 12 * self.count * (degrees[SOPRANO] + 12 * place.minor), out=out[2])
        own = int(four[self.given, 0])
        starts = self._known_of_chords(own, place)
        np.add(chords, np.array(starts)[:, None], out=out[8:13])
        np.add(voicing(degrees), offset["voicing"], out=out[13])
        if place.before is None:
            for number, name in enumerate(self.chord_kinds):
                if name in nothing:
                    out[number] = nothing[name]
            return
        earlier, earlier_type, earlier_bass = self.chord_before(place.before, place.tonic)
        chord = earlier_type + self.count * earlier_bass
        np.add(chords, offset["change"] + 12 * self.count * chord, out=out[3])
        rise = (bass - earlier_bass) % 12
        np.add(types, offset["progress"] + self.count * (earlier_type + self.count * rise), out=out[4])
        alto, tenor, low = (four[voice] == place.before[voice] for voice in self.others)
        stays = int(own == place.before[self.given])
        rhythm = 8 * (place.beat + BEATS * (place.gap + GAPS * stays))
        np.add(4 * alto + 2 * tenor + 1 * low, offset["held"] + rhythm, out=out[5])
        np.add(sets == earlier, offset["stays"] + 2 * (place.beat + BEATS * place.end), out=out[6])
        leap = np.clip(four[BASS] - place.before[BASS], -LEAP, LEAP) + LEAP
        out[7] = offset["bass"] + leap + LEAPS * (bass + 12 * place.end)
        moves = [moved(line - last, voice) for voice, (line, last) in enumerate(zip(four, place.before, strict=True))]
        out[14] = offset["moves"] + moves[0] + moves[1] + moves[2] + moves[3]
        for number, (name, turn) in enumerate(zip(TURNS, turns_of(voicing(degrees), place.before), strict=True), 15):
            np.add(turn, offset[name], out=out[number])
        np.add(VOICINGS * moves[BASS], offset["voicing leap"] + voicing(degrees), out=out[18])
        lower = lower_turn_of(voicing(degrees), place.before, moves[BASS])
        np.add(lower, offset["voicing AT leap"], out=out[19])

    def _known_of_chords(self, pitch: int, place: Place) -> list[int]:
        """Return where the numbers of chords begin by what is known beside them: the kinds from "beat" to "path"."""
        offset, size, line, path = self.offset, 12 * self.count, self.line(pitch, place), self.path(place)
        classes = {"beat": place.beat, "gap": place.gap, "mode": place.minor, "line": line, "path": path}
        return [offset[name] + size * number for name, number in classes.items()]

    def line(self, pitch: int, place: Place) -> int:
        """Return which numbers the kind "line" has for a pitch of the given voice, after its last one."""
        before, tonic = place.before, place.tonic
        return (pitch - tonic) % 12 + 12 * (12 if before is None else (before[self.given] - tonic) % 12)

    def path(self, place: Place) -> int:
        """Return which numbers the kind "path" has after what the bass has sung."""
        before, earlier, tonic = place.before, place.bass_before, place.tonic
        last = 12 if before is None else (before[BASS] - tonic) % 12
        return last + 13 * (12 if earlier is None else (earlier - tonic) % 12)

    def chord_before(self, before: Sequence[int], tonic: int) -> tuple[int, int, int]:
        """Return the set, the type and the bass degree of the chord before, in the key of now."""
        bits = 0
        for pitch in before:
            bits |= 1 << (pitch - tonic) % 12
        bass = (before[3] - tonic) % 12
        return bits, int(self.type_of[(bits << 12 | bits) >> bass & 4095]), bass


_AFTER = ("change", "progress", "held", "stays", "bass", "moves", "voicing leap", *TURNS, "voicing AT leap")
"""Kinds of chords that say nothing where nothing has sounded."""


def _step(distance: IntArray, limit: int) -> IntArray:
    """Return which of 2 · limit + 1 classes a distance is of; those beyond count as the nearest."""
    return np.clip(distance, -limit, limit) + limit


def end_class(chance: float) -> int:
    """Return the class of the probability that a phrase ends."""
    return bisect_right(ENDS, chance)
