"""How the terms of a chorale are fitted: what the corpus has against what the parts by themselves expect.

Iterative scaling, which needs no gradient (Darroch and Ratcliff, "Generalized Iterative Scaling for Log-Linear Models",
1972): each number of a table grows by the logarithm of how much oftener its term came in the corpus than was expected,
damped. Both counts are smoothed, so that what was never seen is not held to be impossible.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.figures import Chords, key_by_end, sets_above
from improviser.core.chorale.ornaments import STEPS
from improviser.core.chorale.session import DOUBT, ChoraleSession, Combinations, Opinions, alone, combine
from improviser.core.chorale.terms import LOWER, MOTIONS, PAIRS, SOPRANO, UPPER, VOICES
from improviser.core.chorale.voices import PARTS, ChoraleVoices
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.corpus import TOLERANCE_SECONDS
from improviser.core.music.counterpoint import PERFECT
from improviser.core.music.note import Note
from improviser.core.music.piece import Piece, sounding_at
from improviser.training.holding import held_over

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RATE = 0.1
SMOOTHING_OF_PAIRS, SMOOTHING_OF_CHORDS = 12.0, 3.0
"""So many of each term are added to what came and to what was expected."""
FEWEST_OF_TYPE = 25
BRED, GENERATIONS, SMALL = 12, 40, 0.05
"""How gains are bred: genomes, generations, and what a mean squared gene of 1 costs in bits."""
CHUNK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A voice, and how the corpus sets it.

    :param given: which voice, 0 (the soprano) to 3 (the bass).
    :param tune: its notes.
    :param chords: what sounds at each of them, shape (notes, 4); who rests is taken to go on.
    :param rests: at which notes somebody rests, shape (notes,).
    :param between: which voices have moved between the note before and this one, shape (notes, 4).
    :param steps: which of `ornaments.STEPS` each voice takes before the next note, shape (notes, 4); −1: none of them.
    :param held: over which notes each voice holds one that has begun before, shape (notes, 4).
    :param ends: at which notes a phrase ends; None if it is not known.
    :param tonic: pitch class of the key; `minor`: its mode.
    """

    name: str
    given: int
    tune: tuple[Note, ...]
    chords: Chords
    rests: NDArray[np.bool_]
    between: NDArray[np.bool_]
    steps: NDArray[np.int64]
    held: NDArray[np.bool_]
    ends: NDArray[np.bool_] | None
    tonic: int
    minor: bool


def setting_of(piece: Piece, given: int = SOPRANO) -> Setting | None:
    """Return a piece in four voices as it is learned from and scored where one is given; None if it has not four."""
    if len(piece.voices) != VOICES or not all(piece.voices):
        return None
    tune = tuple(piece.voices[given])
    onsets = [note.onset_seconds for note in tune]
    lines, rests, between = [], np.zeros(len(tune), np.bool_), np.zeros((len(tune), VOICES), np.bool_)
    steps = np.full((len(tune), VOICES), -1)
    for voice, notes in enumerate(piece.voices):
        line = sounding_at(notes, onsets, tolerance_seconds=TOLERANCE_SECONDS)
        rests |= [pitch is None for pitch in line]
        lines.append(_going_on(line))
        starts = np.array([note.onset_seconds for note in notes])
        for number, (before, now) in enumerate(pairwise(onsets), 1):
            inside = (starts > before + TOLERANCE_SECONDS) & (starts < now - TOLERANCE_SECONDS)
            between[number, voice] = inside.any()
            if inside.any() and (sung := line[number - 1]) is not None:
                step = notes[int(inside.argmax())].pitch - sung
                steps[number - 1, voice] = STEPS.index(step) if step in STEPS else -1
    pitches = [note.pitch for notes in piece.voices for note in notes]
    tonic, minor = key_by_end(pitches, piece.voices[-1][-1].pitch)
    ends = None if piece.context is None else _ends(piece.voices[SOPRANO], piece.context.fermatas, onsets)
    held = np.array([held_over(tune, notes) for notes in piece.voices]).T
    return Setting(piece.name, given, tune, np.array(lines).T.copy(), rests, between, steps, held, ends, tonic, minor)


def _ends(soprano: Sequence[Note], fermatas: Sequence[bool], onsets: Sequence[float]) -> NDArray[np.bool_]:
    """Return with which notes of a voice phrases end: the last that begin before the soprano's fermatas are over."""
    ends = np.zeros(len(onsets), np.bool_)
    for note, is_last in zip(soprano, fermatas, strict=True):
        number = bisect_left(onsets, note.end_seconds - TOLERANCE_SECONDS) - 1
        if is_last and number >= 0:
            ends[number] = True
    return ends


