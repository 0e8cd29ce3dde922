"""Crossover: a child of two parents."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def uniform(rng: np.random.Generator, mothers: FloatArray, fathers: FloatArray, rate: float) -> FloatArray:
    """Return one child of each pair, shape (pairs, genome): with probability `rate` a coin is tossed for each gene.

    The other children are their mothers' clones. After Syswerda, "Uniform crossover in genetic algorithms" (1989).
    """
    coins = np.unpackbits(rng.integers(0, 256, (len(mothers), -(-mothers.shape[1] // 8)), np.uint8), axis=1)
    crossed = rng.random(len(mothers)) < rate
    from_father = coins[:, : mothers.shape[1]].astype(np.bool_) & crossed[:, None]
    return np.where(from_father, fathers, mothers)
