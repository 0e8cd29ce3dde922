"""The genetic algorithm: the fittest survive unchanged, the rest are replaced by their mutated children.

Holland, *Adaptation in Natural and Artificial Systems* (1975); elitism after De Jong (1975). It is the scheme of the
original experiment: the best fifth survives, and each survivor in turn is cloned and mutated until the population is
full again. (`many_parents` breeds better networks, by recombination.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.mutation import Mutation
from improviser.core.evolution.randomness import restored, state_of
from improviser.core.evolution.selection import ranking

GENES_AT_A_TIME = 60_000
"""Children are bred in blocks that stay in the cache, and in memory that need not be fetched from the system anew."""


@dataclass(frozen=True, slots=True)
class Breeding:
    """How the next generation comes about.

    :param mutation: how children differ from what they are copied from.
    :param survivors: the share of the population that lives on unchanged, 0–1; one individual at least.
    """

    mutation: Mutation
    survivors: float = 0.2


class GeneticAlgorithm:
    """Ask for a population, tell its fitness; all randomness comes from `rng`.

    :param first: the first population, shape (population, genome_size).
    """

    def __init__(self, first: Float32Array, breeding: Breeding, rng: np.random.Generator) -> None:
        self._population: Float32Array = np.ascontiguousarray(first, np.float32)
        self._spare: Float32Array = np.empty_like(self._population)
        self._champion: Float32Array = self._population[0]
        self._breeding = breeding
        self._rng = rng

    def ask(self) -> Float32Array:
        """Return the population to score, shape (population, genome_size); the survivors come first, byte for byte.

        It is overwritten by the second `tell` from now.
        """
        return self._population

    def tell(self, fitness: NDArray[np.float64]) -> None:
        """Take the population's fitness, NaN being the worst, and breed the next."""
        order = ranking(fitness)
        self._champion = self._population[order[0]].copy()
        survivors = order[: min(len(order), max(1, round(self._breeding.survivors * len(order))))]
        mothers = np.resize(survivors, len(order) - len(survivors))
        self._spare[: len(survivors)] = self._population[survivors]
        rows = max(1, GENES_AT_A_TIME // self._population.shape[1])
        for start in range(0, len(mothers), rows):
            children = self._breeding.mutation(self._rng, self._population[mothers[start : start + rows]])
            self._spare[len(survivors) + start :][: len(children)] = children
        self._population, self._spare = self._spare, self._population

    @property
    def champion(self) -> Float32Array:
        """The fittest of the population last told of; before that, its first."""
        return self._champion

    def state(self) -> Mapping[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "population": self._population.copy(),
            "champion": self._champion,
            "rng": state_of(self._rng),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._population = np.array(state["population"], np.float32)
        self._spare = np.empty_like(self._population)
        self._champion = state["champion"]
        self._rng = restored(state["rng"])
