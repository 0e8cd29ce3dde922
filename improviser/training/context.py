"""Breeds how much each of the experts on all that sounds counts (`core.harmony.context`), on music with chords.

A choir is bred to answer a tune. Where the pieces have more than the tune and the voice, two hands full of notes or
further voices, the player is given those as well, and the weights of the experts are bred by sep-CMA-ES on the bits of
the voice's notes, from the choir's opinion and what sounds. A bass learns two things: to play under notes that have no
bass, and to go with a bass of the player's, which it is to double an octave lower.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float64Array
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.context import (
    NAMES,
    UNLIKELY,
    Context,
    class_features,
    place_features,
    step_features,
    under,
)
from improviser.core.harmony.corpus import TOLERANCE_SECONDS
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.note import PITCHES, Note
from improviser.core.music.piece import Piece, sounding_at
from improviser.core.networks.responder import LogProbabilities

GENERATIONS, POPULATION, STEP_SIZE, SAMPLE = 60, 24, 0.1, 400
PRIOR = 15.0
"""What it costs, in bits of all cases together, that a weight is one away from where it began: with few pieces less is
learned by heart, and what never occurs stays where it is."""
MOST_NOTES, FEWEST = 4000, 120
"""Of the voice's notes so many are learned from at most, and with fewer there is nothing to learn."""
HELD_OUT = 5
"""One piece in so many is held out; of a single piece, its last so-manieth."""
LOWEST, HIGHEST = 24, 110
OCTAVE, OPINION = 12, NAMES.index("opinion")
NEVER = -1e9

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a voice is to answer: the tune, all else that the player plays, and the voice's own notes, by onset.

    :param lower: how many semitones below these it plays: none, or where the player plays them himself an octave.
    """

    tune: Sequence[Note]
    others: Sequence[Note]
    own: Sequence[Note]
    lower: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One note to answer: what the network says, what sounds, the own note before, and what was played."""

    logs: LogProbabilities
    now: Context
    before: int | None
    played: int


def scenes_of(piece: Piece, voice: str, *, is_bass: bool) -> list[Scene]:
    """Return what a piece has to ask of a voice: nothing, if there is no more in it than its tune and the voice.

    Of further voices each is given alone, and all together.
    """
    own = piece.voice(voice)
    if own is None or voice == piece.voice_names[0]:
        return []
    named = zip(piece.voice_names[1:], piece.voices[1:], strict=True)
    others = [notes for name, notes in named if name != voice]
    given = [notes for notes in others if len(others) > 1]
    together = _in_order(*others, piece.inner)
    given += [tuple(together)] if together else []
    scenes = [Scene(piece.voices[0], some, own) for some in given]
    if is_bass and given:
        scenes.append(Scene(piece.voices[0], _in_order(together, own), own, OCTAVE))
    return scenes


def _in_order(*lines: Sequence[Note]) -> list[Note]:
    return sorted((note for line in lines for note in line), key=lambda note: note.onset_seconds)


def cases_of(model: HarmonyModel, scene: Scene) -> Iterator[Case]:
    """Yield a case for each note of the voice that is struck while the player sounds at least two."""
    responder, heard, before = model.responder(), 0, None
    low, high = model.register
    answers = sounding_at(scene.own, [note.onset_seconds for note in scene.tune], tolerance_seconds=TOLERANCE_SECONDS)
    sounding = Sounding(_in_order(scene.tune, scene.others))
    for note in scene.own:
        onset, played = note.onset_seconds, note.pitch - scene.lower
        while heard < len(scene.tune) and scene.tune[heard].onset_seconds < onset - TOLERANCE_SECONDS:
            answer = answers[heard]
            told = None if answer is None else min(max(answer, low), high)
            responder.learn(scene.tune[heard].pitch, scene.tune[heard].onset_seconds, told)
            heard += 1
        begins = heard < len(scene.tune) and scene.tune[heard].onset_seconds <= onset + TOLERANCE_SECONDS
        sounds = sounding.at(onset)
        if len(sounds) < 2 or (not begins and not heard) or not LOWEST <= played < HIGHEST:
            continue
        ceiling = min(sounds) if model.is_bass else PITCHES
        if played < ceiling and played not in sounds:
            tune = scene.tune[heard if begins else heard - 1].pitch
            yield Case(
                responder.propose(tune, onset), Context(tune, sounds, ceiling, bool(scene.lower)), before, played
            )
            before = played


