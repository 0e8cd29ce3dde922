"""The network: fully connected linear layers, in two kinds.

*object*: a node's value is the mean, over all nodes of the layer before, of value times weight.
*matrix*: it is their sum, and the output has a weight of its own; a last layer of one node to one.

No layer bends the values, so a whole network is a product of matrices. `outputs` computes it the original's way, node
by node in the original's order, to the last bit. `collapse` multiplies the matrices first: what is left of a network is
one weight for each place of the window, which is what makes a population cheap to score and a note cheap to answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float64Array
from improviser.errors import ModelError

LayerType = Literal["object", "matrix"]
LAYER_TYPES: tuple[LayerType, ...] = get_args(LayerType)

MAX_LAYERS = 16
MAX_NODES = 4096
MAX_WEIGHT = 1e6


@dataclass(frozen=True, slots=True)
class EchoShape:
    """The shape of a network: `nodes` in each layer, the window first and the one output last.

    :raises ModelError: for a shape beyond the limits.
    """

    nodes: tuple[int, ...]
    layer_type: LayerType = "object"

    def __post_init__(self) -> None:
        if self.layer_type not in LAYER_TYPES:
            raise ModelError(f"{self.layer_type!r} is no layer type; choose {' or '.join(LAYER_TYPES)}")
        if not (2 <= len(self.nodes) <= MAX_LAYERS and all(1 <= count <= MAX_NODES for count in self.nodes)):
            raise ModelError(f"an echo network has 2–{MAX_LAYERS} layers of 1–{MAX_NODES} nodes")
        if self.nodes[-1] != 1:
            raise ModelError(f"an echo network has one output, not {self.nodes[-1]}")

    @property
    def lookback(self) -> int:
        """How many notes the window holds."""
        return self.nodes[0]

    @property
    def matrices(self) -> tuple[tuple[int, int], ...]:
        """The shape of each weight matrix, (nodes from, nodes to); row n holds the weights of node n."""
        chain = self.nodes if self.layer_type == "object" else (*self.nodes, 1)
        return tuple(pairwise(chain))

    @property
    def genome_size(self) -> int:
        """How many weights there are."""
        return sum(rows * columns for rows, columns in self.matrices)

    def split(self, genomes: NDArray[Any]) -> list[NDArray[Any]]:
        """Return views of the weight matrices of `genomes`, shape (…, genome_size): one (…, rows, columns) each."""
        views = []
        start = 0
        for rows, columns in self.matrices:
            end = start + rows * columns
            views.append(genomes[..., start:end].reshape(*genomes.shape[:-1], rows, columns))
            start = end
        return views

    def collapse(self, genomes: NDArray[Any]) -> Float64Array:
        """Return what each network makes of each place of the window: shape (…, lookback), float64."""
        *others, last = self.split(genomes.astype(np.float64))
        product: Float64Array = last / last.shape[-2] if self.layer_type == "object" else last
        for weights in reversed(others):
            product = weights @ product
            if self.layer_type == "object":
                product /= weights.shape[-2]
        collapsed: Float64Array = product[..., 0]
        return collapsed


@dataclass(frozen=True, slots=True, eq=False)
class EchoNetwork:
    """One network: its shape and its weights, one float64 matrix for each of `shape.matrices`.

    :raises ModelError: if the matrices do not fit the shape, or hold anything but numbers of a sane size.
    """

    shape: EchoShape
    weights: tuple[Float64Array, ...]

    def __post_init__(self) -> None:
        if tuple(matrix.shape for matrix in self.weights) != self.shape.matrices:
            raise ModelError(f"its weights do not fit layers of {', '.join(map(str, self.shape.nodes))} nodes")
        if not all((np.abs(matrix) <= MAX_WEIGHT).all() for matrix in self.weights):  # also false for NaN
            raise ModelError(f"its weights are not numbers between −{MAX_WEIGHT:.0f} and {MAX_WEIGHT:.0f}")

    @classmethod
    def of_genome(cls, shape: EchoShape, genome: NDArray[Any]) -> Self:
        """Return the network of one flat genome."""
        return cls(shape, tuple(matrix.astype(np.float64) for matrix in shape.split(genome)))

    @property
    def genome(self) -> Float64Array:
        """All weights in one row, shape (genome_size,)."""
        return np.concatenate([matrix.ravel() for matrix in self.weights])

    def outputs(self, windows: Float64Array | Sequence[Sequence[float]]) -> Float64Array:
        """Return the raw output for each window, shape (windows,), summed in the original's order."""
        values = np.asarray(windows, np.float64)
        for weights in self.weights:
            totals = np.zeros((len(values), weights.shape[1]))
            for node, row in enumerate(weights):
                totals += values[:, node, None] * row
            values = totals / len(weights) if self.shape.layer_type == "object" else totals
        return values[:, 0]
