"""Selection: who breeds, by truncation of a ranking or by tournament. NaN is the worst fitness there is."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def ranking(fitness: NDArray[np.float64]) -> Indices:
    """Return the indices of all, the fittest first; equals in their own order."""
    return np.argsort(-fitness, kind="stable")  # NaN is sorted last


def tournament(rng: np.random.Generator, fitness: NDArray[np.float64], count: int, size: int) -> Indices:
    """Return the winners of `count` tournaments between `size` individuals drawn with replacement."""
    places = np.empty(len(fitness), np.intp)
    order = ranking(fitness)
    places[order] = np.arange(len(fitness))
    best: Indices = places[rng.integers(0, len(fitness), (count, size))].min(axis=1)
    return order[best]
