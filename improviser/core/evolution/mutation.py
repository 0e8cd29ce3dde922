"""Mutation: how a child differs from what it was copied from.

A mutation takes genomes, shape (children, genome_size), float32, and returns new ones. `Factor`, `Offset` and
`Selection` are the original's (`Offset` is what it does to matrix layers, the others to object layers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.evolution.noise import normals


class Mutation(Protocol):
    """A way to mutate."""

    def __call__(self, rng: np.random.Generator, genomes: Float32Array) -> Float32Array:
        """Return mutated genomes."""


@dataclass(frozen=True, slots=True)
class Factor:
    """Every weight is multiplied by 1 ± up to `divergence`, in hundredths of it."""

    divergence: float

    def __call__(self, rng: np.random.Generator, genomes: Float32Array) -> Float32Array:
        """Mutate."""
        return genomes * (np.float32(1) + _hundredths(rng, genomes.shape) * np.float32(self.divergence))


@dataclass(frozen=True, slots=True)
class Offset:
    """To every weight a normal number of deviation `divergence` is added."""

    divergence: float

    def __call__(self, rng: np.random.Generator, genomes: Float32Array) -> Float32Array:
        """Mutate."""
        return genomes + normals(rng, *genomes.shape) * np.float32(self.divergence)


@dataclass(frozen=True, slots=True)
class Selection:
    """Of each node's weights the share `divergence`, but at least one, is drawn anew from 0, 0.01 … 1.

    :param matrices: the (nodes, weights of each node) of the layers that a genome consists of, in order.
    """

    divergence: float
    matrices: Sequence[tuple[int, int]]

    def __call__(self, rng: np.random.Generator, genomes: Float32Array) -> Float32Array:
        """Mutate."""
        mutated = genomes.copy()
        if not self.divergence:
            return mutated
        start = 0
        for nodes, weights in self.matrices:
            end = start + nodes * weights
            layer = mutated[:, start:end].reshape(len(genomes), nodes, weights)  # a copy, or a view: written back below
            count = min(weights, max(1, round(abs(self.divergence) * weights)))
            chosen = rng.random(layer.shape, np.float32).argsort(axis=2)[:, :, :count]
            np.put_along_axis(layer, chosen, rng.integers(0, 101, chosen.shape).astype(np.float32) / 100, axis=2)
            mutated[:, start:end] = layer.reshape(len(genomes), -1)
            start = end
        return mutated


def _hundredths(rng: np.random.Generator, shape: tuple[int, ...]) -> Float32Array:
    """Return −1, −0.99 … 1, all equally likely."""
    return rng.integers(-100, 101, shape, np.int8).astype(np.float32) / np.float32(100)
