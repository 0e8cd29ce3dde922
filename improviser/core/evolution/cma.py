"""The strategy `cma`: sep-CMA-ES, which adapts one step size for each gene and recombines the better half by rank.

Source: Ros and Hansen, "A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity", PPSN X (2008);
constants from Hansen, "The CMA Evolution Strategy: A Tutorial" (2016). Two additions: genomes come in mirrored pairs
(Brockhoff et al., "Mirrored Sampling and Sequential Selection for Evolution Strategies", PPSN XI, 2010), and the
champion is a running average of the means (Polyak and Juditsky, 1992), which is less noisy than any of them.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.noise import normals_in_blocks
from improviser.core.evolution.randomness import restored, state_of

STEP_SIZE = 0.15
AVERAGING = 0.98
PAIRS_AT_A_TIME = 8
"""Genomes that are bred while they are in the cache: memory takes longer than the arithmetic."""


class SepCma:
    """Breeds around a mean genome with a diagonal covariance.

    :param mean: the genome to start from, shape (genome_size,).
    :param population: how many genomes a generation has; an even number, at least 4.
    :param rng: source of all randomness; its state is part of `state`.
    :param step_size: standard deviation of the first generation's genes.
    :param averaging: how much of the champion stays from one generation to the next, 0 ≤ averaging < 1.
    """

    def __init__(
        self,
        mean: Float32Array,
        population: int,
        rng: np.random.Generator,
        *,
        step_size: float = STEP_SIZE,
        averaging: float = AVERAGING,
    ) -> None:
        self._rng = rng
        self._mean = np.array(mean, dtype=np.float32)
        size = self._mean.size
        self._pairs = max(2, (population + 1) // 2)
        self._averaging = averaging
        self._step_size = step_size
        self._variances = np.ones(size, dtype=np.float32)
        self._step_path = np.zeros(size, dtype=np.float32)
        self._shape_path = np.zeros(size, dtype=np.float32)
        self._average = np.zeros(size, dtype=np.float32)
        self._generation = 0
        self._steps: Float32Array = np.empty((2 * self._pairs, size), dtype=np.float32)
        self._population: Float32Array = np.empty_like(self._steps)
        self._chosen: Float32Array = np.empty((self._pairs, size), dtype=np.float32)

        parents = self._pairs
        weights = np.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
        self._weights = (weights / weights.sum()).astype(np.float32)
        effective = 1.0 / float((self._weights**2).sum())
        self._effective = effective
        self._step_rate = (effective + 2) / (size + effective + 5)
        self._step_damping = 1 + 2 * max(0.0, math.sqrt((effective - 1) / (size + 1)) - 1) + self._step_rate
        self._path_rate = (4 + effective / size) / (size + 4 + 2 * effective / size)
        speed_up = (size + 2) / 3
        self._rank_one = min(1.0, speed_up * 2 / ((size + 1.3) ** 2 + effective))
        rank_mu = speed_up * 2 * (effective - 2 + 1 / effective) / ((size + 2) ** 2 + effective)
        self._rank_mu = min(1 - self._rank_one, rank_mu)
        self._expected_length = math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size**2))

    def ask(self) -> Float32Array:
        """Return the next population, shape (population, genome_size)."""
        pairs, deviations, size = self._pairs, np.sqrt(self._variances), np.float32(self._step_size)
        for start, drawn in normals_in_blocks(self._rng, pairs, self._mean.size, PAIRS_AT_A_TIME):
            some, mirrored = slice(start, start + len(drawn)), slice(pairs + start, pairs + start + len(drawn))
            step = np.multiply(drawn, deviations, out=drawn)
            self._steps[some] = step
            np.negative(step, out=self._steps[mirrored])
            step *= size
            np.add(self._mean, step, out=self._population[some])
            np.subtract(self._mean, step, out=self._population[mirrored])
        return self._population

    def tell(self, fitness: NDArray[np.float64]) -> None:
        """Take the fitness of the population last asked for; NaN counts as the worst."""
        ranked = np.argsort(np.where(np.isnan(fitness), -np.inf, fitness), kind="stable")[::-1]
        chosen = self._steps.take(ranked[: self._pairs], axis=0, out=self._chosen, mode="clip")
        step = self._weights @ chosen
        self._generation += 1
        self._mean += np.float32(self._step_size) * step
        self._adapt(chosen, step)
        kept = self._averaging
        self._average = (kept * self._average + (1 - kept) * self._mean).astype(np.float32)

    def _adapt(self, chosen: Float32Array, step: Float32Array) -> None:
        """Move step size and variances towards what was successful; `chosen` is squared on the way."""
        rate = self._step_rate
        self._step_path *= 1 - rate
        self._step_path += math.sqrt(rate * (2 - rate) * self._effective) * step / np.sqrt(self._variances)
        length = float(np.linalg.norm(self._step_path)) / self._expected_length
        grown = math.sqrt(1 - (1 - rate) ** (2 * self._generation))
        stalled = length / grown < 1.4 + 2 / (self._mean.size + 1)
        rate = self._path_rate
        self._shape_path *= 1 - rate
        if stalled:
            self._shape_path += math.sqrt(rate * (2 - rate) * self._effective) * step
        self._variances *= 1 - self._rank_one - self._rank_mu
        self._variances += self._rank_one * self._shape_path**2
        self._variances += self._rank_mu * (self._weights @ np.multiply(chosen, chosen, out=chosen))
        np.maximum(self._variances, 1e-12, out=self._variances)
        self._step_size *= math.exp(min(1.0, (self._step_rate / self._step_damping) * (length - 1)))

    @property
    def champion(self) -> Float32Array:
        """The average of the means so far, recent ones weighing most; before the first `tell`, the mean."""
        if self._generation == 0:
            return self._mean.copy()
        return (self._average / (1 - self._averaging**self._generation)).astype(np.float32)

    @property
    def step_size(self) -> float:
        """The overall step size now."""
        return self._step_size

    def state(self) -> Mapping[str, Any]:
        """Everything needed to go on bit for bit after a `tell`."""
        return {
            "mean": self._mean.copy(),
            "variances": self._variances.copy(),
            "step_path": self._step_path.copy(),
            "shape_path": self._shape_path.copy(),
            "average": self._average.copy(),
            "step_size": self._step_size,
            "generation": self._generation,
            "rng": state_of(self._rng),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._mean = np.array(state["mean"], dtype=np.float32)
        self._variances = np.array(state["variances"], dtype=np.float32)
        self._step_path = np.array(state["step_path"], dtype=np.float32)
        self._shape_path = np.array(state["shape_path"], dtype=np.float32)
        self._average = np.array(state["average"], dtype=np.float32)
        self._step_size = float(state["step_size"])
        self._generation = int(state["generation"])
        self._rng = restored(state["rng"])