class Sounding:
    """Says what sounds at one moment after the other; `notes` by onset."""

    def __init__(self, notes: Sequence[Note]) -> None:
        self._notes = notes
        self._begun = 0
        self._now: list[Note] = []

    def at(self, onset_seconds: float) -> frozenset[int]:
        """Return the pitches that sound at a moment that is no earlier than any before, or begin with it."""
        until = onset_seconds + TOLERANCE_SECONDS
        while self._begun < len(self._notes) and self._notes[self._begun].onset_seconds <= until:
            self._now.append(self._notes[self._begun])
            self._begun += 1
        self._now = [note for note in self._now if note.end_seconds > until]
        return frozenset(note.pitch for note in self._now)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Cases as arrays, of those pitches that may be in any of them.

    :param features: what each expert says of each pitch, shape (experts, cases, pitches).
    :param may_be: 0 for each pitch that may be, and far below for others, shape (cases, pitches).
    :param played: which of them was, shape (cases,).
    """

    features: NDArray[np.float32]
    may_be: NDArray[np.float32]
    played: NDArray[np.int64]

    @classmethod
    def of(cls, cases: Sequence[Case]) -> "Table":
        """Lay cases out; those are left out in which the voice could not have played what it did."""
        rows, may_be, played = [], [], []
        for case in cases:
            folded = under(case.logs, case.now.ceiling)
            free = np.isfinite(folded)
            free[:LOWEST] = False
            free[[*case.now.sounding]] = False
            if not free[case.played]:
                continue
            opinion = np.where(free, np.maximum(folded - folded.max(), -UNLIKELY), 0.0)
            classes = class_features(case.now.classes, case.now.lowest % 12, case.now.bass)
            tiled = np.resize(classes.T, (PITCHES, len(classes))).T
            steps = np.zeros((2, PITCHES)) if case.before is None else step_features(case.before)
            rows.append(np.concatenate([opinion[np.newaxis], tiled, place_features(case.now.lowest), steps]))
            may_be.append(np.where(free, 0.0, NEVER))
            played.append(case.played)
        allowed = np.array(may_be, np.float32).reshape(len(rows), PITCHES)
        pitches = np.flatnonzero((allowed == 0).any(axis=0))
        features = np.array(rows, np.float32).reshape(len(rows), len(NAMES), PITCHES)[:, :, pitches]
        return cls(
            np.ascontiguousarray(features.swapaxes(0, 1)),
            allowed[:, pitches],
            np.searchsorted(pitches, np.array(played, np.int64)),
        )

    def __len__(self) -> int:
        return len(self.played)

    def drawn(self, chosen: NDArray[np.int64]) -> "Table":
        """Return some of the cases."""
        return Table(np.ascontiguousarray(self.features[:, chosen]), self.may_be[chosen], self.played[chosen])

    def bits(self, weights: Float64Array) -> Float64Array:
        """Return bits per note, shape (n,), by how much each of NAMES counts, shape (n, experts)."""
        cases = len(self)
        flat = self.features.reshape(len(NAMES), -1)
        scores = (weights.astype(np.float32) @ flat).reshape(len(weights), *self.may_be.shape)
        scores += self.may_be
        scores -= scores.max(axis=2, keepdims=True)
        own = scores[:, np.arange(cases), self.played]
        return np.asarray((np.log(np.exp(scores).sum(axis=2)) - own).mean(axis=1) / np.log(2), np.float64)


def breed(
    tables: Sequence[Table],
    start: Float64Array,
    seed: int,
    *,
    generations: int | None = None,
    progress: Progress = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Float64Array:
    """Return weights, as many as NAMES; each table counts as much as the others.

    How much the network's own opinion counts stays: it knows these very pieces by heart, and would be trusted too much.
    """
    rng, prior = generator(seed, 5), PRIOR / min(map(len, tables))
    strategy = SepCma(start.astype(np.float32), POPULATION, rng, step_size=STEP_SIZE, averaging=0.95)
    generations = GENERATIONS if generations is None else generations
    for generation in range(generations):
        if stopped():
            break
        some = [table.drawn(rng.integers(len(table), size=min(SAMPLE, len(table)))) for table in tables]
        population = strategy.ask().astype(np.float64)
        population[:, OPINION] = start[OPINION]
        away = ((population - start) ** 2).sum(axis=1)
        strategy.tell(-(np.mean([table.bits(population) for table in some], axis=0) + prior * away))
        progress((generation + 1) / generations)
    champion = strategy.champion.astype(np.float64)
    champion[OPINION] = start[OPINION]
    return champion


def weights_of(context: Mapping[str, float]) -> Float64Array:
    """Return weights by name as an array, in the order of NAMES."""
    return np.array([context.get(name, 0.0) for name in NAMES])


@dataclass(frozen=True, slots=True, eq=False)
class InContext:
    """A model whose experts were bred, or that is as it was.

    :param scores: bits per note of the held-out pieces, with the weights from before, and with those that were bred;
        empty if there was too little to learn from.
    """

    model: HarmonyModel
    scores: Mapping[str, float]


def bred_in_context(
    model: HarmonyModel,
    pieces: Sequence[Piece],
    seed: int,
    progress: Progress = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
    *,
    generations: int | None = None,
) -> InContext:
    """Return `model` with weights bred on pieces, if these have chords, and it foresees held-out notes better so."""
    tables = _tables(model, pieces)
    if not tables:
        return InContext(model, {})
    before = weights_of(model.context)
    learned = [some for some, _ in tables]
    bred = breed(learned, before, seed, generations=generations, progress=progress, stopped=stopped)
    bits = np.mean([held.bits(np.stack([before, bred])) for _, held in tables], axis=0).tolist()
    if bits[1] < bits[0]:
        context = {name: round(float(weight), 3) for name, weight in zip(NAMES, bred, strict=True) if weight}
        model = HarmonyModel(model.name, replace(model.settings, context=context), model.genomes)
    return InContext(model, {"chord_bits_before": bits[0], "chord_bits": min(bits)})


def _tables(model: HarmonyModel, pieces: Sequence[Piece]) -> list[tuple[Table, Table]]:
    """Return what is learned from and what is held out: without a bass of the player's, and with one."""
    found: dict[bool, list[list[Case]]] = {False: [], True: []}
    counts = {False: 0, True: 0}
    for piece in pieces:
        if all(counts[has_bass] >= MOST_NOTES for has_bass in (False, model.is_bass)):
            break
        cases: dict[bool, list[Case]] = {False: [], True: []}
        for scene in scenes_of(piece, model.settings.voice, is_bass=model.is_bass):
            if counts[bool(scene.lower)] < MOST_NOTES:
                cases[bool(scene.lower)] += cases_of(model, scene)
        for has_bass, some in cases.items():
            found[has_bass].append(some)
            counts[has_bass] += len(some)
    tables = []
    for of_pieces in found.values():
        learned, held = (Table.of(some) for some in _parted(of_pieces))
        if len(learned) >= FEWEST and len(held) >= FEWEST // HELD_OUT:
            tables.append((learned, held))
    return tables


def _parted(of_pieces: Sequence[list[Case]]) -> tuple[list[Case], list[Case]]:
    """Return the cases to learn from, and those held out."""
    if len(of_pieces) == 1:
        cut = len(of_pieces[0]) - len(of_pieces[0]) // HELD_OUT
        return of_pieces[0][:cut], of_pieces[0][cut:]
    learned: list[Case] = []
    held: list[Case] = []
    for number, cases in enumerate(of_pieces):
        (learned if number % HELD_OUT else held).extend(cases)
    return learned, held
