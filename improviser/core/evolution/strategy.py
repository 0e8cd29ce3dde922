"""The two things evolution is made of: a task that scores genomes, and a strategy that breeds them (ask, tell)."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array


class Task(Protocol):
    """What a network is evolved to do: it knows the corpus, the network's shape and how to score a population."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in model files."""

    @property
    def genome_size(self) -> int:
        """How many weights a genome has."""

    def first_population(self, rng: np.random.Generator, size: int) -> Float32Array:
        """Return random genomes, shape (size, genome_size)."""

    def batch(self, rng: np.random.Generator) -> Any:
        """Choose what the whole of the next generation is scored on (a minibatch, or the whole corpus)."""

    def fitness(self, population: Float32Array, batch: Any) -> NDArray[np.float64]:
        """Return the fitness of each genome, shape (population,); higher is better."""

    def held_out(self, genome: Float32Array) -> float:
        """Return the fitness of one genome on notes that training never sees."""


class Strategy(Protocol):
    """A way to breed: `ask` for a population, score it, `tell` its fitness."""

    def ask(self) -> Float32Array:
        """Return the next population to score, shape (population, genome_size)."""

    def tell(self, fitness: NDArray[np.float64]) -> None:
        """Take the fitness of the population last asked for; NaN counts as the worst."""

    @property
    def champion(self) -> Float32Array:
        """The genome to keep if evolution stopped now."""

    def state(self) -> Mapping[str, Any]:
        """Everything needed to go on bit for bit: arrays and JSON values, the RNG's state included."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
