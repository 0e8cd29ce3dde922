"""How four parts go together: figures of a harmonised tune, to be held against the corpus's own.

What is looked at is what sounds at each onset of the soprano. All figures are shares; none is a mark for goodness: what
counts is the distance to the same figure of the corpus.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.counterpoint import CONSONANT, MAJOR_SCALE, MINOR_SCALE, PERFECT
from improviser.core.music.keys import PROFILES

Chords = NDArray[np.int64]
"""What sounds at each onset, shape (onsets, 4): soprano, alto, tenor and bass, as MIDI numbers."""

LETTERS = "SATB"
PAIRS = tuple(combinations(range(4), 2))
TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
SEVENTHS = ((0, 4, 7, 10), (0, 4, 7, 11), (0, 3, 7, 10), (0, 3, 6, 10), (0, 3, 6, 9))
STEP, LEAP = 2, 5
"""A step is at most so many semitones, a leap more than so many."""


@dataclass(frozen=True, slots=True)
class Chord:
    """What a set of pitch classes is.

    :param complete: a whole triad.
    :param seventh: a seventh chord, its fifth may be missing.
    :param known: either, or a triad without its fifth.
    :param root: its root, a pitch class above the lowest note; −1 if it is no chord.
    :param third: semitones from the root to the third.
    :param tense: the pitch class of the seventh, above the lowest note; −1 if there is none.
    """

    complete: bool
    seventh: bool
    known: bool
    root: int = -1
    third: int = 0
    tense: int = -1


def _chords() -> list[Chord]:
    """Return what each set of pitch classes above the lowest note is (bits, 0–4095)."""
    found = [Chord(False, False, False)] * 4096

    def enter(tones: Iterable[int], steps: tuple[int, ...], kind: str) -> None:
        for lowest in tones:
            bits = sum(1 << (tone - lowest) % 12 for tone in tones)
            if not found[bits].known:
                tense = (steps[3] - lowest) % 12 if kind == "seventh" else -1
                found[bits] = Chord(kind == "triad", kind == "seventh", True, -lowest % 12, steps[1], tense)

    for triad in TRIADS:
        enter(triad, triad, "triad")
    for seventh in SEVENTHS:
        enter(seventh, seventh, "seventh")
    for seventh in SEVENTHS[:3]:
        enter((0, seventh[1], seventh[3]), seventh, "seventh")
    for triad in TRIADS[:2]:
        enter(triad[:2], triad, "bare")
    return found


CHORDS = _chords()


@dataclass(slots=True)
class ChoralFigures:
    """Counts, added up over pieces."""

    counts: dict[str, list[float]] = field(default_factory=dict)

    def _add(self, name: str, happened: NDArray[np.bool_] | np.bool_, among: NDArray[np.bool_] | None = None) -> None:
        """Count how often something happened, among all places or some of them."""
        places = np.atleast_1d(happened)
        chosen = places if among is None else places[among]
        count = self.counts.setdefault(name, [0.0, 0.0])
        count[0] += float(chosen.sum())
        count[1] += chosen.size

    def add(self, chords: Chords, tonic: int, *, minor: bool, ends: NDArray[np.bool_] | None = None) -> None:
        """Count one piece.

        :param chords: what sounds at each onset, shape (onsets, 4); no rests.
        :param tonic: pitch class of the key.
        :param ends: at which onsets a phrase ends (a fermata), shape (onsets,), if that is known.
        """
        if not len(chords):
            return
        self._spacing(chords)
        self._motion(chords)
        self._harmony(chords, tonic, ends)
        self._resolution(chords, tonic)
        scale = np.isin(np.arange(12), [*(MINOR_SCALE if minor else MAJOR_SCALE)])
        for one, other in PAIRS:
            consonant = np.isin((chords[:, one] - chords[:, other]) % 12, [*CONSONANT])
            self._add(f"consonant {LETTERS[one]}{LETTERS[other]}", consonant)
        for voice in (1, 2, 3):
            name, line = LETTERS[voice], chords[:, voice]
            moved = np.abs(np.diff(line))
            self._add(f"in scale {name}", scale[(line - tonic) % 12])
            self._add(f"repeats {name}", moved == 0)
            self._add(f"steps {name}", (moved > 0) & (moved <= STEP))
            self._add(f"leaps {name}", moved > LEAP)

    def _spacing(self, chords: Chords) -> None:
        apart = chords[:, :-1] - chords[:, 1:]
        self._add("crossings", (apart < 0).any(axis=1))
        self._add("wide spacing", (apart[:, :2] > 12).any(axis=1))
        now, before = chords[1:], chords[:-1]
        over = (now[:, 1:] > before[:, :-1]).any(axis=1) | (now[:, :-1] < before[:, 1:]).any(axis=1)
        self._add("overlaps", over)
        same = [chords[:, one] == chords[:, other] for one, other in PAIRS]
        self._add("unison with the player", np.any(same[:3], axis=0))
        self._add("unison of parts", np.any(same[3:], axis=0))

    def _motion(self, chords: Chords) -> None:
        moved = np.diff(chords, axis=0)
        for one, other in PAIRS:
            together = moved[:, one] * moved[:, other] > 0
            interval = (chords[:, one] - chords[:, other]) % 12
            same = (interval[1:] == interval[:-1]) & np.isin(interval[1:], [*PERFECT])
            # Of each note: so each pair counts for two thirds of one.
            count = self.counts.setdefault("parallels", [0.0, 0.0])
            count[0] += float((together & same).sum())
            count[1] += len(moved) * 4 / len(PAIRS)

    def _harmony(self, chords: Chords, tonic: int, ends: NDArray[np.bool_] | None) -> None:
        kinds = [CHORDS[bits] for bits in sets_above(chords)]
        complete = np.array([kind.complete for kind in kinds])
        seventh = np.array([kind.seventh for kind in kinds])
        root = np.array([kind.root for kind in kinds])
        self._add("complete triads", complete)
        self._add("triads and sevenths", complete | seventh)
        self._add("no chord", np.array([not kind.known for kind in kinds]))
        fourth = np.array([kind.complete and kind.root == 5 for kind in kinds])
        self._add("6/4 among triads", fourth, complete)
        absolute = chords.min(axis=1) + root
        degree = (absolute - tonic) % 12
        plain = ~seventh & np.array([kind.known and kind.third in (3, 4) for kind in kinds])
        if ends is not None:
            self._add("end on I or V", plain & np.isin(degree, [0, 7]), ends)
            self._add("end in root position", plain & (root == 0), ends)
        self._add("last chord is I", np.atleast_1d(plain[-1] and degree[-1] == 0))
        heard = sets_above(chords, lowest=np.zeros(len(chords), np.int64))
        self._add("harmony changes", heard[1:] != heard[:-1])

    def _resolution(self, chords: Chords, tonic: int) -> None:
        """Count what becomes of leading tones, where the chord is one on V or VII, and of sevenths."""
        kinds = [CHORDS[bits] for bits in sets_above(chords)]
        lowest = chords.min(axis=1)
        root = (lowest + np.array([kind.root for kind in kinds]) - tonic) % 12
        leading = (chords - tonic) % 12 == 11
        dominant = np.array([kind.known for kind in kinds]) & np.isin(root, [7, 11]) & leading.any(axis=1)
        self._add("leading tone doubled", leading.sum(axis=1) > 1, dominant)
        moved = np.diff(chords, axis=0)
        one = dominant & (leading.sum(axis=1) == 1)
        rises = (leading[:-1] & (moved == 1)).any(axis=1)
        self._add("leading tone unresolved", ~rises, one[:-1])
        tense = np.array([kind.tense for kind in kinds])
        is_tense = (tense[:, None] >= 0) & ((chords - lowest[:, None]) % 12 == tense[:, None])
        falls = (is_tense[:-1] & (moved < 0) & (moved >= -STEP)).any(axis=1)
        self._add("seventh unresolved", ~falls, is_tense.any(axis=1)[:-1])

    def figures(self) -> dict[str, float]:
        """Return every figure by name; NaN where there was nothing to count."""
        return {name: part / whole if whole else float("nan") for name, (part, whole) in self.counts.items()}


def sets_above(chords: Chords, lowest: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Return the pitch classes of each chord above its lowest note, as bits, shape (onsets,)."""
    base = chords.min(axis=1) if lowest is None else lowest
    bits: NDArray[np.int64] = np.bitwise_or.reduce(1 << (chords - base[:, None]) % 12, axis=1)
    return bits


def distance(own: dict[str, float], theirs: dict[str, float]) -> float:
    """Return the mean distance between two sets of figures; a figure that one of them lacks does not count."""
    both = [abs(own[name] - theirs[name]) for name in theirs if name in own]
    return float(np.nanmean(both)) if both else float("nan")


def key_by_end(pitches: Iterable[int], last_bass: int) -> tuple[int, bool]:
    """Return the tonic of a piece, which its last bass note is, and whether the key is minor, by all its pitches."""
    histogram = np.bincount(np.fromiter(pitches, np.int64) % 12, minlength=12)
    scores = PROFILES @ histogram
    tonic = last_bass % 12
    return tonic, bool(scores[12 + tonic] > scores[tonic])
