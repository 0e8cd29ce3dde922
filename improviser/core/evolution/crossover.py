"""Crossover: a child of two parents."""

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.evolution.noise import normals


def uniform(rng: np.random.Generator, mothers: Float32Array, fathers: Float32Array, rate: float) -> Float32Array:
    """Return one child of each pair, shape (pairs, genome): with probability `rate` a coin is tossed for each gene.

    The other children are their mothers' clones. After Syswerda, "Uniform crossover in genetic algorithms" (1989).
    """
    # The signs of normal numbers are the coins. As masks of bits they pick genes much faster than a condition would.
    coins = normals(rng, *mothers.shape).view(np.int32)
    coins >>= 31
    coins[rng.random(len(mothers)) >= rate] = 0
    children = mothers.view(np.int32) ^ fathers.view(np.int32)
    children &= coins
    children ^= mothers.view(np.int32)
    return children.view(np.float32)
