"""Whether a phrase ends with the note that begins now: its length so far, what the tune does, how long notes were.

Each of these makes it likelier or less likely, by a factor of the odds. The factors were counted, and scaled together.

Where a phrase began is not known for certain either: a note may have been the last one of a phrase, and is the more
likely to have been if the next one was long in coming. So all lengths are followed, each with its probability. The
phrases of a tune often have the same length: so the lengths of finished phrases are counted.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.rhythm import CLASSES, CYCLE, Moment, RhythmTracker
from improviser.errors import ModelError

FloatArray = NDArray[np.float64]

LENGTHS = 40
"""Lengths of phrases are told apart up to so many half pulses; longer ones count as this long."""
STEPS = 4
"""Steps of the tune are told apart up to so many semitones."""
TUNES = 12 * (2 * STEPS + 1)
GAPS = 5
"""Intervals to the next note: half a pulse or less, one, one and a half, two, more."""
KNOWN = (0.5, 1.5, 3.0)
"""So many phrases have ended, at least: before the first of these nothing is known of lengths that come again."""
SHARES = (0.1, 0.3, 0.6)
"""At least such a share of them was as long."""
_SHARES = np.array(SHARES)
AGAIN = 1 + len(KNOWN) * (len(SHARES) + 1)
MOST_ENDED = 32.0
"""Of more phrases than this, older ones are forgotten."""
WAITS = CLASSES + 1
SHAPES = {
    "hazard": (LENGTHS,),
    "tune": (TUNES,),
    "gap": (2, GAPS),
    "again": (AGAIN,),
    "gaps": (WAITS**2,),
    "degrees": (12 * 12 + 1,),
    "beats": (2 * CYCLE,),
}
"""Of the tables."""
FACTORS = ("gaps", "degrees", "beats")
REMEMBERED = 16
SLOWEST = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class EndTables:
    """What was counted of phrases.

    :param hazard: the probability that a note ends a phrase, by half pulses since the phrase began, shape (LENGTHS,).
    :param tune: how much likelier that is by degree and step of the tune, the odds' factor, shape (TUNES,).
    :param gap: how likely the interval to the next note is after a note within a phrase, and after its last one,
        shape (2, GAPS).
    :param again: how much likelier it is by how many phrases before were as long, the odds' factor, shape (AGAIN,).
    :param gaps: the same by the last two intervals, shape (WAITS²,).
    :param degrees: the same by the degrees of the note before and of this one, shape (12 · 12 + 1,).
    :param beats: the same by the place in four pulses since the last long note, or the first, shape (2 · CYCLE,).
    """

    hazard: FloatArray
    tune: FloatArray
    gap: FloatArray
    again: FloatArray
    gaps: FloatArray
    degrees: FloatArray
    beats: FloatArray


def tune_class(degree: int, step: int) -> int:
    """Return the class of a note of the tune, by its degree (0–11) and the step to it in semitones."""
    return degree * (2 * STEPS + 1) + max(-STEPS, min(STEPS, step)) + STEPS


def again_classes(lengths: FloatArray) -> NDArray[np.int64]:
    """Return the class of each length a phrase may have, by how many have ended with each, shape (LENGTHS,)."""
    ended = float(np.add.reduce(lengths))
    known = bisect_right(KNOWN, ended)
    if not known:
        return np.zeros(len(lengths), np.int64)
    classes: NDArray[np.int64] = _SHARES.searchsorted(lengths / ended, side="right")
    classes += 1 + (known - 1) * (len(SHARES) + 1)
    return classes


def factor_places(before: int | None, degree: int, moment: Moment) -> tuple[int, int, int]:
    """Return where in the tables `FACTORS` a note lies, `before` being the degree of the one before it."""
    gap = CLASSES if moment.gap_class is None else moment.gap_class
    earlier = CLASSES if moment.earlier_gap_class is None else moment.earlier_gap_class
    degrees = 144 if before is None else 12 * before + degree
    return WAITS * gap + earlier, degrees, moment.steps + CYCLE * moment.anchored


def gap_class(pulses: float) -> int:
    """Return the class of an interval of so many pulses."""
    return 0 if pulses < 0.75 else 1 if pulses < 1.25 else 2 if pulses < 1.75 else 3 if pulses < 2.5 else 4


def half_pulses(pulses: float) -> int:
    """Return how many half pulses an interval takes: at least one."""
    return max(1, round(2 * min(pulses, SLOWEST)))


class Pulse:
    """Intervals in pulses: the median of the last ones."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        """The pulse; None if there is none yet."""
        self._onset: float | None = None
        self._gaps: deque[float] = deque(maxlen=REMEMBERED)

    def since(self, onset_seconds: float) -> float | None:
        """Return the pulses between the last note and one that begins now; None if there is none."""
        if self._onset is None:
            return None
        gap = onset_seconds - self._onset
        usual = gap if self.seconds is None else self.seconds
        return gap / usual if usual > 0 else 1.0

    def hear(self, onset_seconds: float) -> None:
        """Take in a note."""
        if self._onset is not None and onset_seconds > self._onset:
            self._gaps.append(onset_seconds - self._onset)
            self.seconds = sorted(self._gaps)[(len(self._gaps) - 1) // 2]
        self._onset = onset_seconds


class PhraseEnds:
    """Follows one session."""

    def __init__(self, tables: EndTables) -> None:
        self._tables = tables
        self._pulse = Pulse()
        self._lengths = np.zeros(LENGTHS)
        self._lengths[0] = 1.0
        self._degree: int | None = None
        """That of the last note."""
        self._ended: FloatArray | None = None
        """The probability of each length, and that the last note ended a phrase of it."""
        self._going = self._lengths
        """The same, and that it did not."""
        self._chance = 0.0
        """How likely the last note ended a phrase."""
        self._gap: list[list[float]] = tables.gap.T.tolist()
        self._odds = self._usual = tables.hazard / (1 - tables.hazard)
        self.ended = np.zeros(LENGTHS)
        """How many phrases have ended, by their lengths."""
        self._seen: dict[tuple[int, int], FloatArray] = {}
        """What `_moved` has returned since the last note, by the moment."""

    def look(self, degree: int, step: int, onset_seconds: float, moment: Moment) -> float:
        """Return the probability that a note that begins now ends a phrase; changes nothing.

        :param degree: its degree, 0–11; `step`: semitones from the note before.
        :param moment: its place in the rhythm.
        """
        return float(self._hazards(degree, step, moment).dot(self._moved(onset_seconds)))

    def moment(self, onset_seconds: float) -> tuple[int, int] | None:
        """Return all that matters of an onset."""
        pulses = self._pulse.since(onset_seconds)
        return None if pulses is None else (gap_class(pulses), half_pulses(pulses))

    def hear(self, degree: int, step: int, onset_seconds: float, moment: Moment) -> None:
        """Take in a note of the tune; see `look`."""
        self._remember(onset_seconds)
        self._lengths = self._moved(onset_seconds)
        ends = self._hazards(degree, step, moment)
        self._ended, self._going = self._lengths * ends, self._lengths * (1 - ends)
        self._chance = float(self._lengths.dot(ends))
        self._degree = degree
        self._pulse.hear(onset_seconds)
        self._seen = {}

    def _hazards(self, degree: int, step: int, moment: Moment) -> FloatArray:
        tables = self._tables
        gaps, degrees, beats = factor_places(self._degree, degree, moment)
        factor = tables.gaps.item(gaps) * tables.degrees.item(degrees) * tables.beats.item(beats)
        odds = self._odds * (tables.tune.item(tune_class(degree, step)) * factor)
        hazards: FloatArray = odds / (1 + odds)
        return hazards

    def _remember(self, onset_seconds: float) -> None:
        """Count the phrase that the last note has ended, as far as it has."""
        moment = self.moment(onset_seconds)
        if self._ended is None or moment is None:
            return
        within, after = self._gap[moment[0]]
        ended = self._ended * after
        whole = float(np.add.reduce(ended) + np.add.reduce(self._going) * within)
        if whole > 0 and math.isfinite(whole):
            ended /= whole
            ended += self.ended
            if np.add.reduce(self.ended) >= MOST_ENDED:
                ended *= MOST_ENDED / (MOST_ENDED + 1)
            self.ended = ended
            self._odds = self._usual * self._tables.again.take(again_classes(ended))

    def _moved(self, onset_seconds: float) -> FloatArray:
        """Return how likely each length is once the interval since the last note is known."""
        moment = self.moment(onset_seconds)
        if self._ended is None or moment is None:
            return self._lengths
        if (known := self._seen.get(moment)) is None:
            known = self._seen[moment] = self._moved_by(*moment)
        return known

    def _moved_by(self, gap: int, halves: int) -> FloatArray:
        within, after = self._gap[gap]
        going = self._going * within
        moved = np.zeros(LENGTHS)
        steps = min(halves, LENGTHS - 1)
        moved[steps:] = going[:-steps]
        moved[-1] += np.add.reduce(going[-steps:])
        moved[0] += self._chance * after
        whole = float(np.add.reduce(moved))
        return moved / whole if whole > 0 and math.isfinite(whole) else self._lengths


ROUNDS, DAMPING, SURE = 6, 0.5, 3.0
"""How often factors are scaled, how far, and how many phrases of each kind are taken to have come as expected."""

PhraseNote = tuple[int, int, float, bool]
"""A note of a tune: its degree, the step to it, its onset in seconds, and whether it ends a phrase."""


def count_ends(tunes: Sequence[Sequence[PhraseNote]], prior: float = 2.0) -> EndTables:
    """Count the tables in tunes whose phrases are known."""
    lengths = np.zeros((2, LENGTHS))
    notes = np.zeros((2, TUNES))
    gaps = np.zeros((2, GAPS))
    known = [[*_with_lengths(tune)] for tune in tunes]
    for tune, found in zip(tunes, known, strict=True):
        before = False
        for (degree, step, _, ends), (pulses, length) in zip(tune, found, strict=True):
            if pulses is not None:
                gaps[int(before), gap_class(pulses)] += 1
            lengths[int(ends), length] += 1
            notes[int(ends), tune_class(degree, step)] += 1
            before = ends
    whole = lengths.sum(axis=1)
    share = whole[1] / whole.sum()
    hazard = (lengths[1] + prior * share) / (lengths.sum(axis=0) + prior)
    of_notes = (notes.sum(axis=0) + 1) / (notes.sum() + TUNES)
    likely = (notes + prior * of_notes * TUNES / 12) / (whole[:, None] + prior * TUNES / 12)
    chances = (gaps + 0.5) / (gaps + 0.5).sum(axis=1, keepdims=True)
    ones = [np.ones(SHAPES[name]) for name in ("again", *FACTORS)]
    tables = EndTables(np.clip(hazard, 1e-4, 0.98), likely[1] / likely[0], chances, *ones)
    for _ in range(ROUNDS):
        tables = _scaled(tables, tunes, known)
    return tables


def _with_lengths(tune: Sequence[PhraseNote]) -> Iterator[tuple[float | None, int]]:
    """Yield the pulses before each note, and the half pulses since its phrase began."""
    pulse, length, before = Pulse(), 0, False
    for _, _, onset, ends in tune:
        pulses = pulse.since(onset)
        if pulses is not None:
            length = 0 if before else min(LENGTHS - 1, length + half_pulses(pulses))
        yield pulses, length
        pulse.hear(onset)
        before = ends


def _scaled(
    tables: EndTables, tunes: Sequence[Sequence[PhraseNote]], known: Sequence[Sequence[tuple[float | None, int]]]
) -> EndTables:
    """Return the tables, `again` and `FACTORS` scaled by how many phrases have ended so, beside how many had to."""
    names = ("again", *FACTORS)
    came = {name: np.full(SHAPES[name], SURE) for name in names}
    expected = {name: np.full(SHAPES[name], SURE) for name in names}
    usual = tables.hazard / (1 - tables.hazard)
    for tune, found in zip(tunes, known, strict=True):
        heard, rhythm, before = PhraseEnds(tables), RhythmTracker(), None
        for (degree, step, onset, ends), (_, length) in zip(tune, found, strict=True):
            moment = rhythm.look(onset)
            chance = heard.look(degree, step, onset, moment)
            places = dict(zip(FACTORS, factor_places(before, degree, moment), strict=True))
            heard.hear(degree, step, onset, moment)
            rhythm.hear(onset)
            places["again"] = number = int(again_classes(heard.ended)[length])
            odds = usual[length] * tables.tune[tune_class(degree, step)] * tables.again[number]
            for name, place in places.items():
                odds = odds * getattr(tables, name)[place] if name != "again" else odds
            for name, place in places.items():
                came[name][place] += ends
                expected[name][place] += odds / (1 + odds) if name == "again" else chance
            before = degree
    damped = {name: getattr(tables, name) * (came[name] / expected[name]) ** DAMPING for name in names}
    return replace(tables, **damped)


def checked(tables: Mapping[str, NDArray[np.float64]]) -> EndTables:
    """Return the tables of the ends of phrases, by name.

    :raises ModelError: if they are none.
    """
    sound = {name: table.shape == SHAPES[name] and table.min() > 0 for name, table in tables.items()}
    if set(tables) != set(SHAPES) or not all(sound.values()) or tables["hazard"].max() >= 1:
        raise ModelError("what it knows of the ends of phrases is no table of chances; it is damaged")
    return EndTables(**tables)
