"""A genetic algorithm in which every unit of a child is the mean of several parents', and step sizes are inherited.

The fittest half are parents; the fitter, the more often. A child inherits unit by unit: all weights that lead into a
node come together, as they mean little apart (Montana and Davis, "Training Feedforward Neural Networks Using Genetic
Algorithms", 1989), and are the mean of so many parents' drawn by lot (gene pool recombination: Mühlenbein and Voigt,
1996). Means matter: what was good about the parents is in all of them, and their errors cancel (Beyer, "On the Benefits
of Sex", 1995). Children come as twins, the mutation of one being the other's mirrored (Brockhoff et al., 2010).

How far a weight mutates is inherited and mutates, too (Schwefel, *Numerical Optimization of Computer Models*, 1981),
as the product of two sizes: that of the node and that of what the weight comes from. Sizes are the mean of all parents'
(Bäck and Schwefel, "An Overview of Evolutionary Algorithms for Parameter Optimization", 1993), and are adapted only in
their proportions; over all, mutations grow smaller with the generations. The champion is no single individual, but the
mean of the parents, averaged over the generations.

That is all: nothing is computed from how far successful steps went, as in CMA-ES; no covariance, no path.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.ga import GENES_AT_A_TIME
from improviser.core.evolution.noise import normals
from improviser.core.evolution.randomness import restored, state_of
from improviser.core.evolution.selection import ranking

LOTS = 4096
"""Parents are drawn from a table of so many lots, which is some ten times as fast as by their exact shares."""


@dataclass(frozen=True, slots=True)
class Descent:
    """How the next generation comes about.

    :param parents: the share of the population that breeds, above 0, at most 1.
    :param mixed: how many parents a child has for each of its units, at least 1; one may be drawn more than once.
    :param survivors: the share that lives on unchanged, 0–1; of these, one at least.
    :param mutation: deviation of the first mutations; that of generation t is mutation / (1 + t / calm) ^ fall.
    :param calm: generations.
    :param fall: at least 0.
    :param adaptation: deviation of the mutations of the logarithms of step sizes.
    :param averaging: how much of the champion stays from one generation to the next, 0 ≤ averaging < 1.
    """

    parents: float = 0.5
    mixed: int = 4
    survivors: float = 0.005
    mutation: float = 0.13
    calm: float = 80.0
    fall: float = 0.6
    adaptation: float = 0.2
    averaging: float = 0.98

    def size(self, generation: int) -> float:
        """Return the deviation of a generation's mutations."""
        return float(self.mutation / (1 + generation / self.calm) ** self.fall)


