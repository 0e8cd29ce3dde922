"""Breeds the weights of the experts on all that sounds (`core.harmony.context`), and prints what they are worth.

Run it from the repository's folder (three minutes on one core, and two to read the scores at first)::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus python -m tests.benchmarks.context_fit

The player is given one or two voices of Bach's chorales beside the soprano, his tune, and the model answers with the
bass, or the tenor; or all but the lowest notes of keyboard music and quartets in the music21 corpus. Where he plays his
own bass, the one to answer is his, an octave lower, as a double bass goes with the cello. Bred by sep-CMA-ES on bits
per note; every fifth piece is held out, and the figures are those of these pieces.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from improviser import load_model
from improviser.core.evolution.cma import SepCma
from improviser.core.harmony.context import (
    BASS,
    INNER,
    NAMES,
    UNLIKELY,
    Context,
    class_features,
    place_features,
    step_features,
    under,
)
from improviser.core.music.note import PITCHES, Note
from improviser.training.chorales import load_chorales

FloatArray = NDArray[np.float64]
KEYBOARD = (
    "mozart/k545/movement1_exposition.mxl",
    "joplin/maple_leaf_rag.mxl",
    "chopin/mazurka06-2.krn",
    "schumann_clara/polonaise_op1n1.mxl",
    "schumann_clara/polonaise_op1n2.mxl",
    "schumann_clara/polonaise_op1n3.mxl",
    "schumann_clara/polonaise_op1n4.mxl",
    "mozart/k155/movement1.mxl",
    "mozart/k156/movement1.mxl",
    "mozart/k156/movement2.mxl",
    "haydn/opus74no1/movement2.mxl",
    "haydn/opus1no1/movement1.mxl",
)
QUARTER = 0.5
LOWEST = 24
DECAY = 0.01
"""What a weight costs, times its square, so that what never occurs stays where it is."""


@dataclass(frozen=True, slots=True)
class Case:
    """One note to answer: what the network says, what sounds, the own note before, and what was played."""

    logs: FloatArray
    now: Context
    before: int | None
    played: int


def chorale_cases(voice: str, model: str, every: int = 1) -> Iterator[list[Case]]:
    """Yield the cases of each chorale: each of the other voices, or two, given beside the soprano."""
    for piece in load_chorales()[::every]:
        own = piece.voice(voice)
        others = [notes for name, notes in zip(piece.voice_names, piece.voices, strict=True) if name != voice]
        if own is not None:
            tune, inner = others[0], others[1:]
            given = [list(some) for count in (1, 2) for some in combinations(inner, count)]
            yield [case for some in given for case in _cases(model, tune, some, own, is_bass=voice == "bass")]


def keyboard_cases() -> Iterator[list[Case]]:
    """Yield the cases of each piece: what is above the lowest notes, and what supports these."""
    from music21 import corpus

    for name in KEYBOARD:
        notes = [
            Note(int(pitch.midi), float(each.offset) * QUARTER, float(each.quarterLength) * QUARTER)
            for each in corpus.parse(name).flatten().notes
            for pitch in each.pitches
            if each.quarterLength > 0
        ]
        notes.sort(key=lambda note: note.onset_seconds)
        onsets = sorted({round(note.onset_seconds, 4) for note in notes})
        tune, bass, inner = [], [], []
        for onset in onsets:
            struck = [note for note in notes if abs(note.onset_seconds - onset) < 0.001]
            sounding = [note for note in notes if note.onset_seconds <= onset + 0.001 < note.end_seconds]
            if not sounding:
                continue
            top, low = (choose(sounding, key=lambda note: note.pitch) for choose in (max, min))
            if top in struck:
                tune.append(top)
            if low in struck and low is not top:
                bass.append(low)
            inner += [note for note in struck if note is not top and note is not low]
        yield list(_cases("bach-bass", tune, [inner], bass, is_bass=True))
        yield list(_cases("bach-bass", tune, [inner, bass], bass, is_bass=True, lower=12))


def _cases(
    model: str,
    tune: Sequence[Note],
    inner: Sequence[Sequence[Note]],
    own: Sequence[Note],
    *,
    is_bass: bool,
    lower: int = 0,
) -> Iterator[Case]:
    """Yield a case for each own note that is struck while at least two notes sound."""
    responder = load_model(model).responder()
    heard, before = 0, None
    sounding_now = [note for notes in (tune, *inner) for note in notes]
    sounding_now.sort(key=lambda note: note.onset_seconds)
    for note in own:
        onset, played = note.onset_seconds, note.pitch - lower
        while heard < len(tune) and tune[heard].onset_seconds < onset - 0.001:
            told = tune[heard]
            latest = [each for each in own if each.onset_seconds <= told.onset_seconds + 0.001 < each.end_seconds]
            responder.learn(told.pitch, told.onset_seconds, min(64, max(36, latest[-1].pitch)) if latest else None)
            heard += 1
        sounding = frozenset(
            each.pitch for each in sounding_now if each.onset_seconds <= onset + 0.001 < each.end_seconds
        )
        tops = [each for each in tune[max(0, heard - 1) : heard + 1] if each.onset_seconds <= onset + 0.001]
        if len(sounding) < 2 or not tops or not LOWEST <= played < 110:
            continue
        ceiling = min(sounding) if is_bass else PITCHES
        if played < ceiling and played not in sounding:
            now = Context(tops[-1].pitch, sounding, ceiling, bool(lower))
            yield Case(responder.propose(tops[-1].pitch, onset), now, before, played)
            before = played


@dataclass(frozen=True, slots=True)
class Table:
    """The features of cases, shape (cases, experts, 128), which pitches may be, and what was played."""

    features: NDArray[np.float32]
    may_be: NDArray[np.bool_]
    played: NDArray[np.int64]

    @classmethod
    def of(cls, cases: Sequence[Case]) -> "Table":
        rows, may_be, played = [], [], []
        for case in cases:
            folded = under(case.logs, case.now.ceiling)
            free = np.isfinite(folded)
            free[:LOWEST] = False
            free[[*case.now.sounding]] = False
            if not free[case.played]:
                continue
            opinion = np.where(free, np.maximum(folded - folded.max(), -UNLIKELY), 0.0)
            classes = class_features(case.now.classes, case.now.lowest % 12, has_bass=case.now.has_bass)
            steps = np.zeros((2, PITCHES)) if case.before is None else step_features(case.before)
            tiled = np.resize(classes.T, (PITCHES, len(classes))).T
            rows.append(np.concatenate([opinion[np.newaxis], tiled, place_features(case.now.lowest), steps]))
            may_be.append(free)
            played.append(case.played)
        return cls(np.array(rows, np.float32), np.array(may_be), np.array(played))

    def bits(self, weights: FloatArray) -> float:
        """Return bits per note."""
        scores = np.tensordot(self.features, weights.astype(np.float32), axes=(1, 0))
        scores = np.where(self.may_be, scores, -1e9)
        scores -= scores.max(axis=1, keepdims=True)
        own = scores[np.arange(len(scores)), self.played] - np.log(np.exp(scores).sum(axis=1))
        return float(-own.mean() / np.log(2))


def breed(tables: Sequence[Table], start: FloatArray, generations: int, sample: int = 1200) -> FloatArray:
    """Return weights; each table counts as much as the others."""
    rng = np.random.default_rng(1)
    strategy = SepCma(start.astype(np.float32), 24, rng, step_size=0.3, averaging=0.95)
    for generation in range(generations):
        some = []
        for table in tables:
            chosen = rng.integers(len(table.played), size=sample)
            some.append(Table(table.features[chosen], table.may_be[chosen], table.played[chosen]))
        population = strategy.ask()
        losses = [
            np.mean([table.bits(genome.astype(np.float64)) for table in some]) + DECAY * float(genome @ genome) / 10
            for genome in population
        ]
        strategy.tell(-np.array(losses))
        if generation % 20 == 0:
            print(generation, round(float(min(losses)), 3), flush=True)
    return strategy.champion.astype(np.float64)


def main() -> None:
    """Breed, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=120)
    parser.add_argument("--every", type=int, default=3, help="one chorale in so many")
    generations, every = (vars(parser.parse_args())[name] for name in ("generations", "every"))
    for name, default in (("bass", BASS), ("tenor", INNER)):
        groups = {"chorales": list(chorale_cases(name, f"bach-{name}", every))}
        if name == "bass":
            keyboard = list(keyboard_cases())
            groups |= {"keyboard": keyboard[::2], "own bass": keyboard[1::2]}
        split = {
            group: tuple(
                Table.of([case for number, cases in enumerate(pieces) if (number % 5 == 0) == held for case in cases])
                for held in (False, True)
            )
            for group, pieces in groups.items()
        }
        start = np.array([default.get(each, 0.0) for each in NAMES])
        alone = np.array([1.0 if each == "opinion" else 0.0 for each in NAMES])
        bred = breed([train for train, _ in split.values()], start, generations)
        for group, (_, held) in split.items():
            figures = [f"{held.bits(weights):.3f}" for weights in (alone, start, bred)]
            print(group, len(held.played), "notes; bits alone, before, bred:", *figures)
        print({each: round(float(weight), 2) for each, weight in zip(NAMES, bred, strict=True)}, flush=True)


if __name__ == "__main__":
    main()
