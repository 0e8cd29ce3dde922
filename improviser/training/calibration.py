"""Calibration: how much each head of a choir has to say, so that the choir, left to itself, is like its corpus.

A network is bred to expect the next note after notes of the corpus. Playing by itself it follows its own, and what is
cheap in bits, a little chance for each of many wrong notes, is heard in every bar: it leaves the scale and the harmony
too often. A few gains, one for each head of all members, mend that. They are bred by sep-CMA-ES like everything else;
their fitness is the bits on held-out notes, and the distance to the corpus's own figures where that is too large.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.corpus import Duet
from improviser.core.music.counterpoint import Counterpoint, key_of
from improviser.core.networks.network import Shape
from improviser.core.networks.responder import Model
from improviser.training.evaluation import OPENING, answers, improvised

GENERATIONS, POPULATION, STEP_SIZE = 8, 8, 0.12
NOTES, MOST_NOTES = 2500, 5000
"""So many are played each time, at least and at most: the held-out pieces again and again, or the first of them."""
NEAR = 0.015
"""A figure this near to the corpus's own is as good as any nearer; twice as far is what is wanted at most."""
BITS = 3.0
"""What a figure costs that is farther off, for each whole unit."""
RIPE, FEWEST_NOTES = 400, 200
"""Generations, and held-out notes, from which on it is worth it."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """Genomes with gains on their heads, shape (members, genome_size), and these gains by head."""

    genomes: Float32Array
    gains: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Finds the gains of a choir.

    :param build: makes a model of the members' genomes.
    :param bits: returns the bits per note of the members' genomes on held-out notes.
    :param duets: held-out pieces: the player's notes and the voice's own, none of melodies.
    :param seconds: how long it may take; the best that was found by then will do.
    """

    shape: Shape
    build: Callable[[Sequence[Float32Array]], Model]
    bits: Callable[[Float32Array], float]
    duets: Sequence[Duet]
    seed: int
    seconds: float = math.inf

    def __call__(
        self,
        genomes: Float32Array,
        progress: Callable[[float], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Calibrated:
        """Return the genomes, shape (members, genome_size), with the best gains that were found, if any are better.

        :param progress: is told how much is done, 0–1.
        """
        heads, end = self.shape.heads, time.monotonic() + self.seconds
        best = Calibrated(genomes, dict.fromkeys(heads, 1.0))
        if sum(max(0, len(player) - (0 if voice else OPENING)) for player, voice in self.duets) < FEWEST_NOTES:
            return best
        strategy = SepCma(np.zeros(len(heads), np.float32), POPULATION, generator(self.seed, 3), step_size=STEP_SIZE)
        highest = self.fitness(genomes)
        for number in range(GENERATIONS):
            population = strategy.ask()
            fitness = np.full(len(population), np.nan)
            for row, logarithms in enumerate(population):
                if stopped() or time.monotonic() > end:
                    return best
                gains = np.exp(logarithms)
                tried = with_gains(genomes, self.shape, gains)
                fitness[row] = self.fitness(tried)
                if fitness[row] > highest:
                    highest, best = fitness[row], Calibrated(tried, dict(zip(heads, gains.tolist(), strict=True)))
                progress((number * len(population) + row + 1) / (GENERATIONS * len(population)))
            strategy.tell(fitness)
        return best

    def fitness(self, genomes: Float32Array) -> float:
        """Return minus the bits, less what the distance to the corpus costs."""
        model = self.build(list(genomes))
        own, theirs = Counterpoint(), Counterpoint()
        while own.notes < NOTES:
            for piece, voice in self.duets:
                start = 0 if voice else OPENING
                if own.notes >= MOST_NOTES:
                    break
                player = piece[: start + MOST_NOTES - int(own.notes)]
                # The same chance each time: so a difference is one of the gains.
                played = list(improvised(model, player, generator(self.seed, 4, int(own.notes))))
                wanted = (answers(player, voice) if voice else [note.pitch for note in player])[start:]
                heard = [note.pitch for note in player] if voice else []
                tonic, minor = key_of([note.pitch for note in (*player, *voice)])
                pitches, chances = zip(*played, strict=True) if played else ((), ())
                own.expect(pitches, chances, tonic, minor=minor, player=heard)
                theirs.add(wanted, tonic, minor=minor, player=heard)
        return -self.bits(genomes) - BITS * distance(own.figures(), theirs.figures())


def distance(own: dict[str, float], theirs: dict[str, float]) -> float:
    """Return by how much the figures of two voices differ in all, beyond NEAR in each; figures of nothing do not."""
    each = (abs(own[name] - theirs[name]) - NEAR for name in own)
    return sum(max(0.0, far) for far in each if math.isfinite(far))


def with_gains(genomes: Float32Array, shape: Shape, gains: NDArray[np.float32]) -> Float32Array:
    """Return genomes, shape (members, genome_size), whose heads say so many times as much, one gain for each head."""
    changed = genomes.copy()
    outputs = changed[:, shape.first_weights :].reshape(len(genomes), shape.outputs, shape.hidden + 1)
    for head, gain in zip(shape.heads.values(), gains, strict=True):
        outputs[:, head] *= gain
    return changed
