"""How the terms of a chorale are fitted: what the corpus has against what the parts by themselves expect.

Iterative scaling, which needs no gradient (Darroch and Ratcliff, "Generalized Iterative Scaling for Log-Linear Models",
1972): each number of a table grows by the logarithm of how much oftener its term came in the corpus than was expected,
damped. Both counts are smoothed, so that what was never seen is not held to be impossible.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.figures import Chords, key_by_end, sets_above
from improviser.core.chorale.ornaments import STEPS
from improviser.core.chorale.session import ChoraleSession, alone, likeliest
from improviser.core.chorale.terms import LOWER, MOTIONS, SOPRANO, UPPER, VOICES
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.corpus import TOLERANCE_SECONDS
from improviser.core.music.counterpoint import PERFECT
from improviser.core.music.note import Note
from improviser.core.music.piece import Piece, sounding_at
from improviser.training.holding import held_over

FloatArray = NDArray[np.float64]

RATE, SMOOTHING = 0.1, 12.0
FEWEST_OF_TYPE = 25
BRED, GENERATIONS, SMALL = 12, 40, 0.05
"""How gains are bred: genomes, generations, and what a mean squared gene of 1 costs in bits."""
CHUNK = 1024


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
    :param of_pairs: see `Terms.of_pairs`, shape (chords, kinds, 6, k, k).
    :param of_chords: see `Terms.of_chords`, shape (chords, kinds, k, k, k).
    :param target: which pitches came, shape (chords, 3).
    :param direct: which pairs of voices have moved with no note between, shape (chords, 6).
    :param outside: log-probability, by the parts alone, of what came where it was not proposed; else NaN.
    """

    own: FloatArray
    of_pairs: NDArray[np.int32]
    of_chords: NDArray[np.int32]
    target: NDArray[np.int64]
    direct: NDArray[np.bool_]
    outside: FloatArray

    def __len__(self) -> int:
        return len(self.target)


def observe(
    model: ChoraleVoices, settings: Iterable[Setting], *, given: bool, candidates: int | None = None
) -> Observations:
    """Play the corpus to the model, whose past is the corpus's own.

    :param given: whether what came is among the pitches to choose from, even if it was not proposed.
    :param candidates: how many pitches of each part there are to choose from; None: as many as when it plays. Fitted
        to fewer, the terms say nothing of what is never among them, and the model plays it.
    """
    count, terms, others = candidates or model.candidates, model.terms, [*model.others]
    own, pairs, chords, targets, direct, outside = [], [], [], [], [], []
    for setting in settings:
        session = ChoraleSession(model)
        for number, note in enumerate(setting.tune):
            came = setting.chords[number, others]
            if not setting.rests[number]:
                opinions = session.look(note.pitch, note.onset_seconds)
                parts = alone(opinions)
                proposed = likeliest(model, parts, count)
                missing = (proposed != came[:, None]).all(axis=1)
                logs = parts[np.arange(3), came].sum()
                outside.append(logs if missing.any() else np.nan)
                for part in np.flatnonzero(missing) if given else ():
                    proposed[part, parts[part, proposed[part]].argmin()] = came[part]
                four = np.insert(proposed, model.given, opinions.given, axis=0)
                of_pairs = np.empty((len(terms.pair_kinds), 6, count, count), np.int64)
                of_chords = np.empty((len(terms.chord_kinds), count, count, count), np.int64)
                terms.of_pairs(four[UPPER], four[LOWER], opinions.place, of_pairs)
                terms.of_chords(four, opinions.place, of_chords)
                own.append(np.take_along_axis(parts, proposed, axis=1))
                pairs.append(of_pairs.astype(np.int32))
                chords.append(of_chords.astype(np.int32))
                targets.append((proposed == came[:, None]).argmax(axis=1))
                moved = setting.between[number]
                direct.append(~(moved[UPPER] | moved[LOWER]))
            session.learn(note.pitch, note.onset_seconds, came.tolist())
    return Observations(
        np.array(own), np.array(pairs), np.array(chords), np.array(targets), np.array(direct), np.array(outside)
    )


def with_given(model: ChoraleVoices, pairs: NDArray[Any]) -> NDArray[Any]:
    """Return the pairs that parts make with the voice that is given, shape (…, 3, k), out of all, (…, 6, k, k)."""
    found = [pairs[..., pair, 0, :] if is_upper else pairs[..., pair, :, 0] for pair, is_upper in model.with_given]
    return np.stack(found, axis=-2)


def summed(model: ChoraleVoices, own: NDArray[Any], pairs: NDArray[Any]) -> NDArray[Any]:
    """Return the scores of combinations by their pitches and pairs, shape (chords, k, k, k).

    :param own: of each part's pitches, shape (chords, 3, k).
    :param pairs: of all pairs, shape (chords, 6, k, k).
    """
    alone = own + with_given(model, pairs)
    one, two, three = (pairs[:, pair] for pair in model.among)
    scores: NDArray[Any] = (alone[:, 0, :, None] + one)[:, :, :, None] + (alone[:, 1, :, None] + three)[:, None]
    scores += (alone[:, 2, None, :] + two)[:, :, None, :]
    return scores


