"""Shapes, notes and genomes drawn by lot, to score one with another."""

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.networks.network import Shape, first_genomes
from improviser.core.networks.notes import Notes

SHAPES = [
    Shape(inputs=9, hidden=4, low=36, high=64, vertical=True, rest=True),
    Shape(inputs=8, hidden=3, low=57, high=81, reach=7),
    Shape(inputs=12, hidden=2, low=60, high=66, experts=2),
    Shape(inputs=20, hidden=17, low=48, high=69, vertical=True, rest=True, experts=9),
]


def some_notes(shape: Shape, size: int, seed: int = 0) -> Notes:
    """Return notes with two choices among the first inputs, some of them none, and numbers for three of the others."""
    rng = np.random.default_rng(seed)
    rests = rng.random(size) < 0.2 * shape.rest
    choices = np.stack([rng.integers(-1, 2, size), rng.integers(2, 4, size)], axis=1)
    return Notes(
        width=shape.inputs,
        choices=choices.astype(np.int32),
        columns=np.array([4, 5, 6]),
        numbers=rng.standard_normal((size, 3)).astype(np.float32),
        previous=rng.integers(shape.low - 20, shape.high + 21, size),
        tonic=rng.integers(0, 12, size),
        player=rng.integers(57, 82, size),
        target=np.where(rests, -1, rng.integers(shape.low, shape.high + 1, size)),
        experts=rng.standard_normal((size, shape.experts, shape.pitches)).astype(np.float32) if shape.experts else None,
    )


def some_genomes(shape: Shape, size: int, seed: int = 1) -> Float32Array:
    """Return genomes that differ in every gene."""
    rng = np.random.default_rng(seed)
    return first_genomes(shape, rng, size) + rng.standard_normal((size, shape.genome_size), dtype=np.float32) * 0.3
