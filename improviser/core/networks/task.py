"""What `harmony` and `melody` networks are evolved to do: to give high probability to the notes that were played."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.randomness import generator
from improviser.core.networks.network import Shape, first_genomes
from improviser.core.networks.notes import Notes, NoteSource
from improviser.core.networks.population import Batch, PopulationScorer, Scorer

MINIBATCH = 512
# How many bits a note a mean squared weight of 1 costs: small weights generalise.
DECAY = 4.0


# The share of inputs that each note of a minibatch is seen without, by lot: what no single input can be relied on for
# must be learned from several (Srivastava et al., "Dropout", JMLR 15, 2014, for the inputs alone).
BLINDNESS = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Minibatch:
    """What one generation is scored on: the numbers of training notes, and a seed for what is not seen of them."""

    chosen: NDArray[np.int64]
    seed: int


class NetworkTask:
    """Scores genomes by their bits per note (negated), less a penalty on large weights.

    :param name: "harmony" or "melody".
    :param shape: shape of a genome.
    :param training: the notes to learn from.
    :param development: the notes that only `held_out` sees; if there are none, it scores on the training notes.
    :param minibatch: notes a generation is scored on; all of them if there are fewer.
    :param decay: bits a note that a mean squared weight of 1 costs.
    :param blindness: the share of inputs that are hidden, 0 ≤ blindness < 1; never the constant one, nor held-out ones.
    :param scorer: scores populations; by default the plain forward pass.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        training: NoteSource,
        development: Notes,
        *,
        minibatch: int = MINIBATCH,
        decay: float = DECAY,
        blindness: float = BLINDNESS,
        scorer: PopulationScorer | None = None,
    ) -> None:
        self.name = name
        self.shape = shape
        self.genome_size = shape.genome_size
        self._training = training
        self._minibatch = min(minibatch, len(training))
        self.decay = decay
        self._blindness = blindness
        self._scorer = Scorer(shape) if scorer is None else scorer
        # If it is to be compiled first (some seconds, once on a machine), then now: no generation waits for it.
        one = self._scorer.lay_out(training.take(np.arange(min(1, len(training)))))
        self._scorer.population_bits(np.zeros((1, shape.genome_size), dtype=np.float32), one)
        self._laid_out: tuple[int, Any] | None = None
        self._held_out = Batch(shape, development if len(development) else training.take(np.arange(len(training))))
        self._held_out_scorer = Scorer(shape)

    def first_population(self, rng: np.random.Generator, size: int) -> Float32Array:
        """Return random genomes, shape (size, genome_size)."""
        return first_genomes(self.shape, rng, size)

    def batch(self, rng: np.random.Generator) -> Minibatch:
        """Return what the next generation is scored on."""
        chosen = rng.choice(len(self._training), self._minibatch, replace=False)
        return Minibatch(chosen, int(rng.integers(2**63)))

    def fitness(self, population: Float32Array, batch: Minibatch) -> NDArray[np.float64]:
        """Return minus bits per note, less the penalty, for each genome; shape (population,)."""
        bits = self._scorer.population_bits(population, self._lay_out(batch))
        squares = np.einsum("pg,pg->p", population, population, dtype=np.float64) / self.genome_size
        bits += self.decay * squares
        return -bits

    def seen(self, batch: Minibatch) -> Notes:
        """Return the notes of a minibatch, without what is hidden of them."""
        notes = self._training.take(batch.chosen)
        return notes.blinded(generator(batch.seed), self._blindness) if self._blindness else notes

    def _lay_out(self, batch: Minibatch) -> Any:
        """Return the minibatch ready for scoring; that of a generation's first chunk serves the others, too."""
        if self._laid_out is None or self._laid_out[0] != batch.seed:
            self._laid_out = batch.seed, self._scorer.lay_out(self.seen(batch))
        return self._laid_out[1]

    def held_out(self, genome: Float32Array) -> float:
        """Return minus the bits per note of one genome on the development notes."""
        return -self._held_out_scorer.mean_bits(genome, self._held_out)

    def choir_bits(self, genomes: Float32Array) -> float:
        """Return the bits per note of a choir, shape (members, genome_size), on the development notes."""
        return choir_bits(self._held_out_scorer, genomes, self._held_out)


def choir_log_probabilities(scorer: Scorer, genomes: Float32Array, batch: Batch) -> Float32Array:
    """Return ln P of every candidate for a choir, shape (candidates, notes): the mean of its members', normalised."""
    logs = np.mean([scorer.log_probabilities(genome, batch) for genome in genomes], axis=0)
    logs -= logs.max(axis=0)
    summed: Float32Array = logs - np.log(np.exp(logs).sum(axis=0))
    return summed


def choir_bits(scorer: Scorer, genomes: Float32Array, batch: Batch) -> float:
    """Return −log2 P of what was played, averaged over the notes, for a choir."""
    played = np.take(choir_log_probabilities(scorer, genomes, batch).reshape(-1), batch.target)
    return float(-played.mean(dtype=np.float64) / np.log(2.0))
