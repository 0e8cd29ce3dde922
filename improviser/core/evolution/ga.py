"""The genetic algorithm: the fittest survive unchanged, the rest are replaced by their mutated children.

Holland, *Adaptation in Natural and Artificial Systems* (1975). With its defaults it is the scheme of the original
experiment: the best fifth survives, and each survivor in turn is cloned and mutated until the population is full again.
With a crossover rate children have two parents; with a tournament the parents are drawn from the whole population
(Goldberg & Deb, "A comparative analysis of selection schemes", 1991); elitism after De Jong (1975).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.crossover import uniform
from improviser.core.evolution.mutation import Mutation
from improviser.core.evolution.randomness import restored, state_of
from improviser.core.evolution.selection import ranking, tournament

GENES_AT_A_TIME = 60_000
"""Children are bred in blocks that stay in the cache, and in memory that need not be fetched from the system anew."""


@dataclass(frozen=True, slots=True)
class Breeding:
    """How the next generation comes about.

    :param mutation: how children differ from what they are copied from.
    :param survivors: the share of the population that lives on unchanged, 0–1; one individual at least.
    :param parents: the share that breeds, 0–1; by default the survivors.
    :param tournament: 0: the fittest breed, each in turn; n > 1: parents are the winners among n drawn at random.
    :param crossover: the share of children that have two parents, 0–1.
    :param sigma: the step size that self-adaptive mutation begins with.
    """

    mutation: Mutation
    survivors: float = 0.2
    parents: float | None = None
    tournament: int = 0
    crossover: float = 0.0
    sigma: float = 0.05


class GeneticAlgorithm:
    """Ask for a population, tell its fitness; all randomness comes from `rng`.

    :param first: the first population, shape (population, genome_size).
    """

    def __init__(self, first: Float32Array, breeding: Breeding, rng: np.random.Generator) -> None:
        self._population: Float32Array = np.ascontiguousarray(first, np.float32)
        self._spare: Float32Array = np.empty_like(self._population)
        self._sigmas: Float32Array = np.full(len(first), breeding.sigma, np.float32)
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
        survivors = order[: self._count(self._breeding.survivors)]
        mothers, fathers = self._parents(fitness, order, len(order) - len(survivors))
        self._spare[: len(survivors)] = self._population[survivors]
        sigmas = [self._sigmas[survivors]]
        rows = max(1, GENES_AT_A_TIME // self._population.shape[1])
        for start in range(0, len(mothers), rows):
            block = slice(start, start + rows)
            children, steps = self._children(mothers[block], fathers[block])
            self._spare[len(survivors) + start :][: len(children)] = children
            sigmas.append(steps)
        self._population, self._spare = self._spare, self._population
        self._sigmas = np.concatenate(sigmas)

    def _children(self, mothers: NDArray[np.intp], fathers: NDArray[np.intp]) -> tuple[Float32Array, Float32Array]:
        """Return a child of each pair, and its step size."""
        children = self._population[mothers]
        sigmas = self._sigmas[mothers]
        if self._breeding.crossover:
            children = uniform(self._rng, children, self._population[fathers], self._breeding.crossover)
            sigmas = np.sqrt(sigmas * self._sigmas[fathers])
        return self._breeding.mutation(self._rng, children, sigmas)

    def _parents(
        self, fitness: NDArray[np.float64], order: NDArray[np.intp], children: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the mother and the father of each child."""
        if self._breeding.tournament:
            pairs = tournament(self._rng, fitness, 2 * children, self._breeding.tournament)
            return pairs[:children], pairs[children:]
        share = self._breeding.survivors if self._breeding.parents is None else self._breeding.parents
        breeders = order[: self._count(share)]
        mothers = np.resize(breeders, children)
        if not self._breeding.crossover:
            return mothers, mothers
        return mothers, breeders[self._rng.integers(0, len(breeders), children)]

    def _count(self, share: float) -> int:
        return min(len(self._population), max(1, round(share * len(self._population))))

    @property
    def champion(self) -> Float32Array:
        """The fittest of the population last told of; before that, its first."""
        return self._champion

    def state(self) -> Mapping[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "population": self._population.copy(),
            "sigmas": self._sigmas,
            "champion": self._champion,
            "rng": state_of(self._rng),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._population = np.array(state["population"], np.float32)
        self._spare = np.empty_like(self._population)
        self._sigmas = state["sigmas"]
        self._champion = state["champion"]
        self._rng = restored(state["rng"])