class ManyParents:
    """Ask for a population, tell its fitness; all randomness comes from `rng`.

    :param first: the first population, shape (population, genome_size).
    :param matrices: the (nodes, weights of each node) of the layers that a genome consists of, in order.
    """

    def __init__(
        self, first: Float32Array, matrices: Sequence[tuple[int, int]], descent: Descent, rng: np.random.Generator
    ) -> None:
        self._population: Float32Array = np.array(first, np.float32)
        self._spare: Float32Array = np.empty_like(self._population)
        self._average: Float32Array = np.zeros(first.shape[1], np.float32)
        self._matrices = tuple(matrices)
        self._sizes: Float32Array = np.zeros((len(first), sum(map(sum, matrices))), np.float32)
        """Logarithms of the step sizes: for each matrix those of its nodes, then those of what leads into them."""
        self._descent = descent
        self._generation = 0
        self._rng = rng

    def ask(self) -> Float32Array:
        """Return the population to score, shape (population, genome_size); the survivors come first, byte for byte.

        It is overwritten by the second `tell` from now.
        """
        return self._population

    def tell(self, fitness: NDArray[np.float64]) -> None:
        """Take the population's fitness, NaN being the worst, and breed the next."""
        order = ranking(fitness)
        sound = max(1, int(np.count_nonzero(~np.isnan(fitness))))
        best = order[: min(sound, self._count(self._descent.parents))]
        shares = _shares(len(best))
        weights = shares.astype(np.float32)
        self._generation += 1
        kept = self._descent.averaging
        self._average = kept * self._average + np.float32(1 - kept) * (weights @ self._population[best])
        survivors = order[: self._count(self._descent.survivors)]
        wanted = len(order) - len(survivors)
        sizes = self._mutated_sizes(weights @ self._sizes[best], (wanted + 1) // 2)
        self._spare[: len(survivors)] = self._population[survivors]
        self._breed(self._population[best], shares, sizes, self._spare[len(survivors) :])
        self._population, self._spare = self._spare, self._population
        self._sizes = np.concatenate([self._sizes[survivors], sizes, sizes])[: len(order)]

    def _mutated_sizes(self, sizes: Float32Array, pairs: int) -> Float32Array:
        """Return step sizes for so many pairs, as logarithms whose mean over all genes is 0."""
        drawn = self._rng.standard_normal((pairs, len(sizes)), np.float32)
        drawn *= np.float32(self._descent.adaptation)
        drawn += sizes
        weights = np.concatenate([np.repeat(pair[::-1], pair) for pair in self._matrices]).astype(np.float32)
        # Each gene's has two parts, and both are lessened.
        drawn -= (drawn @ weights)[:, None] / (2 * self._population.shape[1])
        return drawn

    def _breed(
        self, parents: Float32Array, shares: NDArray[np.float64], sizes: Float32Array, children: Float32Array
    ) -> None:
        """Enter two children for each row of step sizes, one twin in each half; of an odd number the last has none."""
        pairs, genes = len(sizes), parents.shape[1]
        units = sum(nodes for nodes, _ in self._matrices)
        lots = self._rng.integers(0, LOTS, (pairs, self._descent.mixed, units), np.uint16)
        drawn = np.searchsorted(shares.cumsum()[:-1], (np.arange(LOTS) + 0.5) / LOTS)[lots]
        rows = max(1, GENES_AT_A_TIME // genes)
        for start in range(0, pairs, rows):
            some = slice(start, start + rows)
            middle, step = self._mixed(parents, drawn[some]), self._steps(sizes[some])
            np.add(middle, step, out=children[:pairs][some])
            twins = children[pairs:][some]
            np.subtract(middle[: len(twins)], step[: len(twins)], out=twins)

    def _steps(self, sizes: Float32Array) -> Float32Array:
        """Return mutations of those sizes, shape (pairs, genes)."""
        steps = normals(self._rng, len(sizes), self._population.shape[1])
        factors = np.exp(sizes)
        over_all = np.float32(self._descent.size(self._generation))
        gene = size = 0
        for nodes, weights in self._matrices:
            layer = steps[:, gene : gene + nodes * weights].reshape(-1, nodes, weights)
            layer *= over_all * factors[:, size : size + nodes, None]
            layer *= factors[:, None, size + nodes : size + nodes + weights]
            gene += nodes * weights
            size += nodes + weights
        return steps

    def _mixed(self, parents: Float32Array, drawn: NDArray[np.intp]) -> Float32Array:
        """Return the mean of the parents that were drawn for each unit of each pair; shape (pairs, genes).

        :param drawn: shape (pairs, mixed, units).
        """
        middle = np.empty((len(drawn), parents.shape[1]), np.float32)
        gene = unit = 0
        for nodes, weights in self._matrices:
            layer = parents[:, gene : gene + nodes * weights].reshape(len(parents), nodes, weights)
            chosen = drawn[:, :, unit : unit + nodes]
            total = layer[chosen[:, 0], np.arange(nodes)]
            for number in range(1, chosen.shape[1]):
                total += layer[chosen[:, number], np.arange(nodes)]
            middle[:, gene : gene + nodes * weights] = total.reshape(len(drawn), -1)
            gene += nodes * weights
            unit += nodes
        middle *= np.float32(1 / self._descent.mixed)
        return middle

    def _count(self, share: float) -> int:
        return min(len(self._population), max(1, round(share * len(self._population))))

    @property
    def champion(self) -> Float32Array:
        """The mean of the parents, averaged over the generations, recent ones weighing most; at first, the first."""
        if self._generation == 0:
            return np.array(self._population[0])
        champion: Float32Array = (self._average / (1 - self._descent.averaging**self._generation)).astype(np.float32)
        return champion

    def state(self) -> Mapping[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "population": self._population.copy(),
            "sizes": self._sizes.copy(),
            "average": self._average.copy(),
            "generation": self._generation,
            "rng": state_of(self._rng),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._population = np.array(state["population"], np.float32)
        self._spare = np.empty_like(self._population)
        self._sizes = np.array(state["sizes"], np.float32)
        self._average = np.array(state["average"], np.float32)
        self._generation = int(state["generation"])
        self._rng = restored(state["rng"])


def _shares(parents: int) -> NDArray[np.float64]:
    """Return how often each of so many parents is drawn, the fittest first: by the logarithm of its rank."""
    shares: NDArray[np.float64] = np.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
    shares /= shares.sum()
    return shares
