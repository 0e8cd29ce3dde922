"""What `harmony` and `melody` networks are evolved to do: to give high probability to the notes that were played."""

import numpy as np
from numpy.typing import NDArray

from improviser.core.network import Shape, first_genomes
from improviser.core.population import Batch, Notes, Scorer

FloatArray = NDArray[np.float32]

MINIBATCH = 512
# How many bits a note a mean squared weight of 1 costs: small weights generalise.
DECAY = 2.0


class NetworkTask:
    """Scores genomes by their bits per note (negated), less a penalty on large weights.

    :param name: "harmony" or "melody".
    :param shape: shape of a genome.
    :param training: the notes to learn from.
    :param development: the notes that only `held_out` sees; if there are none, it scores on the training notes.
    :param minibatch: notes a generation is scored on; all of them if there are fewer.
    :param decay: bits a note that a mean squared weight of 1 costs.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        training: Notes,
        development: Notes,
        *,
        minibatch: int = MINIBATCH,
        decay: float = DECAY,
    ) -> None:
        self.name = name
        self.shape = shape
        self.genome_size = shape.genome_size
        self._training = training
        self._minibatch = min(minibatch, len(training))
        self._decay = decay
        self._scorer = Scorer(shape)
        self._laid_out: tuple[NDArray[np.int64], Batch] | None = None
        self._held_out = Batch(shape, development if len(development) else training)
        self._held_out_scorer = Scorer(shape)

    def first_population(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Return random genomes, shape (size, genome_size)."""
        return first_genomes(self.shape, rng, size)

    def batch(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the numbers of the training notes that the next generation is scored on."""
        return rng.choice(len(self._training), self._minibatch, replace=False)

    def fitness(self, population: FloatArray, batch: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return minus bits per note, less the penalty, for each genome; shape (population,)."""
        if self._laid_out is None or not np.array_equal(self._laid_out[0], batch):
            self._laid_out = batch, Batch(self.shape, self._training.take(batch))
        bits = self._scorer.population_bits(population, self._laid_out[1])
        squares = np.einsum("pg,pg->p", population, population, dtype=np.float64) / self.genome_size
        bits += self._decay * squares
        return -bits

    def held_out(self, genome: FloatArray) -> float:
        """Return minus the bits per note of one genome on the development notes."""
        return -self._held_out_scorer.mean_bits(genome, self._held_out)

    def choir_bits(self, genomes: FloatArray) -> float:
        """Return the bits per note of a choir, shape (members, genome_size), on the development notes."""
        return choir_bits(self._held_out_scorer, genomes, self._held_out)


def choir_log_probabilities(scorer: Scorer, genomes: FloatArray, batch: Batch) -> FloatArray:
    """Return ln P of every candidate for a choir, shape (candidates, notes): the mean of its members', normalised."""
    logs = np.mean([scorer.log_probabilities(genome, batch) for genome in genomes], axis=0)
    logs -= logs.max(axis=0)
    summed: FloatArray = logs - np.log(np.exp(logs).sum(axis=0))
    return summed


def choir_bits(scorer: Scorer, genomes: FloatArray, batch: Batch) -> float:
    """Return −log2 P of what was played, averaged over the notes, for a choir."""
    played = np.take(choir_log_probabilities(scorer, genomes, batch).reshape(-1), batch.target)
    return float(-played.mean(dtype=np.float64) / np.log(2.0))
