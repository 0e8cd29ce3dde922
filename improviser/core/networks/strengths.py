"""How strongly each viewpoint moves the networks of a choir, in their weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.networks.network import Shape
from improviser.core.networks.viewpoints import Choice, Numbers


def viewpoint_strengths(
    genomes: NDArray[np.float32], shape: Shape, viewpoints: Mapping[str, Choice[Any] | Numbers[Any]]
) -> list[tuple[str, float]]:
    """Return the standard deviation that each viewpoint gives a hidden unit's input, the strongest first.

    Choices are taken as alike, numbers as of order 1. What all choices of a viewpoint have in common is a bias, and
    moves nothing.

    :param genomes: shape (members, genome_size).
    :param viewpoints: in the order of their inputs.
    """
    hidden, inputs = shape.hidden, shape.inputs
    weights = genomes[:, : hidden * inputs].reshape(len(genomes), hidden, inputs).astype(np.float64)
    rows, place = [], 0
    for name, viewpoint in viewpoints.items():
        block = weights[:, :, place : place + viewpoint.size]
        if viewpoint.size == 1:  # a flag: it is there, or nothing is
            block = np.concatenate([block, np.zeros_like(block)], axis=2)
        variance = block.var(axis=2) if isinstance(viewpoint, Choice) else (block**2).sum(axis=2)
        rows.append((name, float(np.sqrt(variance.mean()))))
        place += viewpoint.size
    return sorted(rows, key=lambda row: -row[1])
