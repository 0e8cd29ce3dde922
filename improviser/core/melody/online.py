"""Evolution while somebody plays: a few numbers (see `adaptation`) are bred on all that was heard in the session.

By sep-CMA-ES, some generations at a time, on notes drawn from all heard; far from the model as it is, a candidate pays,
the more the less was heard. Whole genomes bred so overfit (measured: worse than none).

What is bred must prove itself before it is played: on notes that were heard after it was bred, it has to foresee better
than the model without; and left alone it must not go round in circles (`collapsed`): who has heard a riff two hundred
times would play it for ever.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.melody.adaptation import Adaptation, bounded, gains_of, size_of
from improviser.core.melody.model import MelodyModel, frame_of
from improviser.core.music.note import PITCHES

POPULATION, STEP_SIZE, AVERAGING, GENERATIONS = 16, 0.1, 0.9, 10
SAMPLE: Final = 512
"""Notes on which a generation is scored, drawn from all heard."""
KEPT: Final = 4096
"""Notes that are bred on at most: the last ones."""
RESTRAINT: Final = 300.0
"""Bits that one gene, one unit from the model as it is, costs a note, times the number of notes heard."""
WINDOW: Final = 56
"""Pitches around the middle of the register that are scored: those beyond have next to no chance."""
DEAREST: Final = 14.0
"""Nats that a note costs at most: no single one decides."""
FADE: Final = 0.995
"""How much a note counts, for whether the adaptation proves itself, one note later."""
ALONE, CONTEXT, FIGURE, LONGEST_LOOP = 64, 64, 3, 16
"""The test for collapse: notes sung alone, after so many heard; of how many notes a figure is; the longest loop."""
WARMTH: Final = 0.7
"""The temperature that is sung at then."""
LEAST_OTHER: Final = 0.1
"""Of what is sung alone so much must be neither a figure of what was heard last nor one loop."""
_BITS: Final = 1.0 / np.log(2.0)

Told = tuple[int, float]
"""A note that was heard: pitch and onset (seconds)."""


@dataclass(frozen=True, slots=True)
class Round:
    """What came of some generations.

    :param adaptation: what is to be played from now on; None: the model as it is.
    :param without, ahead: bits a note of the model as it is, and with what was bred, on notes heard since that was.
    """

    adaptation: Adaptation | None
    without: float
    ahead: float
    collapsed: bool = False


class OnlineEvolution:
    """Adapts one melody model to one session; the same notes and the same calls give the same adaptations.

    :param base: the digest of the model's genomes.
    """

    def __init__(self, model: MelodyModel, base: str, seed: int = 0) -> None:
        self._model = model
        self._base = base
        self._responder = model.responder()
        self._rows: deque[_Row] = deque(maxlen=KEPT)
        self._fresh: list[_Row] = []
        self._heard: deque[Told] = deque(maxlen=CONTEXT)
        self._rng = generator(seed, 5)
        start = np.zeros(size_of(model.shape), np.float32)
        self._strategy = SepCma(start, POPULATION, generator(seed, 6), step_size=STEP_SIZE, averaging=AVERAGING)
        self.bred: Float32Array | None = None
        """The genes that were bred last, whether they have proved themselves or not."""
        self._costs = np.zeros(3)
        """Of the notes ahead, fading: the model's bits as it is, those with what was bred, and how many notes."""

    def hear(self, pitch: int, onset_seconds: float) -> None:
        """Take in the line's next note."""
        now = self._responder.situation(onset_seconds)
        network, shape = self._model.network, self._model.shape
        rows, fixed, experts = network.opinions(self._model.inputs.read(now), frame_of(now), now.experts)
        frame = frame_of(now)
        first = max(0, min(PITCHES - WINDOW, (shape.low + shape.high - WINDOW) // 2 + frame.shift))
        pitches = np.arange(first, first + WINDOW)
        places = np.stack(
            [
                np.clip(pitches - frame.previous, -shape.reach, shape.reach) + shape.reach,
                shape.intervals + (pitches - frame.tonic) % 12,
                shape.intervals + 12 + np.clip(pitches - frame.shift, shape.low, shape.high) - shape.low,
            ]
        )
        if first <= pitch < first + WINDOW:  # else it costs whatever it costs, adapted or not
            row = _Row(rows[:, pitches], fixed[pitches], experts[:, pitches], places, pitch - first)
            self._fresh.append(row)
        self._responder.follow(pitch, onset_seconds)
        self._heard.append((pitch, onset_seconds))

    def evolve(self, generations: int = GENERATIONS) -> Round | None:
        """Breed some generations on all heard; return what is to be played from now on, None before there is any."""
        proved = self._prove()
        self._rows.extend(self._fresh)
        self._fresh = []
        if not self._rows:
            return None
        for _ in range(generations):
            population = self._strategy.ask()
            self._strategy.tell(-self._cost(bounded(population, self._model.shape)))
        first = self.bred is None
        self.bred = bounded(self._strategy.champion, self._model.shape)
        if first:
            return None
        without, ahead, count = self._costs.tolist()
        # What is offered is newer than what has proved itself by one round, and little else.
        bred = self.adaptation
        collapsed = proved and self.collapses(bred)
        offered = bred if proved and not collapsed else None
        return Round(offered, without / max(count, 1e-9), ahead / max(count, 1e-9), collapsed)

    @property
    def adaptation(self) -> Adaptation:
        """What was bred last, whether it has proved itself or not."""
        genes = np.zeros(size_of(self._model.shape), np.float32) if self.bred is None else self.bred
        return Adaptation(self._model.name, self._base, genes)

    def _prove(self) -> bool:
        """Score what was bred on the notes heard since; return whether it foresees better than the model as it is."""
        if self.bred is None or not self._fresh:
            return bool(self._costs[1] < self._costs[0])
        lesson = _Lesson(self._fresh, gains_of(self._model.shape))
        for without, ahead in zip(lesson.nats(np.zeros_like(self.bred)), lesson.nats(self.bred), strict=True):
            self._costs = FADE * self._costs + (without * _BITS, ahead * _BITS, 1.0)
        return bool(self._costs[1] < self._costs[0])

    def _cost(self, population: Float32Array) -> NDArray[np.float64]:
        """Return what each of a population costs, bits a note and the restraint."""
        count = len(self._rows)
        chosen = self._rng.choice(count, min(count, SAMPLE), replace=False)
        lesson = _Lesson([self._rows[number] for number in chosen], gains_of(self._model.shape))
        costs = np.array([float(lesson.nats(genes).mean()) * _BITS for genes in population])
        restraint: NDArray[np.float64] = RESTRAINT / count * (population.astype(np.float64) ** 2).mean(axis=1)
        return costs + restraint

    def collapses(self, adaptation: Adaptation) -> bool:
        """Say whether the model, so adapted, goes on from what was heard last as if it knew nothing else."""
        responder = adaptation.applied_to(self._model).responder()
        for pitch, onset in self._heard:
            responder.follow(pitch, onset)
        onsets = [onset for _, onset in self._heard]
        gap = float(np.median(np.diff(onsets))) if len(onsets) > 1 else 0.5
        onset, rng, sung = onsets[-1] if onsets else 0.0, generator(7), []
        for _ in range(ALONE):
            onset += max(gap, 0.05)
            chances = np.exp(responder.proceed(onset) / WARMTH)
            sung.append(int(rng.choice(PITCHES, p=chances / chances.sum())))
            responder.follow(sung[-1], onset, own=True)
        return other_notes([pitch for pitch, _ in self._heard], sung) < LEAST_OTHER


def other_notes(heard: Sequence[int], sung: Sequence[int]) -> float:
    """Return the share of what is sung that is neither heard nor one loop, 0–1.

    That is the notes that end no figure of what was heard, or those that differ from the note a loop before, of the
    loop that fits best; whichever are fewer.
    """
    known = Counter(_figures(heard))
    line = [*heard[-FIGURE:], *sung]
    foreign = sum(figure not in known for figure in _figures(line)) / max(1, len(sung))
    loops = [
        sum(one != other for one, other in zip(sung, islice(sung, period, None), strict=False)) / (len(sung) - period)
        for period in range(1, min(LONGEST_LOOP, len(sung) - 1) + 1)
    ]
    return min([foreign, *loops])


def _figures(pitches: Sequence[int]) -> list[tuple[int, ...]]:
    return [tuple(pitches[end - FIGURE : end + 1]) for end in range(FIGURE, len(pitches))]


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A note that was heard, as the network scores it (see `Network.opinions`), in the window.

    :param places: which outputs do.
    :param pitch: where in the window it is.
    """

    rows: Float32Array
    fixed: Float32Array
    experts: Float32Array
    places: NDArray[np.intp]
    pitch: int


class _Lesson:
    """Notes, stacked, so that any adaptation is scored on all of them at once."""

    def __init__(self, rows: Sequence[_Row], gains: int) -> None:
        self._gains = gains
        count = len(rows)
        self._rows = np.stack([row.rows for row in rows])
        self._rows = np.ascontiguousarray(self._rows.transpose(1, 0, 2)).reshape(gains, -1)
        self._experts = np.stack([row.experts for row in rows]).transpose(1, 0, 2).reshape(-1, count * WINDOW)
        self._fixed = np.stack([row.fixed for row in rows])
        self._places = np.stack([row.places for row in rows], axis=1)
        self._pitches = np.array([row.pitch for row in rows])
        self._order = np.arange(count)

    def nats(self, genes: Float32Array) -> NDArray[np.float64]:
        """Return what each note costs with these genes, in nats."""
        biases = genes[self._gains :]
        # Not by BLAS, whose sums depend on how many threads it has.
        scores = np.einsum("g,gn->n", np.exp(genes[: self._gains]), self._rows)
        scores += np.einsum("g,gn->n", biases[len(biases) - len(self._experts) :], self._experts)
        scores = scores.reshape(self._fixed.shape) + self._fixed
        for places in self._places:
            scores += biases.take(places)
        scores -= scores.max(axis=1, keepdims=True)
        costs = np.log(np.exp(scores).sum(axis=1)) - scores[self._order, self._pitches]
        cheapest: NDArray[np.float64] = np.minimum(costs, DEAREST).astype(np.float64)
        return cheapest