def _going_on(line: Sequence[int | None]) -> list[int]:
    """Return a line with its rests filled by what was sung before."""
    last = next((pitch for pitch in line if pitch is not None), 60)
    filled = []
    for pitch in line:
        last = last if pitch is None else pitch
        filled.append(last)
    return filled


def direct_parallels(settings: Iterable[Setting]) -> float:
    """Return the parallel fifths and octaves a note, of voices that move with no note between."""
    count, notes = 0, 0
    for setting in settings:
        moved = np.diff(setting.chords, axis=0)
        interval = (setting.chords[:, UPPER] - setting.chords[:, LOWER]) % 12
        same = (interval[1:] == interval[:-1]) & np.isin(interval[1:], [*PERFECT])
        together = moved[:, UPPER] * moved[:, LOWER] > 0
        between = setting.between[1:, UPPER] | setting.between[1:, LOWER]
        count += int((same & together & ~between).sum())
        notes += 4 * len(moved)
    return count / notes if notes else 0.0


def types_of(settings: Iterable[Setting]) -> list[int]:
    """Return the sets of pitch classes above the bass that are frequent enough to be types of their own."""
    counts = Counter(bits for setting in settings for bits in sets_above(setting.chords, setting.chords[:, 3]).tolist())
    return sorted(bits for bits, count in counts.items() if count >= FEWEST_OF_TYPE)


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Chords of the corpus as the model comes upon them, each with what it would choose among.

    :param own: the parts' log-probabilities of the pitches proposed, shape (chords, 3, k).
    :param with_given: where the numbers of pairs with the given voice lie, shape (chords, kinds, 3, k).
    :param among: the same of the pairs of `ChoraleVoices.among`, shape (chords, kinds, 3, k, k).
    :param starts: where the combinations of each chord begin, and where the last ones end, shape (chords + 1,).
    :param numbers: of all combinations, see `Combinations`, shape (combinations,).
    :param of_chords: see `Terms.of_chords`, shape (combinations, kinds).
    :param target: which of a chord's combinations came, shape (chords,).
    :param direct: which pairs of voices have moved with no note between, shape (chords, 6).
    :param outside: log-probability, by the parts alone, of what came where it is not chosen among; else NaN.
    """

    own: FloatArray
    with_given: NDArray[np.int32]
    among: NDArray[np.int32]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    of_chords: NDArray[np.int32]
    target: NDArray[np.int64]
    direct: NDArray[np.bool_]
    outside: FloatArray

    def __len__(self) -> int:
        return len(self.target)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Of which chord each combination is, shape (combinations,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def part(self, first: int, last: int) -> "Observations":
        """Return the chords from `first` to before `last`."""
        starts, chosen = self.starts[first : last + 1], slice(first, last)
        combinations = slice(int(starts[0]), int(starts[-1]))
        return Observations(
            self.own[chosen],
            self.with_given[chosen],
            self.among[chosen],
            starts - starts[0],
            self.numbers[combinations],
            self.of_chords[combinations],
            self.target[chosen],
            self.direct[chosen],
            self.outside[chosen],
        )

    @staticmethod
    def joined(some: Sequence["Observations"]) -> "Observations":
        """Return the chords of several."""
        joined = {
            field.name: np.concatenate([getattr(each, field.name) for each in some])
            for field in fields(Observations)
            if field.name != "starts"
        }
        counts = np.concatenate([np.diff(each.starts) for each in some])
        return Observations(**joined, starts=np.concatenate([[0], np.cumsum(counts)]))


def observe(model: ChoraleVoices, settings: Iterable[Setting], *, given: bool) -> Observations:
    """Play the corpus to the model, whose past is the corpus's own.

    What a chord is chosen among is what the model would choose among as it is: so terms are fitted to that.

    :param given: whether what came is among the combinations to choose from, even if it would not be.
    """
    seen = []
    for setting in settings:
        session = ChoraleSession(model)
        for number, note in enumerate(setting.tune):
            came = setting.chords[number, [*model.others]]
            if not setting.rests[number]:
                opinions = session.look(note.pitch, note.onset_seconds)
                seen.append(_observed(model, opinions, came, setting.between[number], given=given))
            session.learn(note.pitch, note.onset_seconds, came.tolist())
    return Observations.joined(seen)


def _observed(
    model: ChoraleVoices, opinions: Opinions, came: IntArray, moved: NDArray[np.bool_], *, given: bool
) -> Observations:
    """Return one chord, `moved` being the voices that have moved since the note before."""
    terms, count, found = model.terms, model.candidates, combine(model, opinions)
    parts, proposed, numbers = alone(opinions), found.proposed, found.numbers
    missing = (proposed != came[:, None]).all(axis=1)
    for part in np.flatnonzero(missing) if given else ():
        proposed[part, parts[part, proposed[part]].argmin()] = came[part]
    own = np.take_along_axis(parts, proposed, axis=1)
    places = (proposed == came[:, None]).argmax(axis=1)
    wanted = np.ravel_multi_index(tuple(places), (count,) * PARTS)
    is_outside = bool((given < missing).any() or wanted not in numbers)
    if given and is_outside:
        numbers, is_outside = np.append(numbers, wanted), False
    four = np.insert(proposed, model.given, opinions.given, axis=0)
    pairs = np.empty((len(terms.pair_kinds), len(PAIRS), count, count), np.int64)
    terms.of_pairs(four[UPPER], four[LOWER], opinions.place, pairs)
    whole = np.insert(Combinations(proposed, numbers, found.scores).pitches, model.given, opinions.given, axis=0)
    chords = np.empty((len(terms.chord_kinds), len(numbers)), np.int64)
    terms.of_chords(whole, opinions.place, chords)
    to_given = [pairs[:, pair, 0, :] if is_upper else pairs[:, pair, :, 0] for pair, is_upper in model.with_given]
    return Observations(
        own[None],
        np.stack(to_given, axis=1)[None].astype(np.int32),
        pairs[None, :, [*model.among]].astype(np.int32),
        np.array([0, len(numbers)]),
        numbers,
        chords.T.astype(np.int32),
        np.array([0 if is_outside else (numbers == wanted).argmax()]),
        ~(moved[UPPER] | moved[LOWER])[None],
        np.array([parts[np.arange(PARTS), came].sum() if is_outside else np.nan]),
    )


def summed(some: Observations, alone: NDArray[Any], among: NDArray[Any]) -> NDArray[Any]:
    """Return the scores of combinations by their pitches and pairs, shape (combinations,).

    :param alone: of each part's pitches, shape (chords, 3, k).
    :param among: of each pair of parts, shape (chords, 3, k, k).
    """
    one, two, three = among[:, 0], among[:, 1], among[:, 2]
    scores: NDArray[Any] = (alone[:, 0, :, None] + one)[:, :, :, None] + (alone[:, 1, :, None] + three)[:, None]
    scores += (alone[:, 2, None, :] + two)[:, :, None, :]
    chosen: NDArray[Any] = scores.reshape(-1).take(some.numbers + scores[0].size * some.owners)
    return chosen


def scored(model: ChoraleVoices, numbers: NDArray[np.float32], some: Observations) -> FloatArray:
    """Return the log-probability of each combination, shape (combinations,)."""
    own = model.weights[:, None] * some.own
    scores = summed(some, own + numbers[some.with_given].sum(axis=1), numbers[some.among].sum(axis=1))
    scores += numbers[some.of_chords].sum(axis=1)
    starts, counts = some.starts[:-1], np.diff(some.starts)
    scores -= np.repeat(np.maximum.reduceat(scores, starts), counts)
    logs: FloatArray = scores - np.repeat(np.log(np.add.reduceat(np.exp(scores), starts)), counts)
    return logs


def parts_of(some: Observations) -> Iterator[Observations]:
    """Yield the observations in chunks."""
    for start in range(0, len(some), CHUNK):
        yield some.part(start, min(start + CHUNK, len(some)))


def bits_per_chord(
    model: ChoraleVoices, numbers: NDArray[np.float32], some: Observations, doubt: float = DOUBT
) -> float:
    """Return the mean of −log2 P of what came: with the probability `doubt`, the parts draw each by itself."""
    bits = 0.0
    for chunk in parts_of(some):
        came = chunk.starts[:-1] + chunk.target
        places = np.unravel_index(chunk.numbers[came], (chunk.own.shape[2],) * PARTS)
        by_itself = chunk.own[np.arange(len(chunk))[:, None], np.arange(PARTS), np.stack(places, axis=1)].sum(axis=1)
        missing = ~np.isnan(chunk.outside)
        by_itself = np.where(missing, chunk.outside, by_itself)
        joint = np.where(missing, 0.0, np.exp(scored(model, numbers, chunk)[came]))
        bits -= float(np.log2((1 - doubt) * joint + doubt * np.exp(by_itself)).sum())
    return bits / len(some)


def fit(
    model: ChoraleVoices,
    some: Observations,
    rounds: int,
    *,
    kinds: Sequence[str] | None = None,
    watch: Callable[[int, NDArray[np.float32]], None] = lambda _round, _numbers: None,
) -> NDArray[np.float32]:
    """Return the numbers of all terms after so many rounds.

    :param kinds: those that are fitted; None: all.
    """
    terms = model.terms
    fitted = np.zeros(terms.size, np.bool_)
    for name in terms.slices if kinds is None else kinds:
        fitted[terms.slices[name]] = True
    smoothing = np.full(terms.size, SMOOTHING_OF_CHORDS)
    for name in terms.pair_kinds:
        smoothing[terms.slices[name]] = SMOOTHING_OF_PAIRS
    seen = np.zeros(terms.size)
    for chunk in parts_of(some):
        came = np.zeros(len(chunk.numbers))
        came[chunk.starts[:-1] + chunk.target] = 1.0
        _count(model, chunk, came, seen)
    numbers = model.numbers.copy()
    for number in range(rounds):
        guessed = np.zeros(terms.size)
        for chunk in parts_of(some):
            _count(model, chunk, np.exp(scored(model, numbers, chunk)), guessed)
        step = RATE * np.log((seen + smoothing) / (guessed + smoothing))
        numbers += np.where(fitted, step, 0.0).astype(np.float32)
        watch(number, numbers)
    return numbers


def _count(model: ChoraleVoices, chunk: Observations, chances: FloatArray, counts: FloatArray) -> None:
    """Add the probabilities of combinations to the counts of their terms."""
    size, proposals = len(counts), chunk.own.shape[2]
    for kind in range(chunk.of_chords.shape[1]):
        counts += np.bincount(chunk.of_chords[:, kind], chances, size)
    whole = np.zeros((len(chunk), proposals**PARTS))
    whole[chunk.owners, chunk.numbers] = chances
    whole = whole.reshape(-1, *(proposals,) * PARTS)
    upper, outer, lower = whole.sum(axis=3), whole.sum(axis=2), whole.sum(axis=1)
    alone = np.stack([upper.sum(axis=2), upper.sum(axis=1), outer.sum(axis=1)], axis=1)
    inner = np.stack([upper, outer, lower], axis=1)
    apart, among = [pair for pair, _ in model.with_given], [*model.among]
    for kind, name in enumerate(model.terms.pair_kinds):
        direct = chunk.direct if name in MOTIONS else np.ones_like(chunk.direct)
        counts += np.bincount(chunk.with_given[:, kind].ravel(), (alone * direct[:, apart, None]).ravel(), size)
        counts += np.bincount(chunk.among[:, kind].ravel(), (inner * direct[:, among, None, None]).ravel(), size)


class Gains:
    """Bits a chord of a model whose parts and kinds of terms have more or less to say, each by a gain; fast.

    :param some: chords; those that are not chosen among are left out.
    """

    def __init__(self, model: ChoraleVoices, some: Observations) -> None:
        numbers, proposed = model.numbers, np.isnan(some.outside)
        own, nothing = model.weights[:, None] * some.own, np.zeros_like(some.own)
        pairs = np.zeros(some.among.shape[:1] + some.among.shape[2:])
        rows = [summed(some, own * (np.arange(PARTS) == part)[:, None], pairs) for part in range(PARTS)]
        rows += [
            summed(some, nothing + numbers[some.with_given[:, kind]], numbers[some.among[:, kind]])
            for kind in range(len(model.terms.pair_kinds))
        ]
        rows += [numbers[kind] for kind in some.of_chords.T]
        kept = proposed[some.owners]
        self._sums = np.array([row[kept] for row in rows], np.float32)
        counts = np.diff(some.starts)[proposed]
        self._starts, self._counts = np.cumsum(counts) - counts, counts
        self._came = self._starts + some.target[proposed]

    def bits(self, gains: FloatArray) -> float:
        """Return the bits a chord with these gains, those of the parts first, then those of the kinds."""
        scores = gains.astype(np.float32) @ self._sums
        scores -= np.repeat(np.maximum.reduceat(scores, self._starts), self._counts)
        logs = scores[self._came] - np.log(np.add.reduceat(np.exp(scores), self._starts, dtype=np.float64))
        return float(-logs.mean() / np.log(2))

    def __len__(self) -> int:
        return len(self._sums)


def balance(gains: Gains, seed: int) -> FloatArray:
    """Return logarithms of gains, bred for few bits: what is fitted to what was seen says too much of what was not."""
    strategy = SepCma(np.zeros(len(gains), np.float32), BRED, generator(seed, 5), step_size=0.15, averaging=0.8)
    for _ in range(GENERATIONS):
        population = strategy.ask().astype(np.float64)
        cost = [gains.bits(np.exp(genome)) + SMALL * float((genome**2).mean()) for genome in population]
        strategy.tell(-np.array(cost))
    return strategy.champion.astype(np.float64)