def expected(model: ChoraleVoices, numbers: NDArray[np.float32], some: Observations) -> FloatArray:
    """Return the probability of each combination, shape (chords, k, k, k)."""
    own = model.weights[:, None] * some.own
    scores = numbers[some.of_chords].sum(axis=1) + summed(model, own, numbers[some.of_pairs].sum(axis=1))
    scores -= scores.max(axis=(1, 2, 3), keepdims=True)
    chances: FloatArray = np.exp(scores, out=scores)
    chances /= chances.sum(axis=(1, 2, 3), keepdims=True)
    return chances


def parts_of(some: Observations) -> Iterator[Observations]:
    """Yield the observations in chunks."""
    for start in range(0, len(some), CHUNK):
        chosen = slice(start, start + CHUNK)
        yield Observations(
            some.own[chosen],
            some.of_pairs[chosen],
            some.of_chords[chosen],
            some.target[chosen],
            some.direct[chosen],
            some.outside[chosen],
        )


def bits_per_chord(
    model: ChoraleVoices, numbers: NDArray[np.float32], some: Observations, doubt: float = 0.02
) -> float:
    """Return the mean of −log2 P of what came: with the probability `doubt`, the parts draw each by itself."""
    bits = 0.0
    for chunk in parts_of(some):
        chances = expected(model, numbers, chunk)
        rows = np.arange(len(chunk))
        alone = np.take_along_axis(chunk.own, chunk.target[:, :, None], axis=2)[:, :, 0].sum(axis=1)
        missing = ~np.isnan(chunk.outside)
        alone = np.exp(np.where(missing, chunk.outside, alone))
        joint = np.where(missing, 0.0, chances[rows, chunk.target[:, 0], chunk.target[:, 1], chunk.target[:, 2]])
        bits -= float(np.log2((1 - doubt) * joint + doubt * alone).sum())
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
    seen = np.zeros(terms.size)
    for chunk in parts_of(some):
        came = np.zeros((len(chunk), *chunk.of_chords.shape[2:]))
        came[np.arange(len(chunk)), *chunk.target.T] = 1.0
        _count(model, chunk, came, seen)
    numbers = model.numbers.copy()
    for number in range(rounds):
        guessed = np.zeros(terms.size)
        for chunk in parts_of(some):
            _count(model, chunk, expected(model, numbers, chunk), guessed)
        step = RATE * np.log((seen + SMOOTHING) / (guessed + SMOOTHING))
        numbers += np.where(fitted, step, 0.0).astype(np.float32)
        watch(number, numbers)
    return numbers


def _count(model: ChoraleVoices, chunk: Observations, chances: FloatArray, counts: FloatArray) -> None:
    """Add the probabilities of combinations to the counts of their terms."""
    size = len(counts)
    for kind in range(chunk.of_chords.shape[1]):
        counts += np.bincount(chunk.of_chords[:, kind].ravel(), chances.ravel(), size)
    upper, outer, lower = chances.sum(axis=3), chances.sum(axis=2), chances.sum(axis=1)
    alone = np.stack([upper.sum(axis=2), upper.sum(axis=1), outer.sum(axis=1)], axis=1)
    inner = np.stack([upper, outer, lower], axis=1)
    apart, among = [pair for pair, _ in model.with_given], [*model.among]
    for kind, name in enumerate(model.terms.pair_kinds):
        direct = chunk.direct if name in MOTIONS else np.ones_like(chunk.direct)
        pairs = chunk.of_pairs[:, kind]
        counts += np.bincount(with_given(model, pairs).ravel(), (alone * direct[:, apart, None]).ravel(), size)
        counts += np.bincount(pairs[:, among].ravel(), (inner * direct[:, among, None, None]).ravel(), size)


class Gains:
    """Bits a chord of a model whose parts and kinds of terms have more or less to say, each by a gain; fast.

    :param some: chords; those that were not proposed are left out.
    """

    def __init__(self, model: ChoraleVoices, some: Observations) -> None:
        terms, count, numbers = model.terms, some.own.shape[2], model.numbers
        own = model.weights[:, None] * some.own
        nothing = np.zeros_like(own)
        rows: list[NDArray[np.floating]] = [
            own[:, 0, :, None, None],
            own[:, 1, None, :, None],
            own[:, 2, None, None, :],
        ]
        rows += [summed(model, nothing, numbers[some.of_pairs[:, kind]]) for kind in range(len(terms.pair_kinds))]
        rows += [numbers[some.of_chords[:, kind]] for kind in range(len(terms.chord_kinds))]
        proposed = np.isnan(some.outside)
        shape = (len(some), count, count, count)
        all_rows = [np.broadcast_to(row, shape)[proposed].reshape(-1, count**3) for row in rows]
        self._sums = np.array(all_rows, np.float32)
        target = some.target[proposed]
        self._target = (target[:, 0] * count + target[:, 1]) * count + target[:, 2]

    def bits(self, gains: FloatArray) -> float:
        """Return the bits a chord with these gains, those of the parts first, then those of the kinds."""
        scores: FloatArray = np.tensordot(gains.astype(np.float32), self._sums, axes=1)
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores[np.arange(len(scores)), self._target] - np.log(np.exp(scores).sum(axis=1, dtype=np.float64))
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
