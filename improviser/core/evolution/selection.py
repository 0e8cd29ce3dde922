"""Selection: who breeds, by truncation of a ranking. NaN is the worst fitness there is."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def ranking(fitness: NDArray[np.float64]) -> Indices:
    """Return the indices of all, the fittest first; equals in their own order."""
    return np.argsort(-fitness, kind="stable")  # NaN is sorted last
