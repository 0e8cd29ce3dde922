"""An adaptation: what a session has taught a melody model, as a few numbers that are folded into its genomes.

Each head of the choir gets a gain (interval, degree, height, and each expert's gate), each of its outputs a bias, the
same for all members. All are bounded, so that whatever was heard, most of what was bred stays. The model itself is not
changed: an adaptation can be dropped, or half of it taken.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.melody.model import MelodyModel
from improviser.core.networks.network import Shape
from improviser.errors import ModelError

HEADS = 3
"""Those that are no gates: interval, degree, height."""
MOST_GAIN, MOST_BIAS = math.log(2.0), 1.5
"""Nats: the logarithm of the largest gain (its inverse is the smallest), and the largest bias, up and down."""
GENES = "genes"
"""The name of its array in a file."""


def gains_of(shape: Shape) -> int:
    """Return how many gains there are."""
    return HEADS + shape.experts


def size_of(shape: Shape) -> int:
    """Return how many numbers an adaptation of such networks has: the gains' logarithms, then the biases."""
    return gains_of(shape) + shape.outputs


def bounded(genes: NDArray[np.floating], shape: Shape) -> Float32Array:
    """Return genes, shape (…, size), within their bounds."""
    most = np.full(size_of(shape), MOST_BIAS, np.float32)
    most[: gains_of(shape)] = MOST_GAIN
    within: Float32Array = np.clip(genes, -most, most).astype(np.float32)
    return within


def adaptable(model: object) -> bool:
    """Say whether there can be adaptations of a model: a melody model with experts, without rests."""
    return isinstance(model, MelodyModel) and bool(model.shape.experts) and not model.shape.rest


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """What the genes change of the model of this name.

    :param base: the digest of the model's genomes.
    :param genes: float32, shape (size,), see `size_of`; within their bounds.
    """

    model: str
    base: str
    genes: Float32Array

    def part(self, share: float) -> "Adaptation":
        """Return so much of it, 0–1."""
        return Adaptation(self.model, self.base, (share * self.genes).astype(np.float32))

    def applied_to(self, model: MelodyModel) -> MelodyModel:
        """Return the model as it is with this adaptation.

        :raises ModelError: if it is none of this model.
        """
        shape = model.shape
        if not adaptable(model) or self.genes.shape != (size_of(shape),):
            raise ModelError(f"it is no adaptation of {model.name}")
        gains, biases = np.exp(self.genes[: gains_of(shape)]), self.genes[gains_of(shape) :]
        genomes = model.genomes.copy()
        layer = genomes[:, shape.first_weights :].reshape(len(genomes), shape.outputs, shape.hidden + 1)
        layer *= _each(gains, shape)[:, None]
        layer[:, :, -1] += biases
        return MelodyModel(model.name, model.settings, genomes)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Take it apart for a file: settings (JSON values) and arrays."""
        return {"model": self.model, "base": self.base}, {GENES: self.genes}

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Put one together.

        :raises ModelError: if the parts are none of an adaptation, or beyond their bounds.
        """
        name, base, genes = settings.get("model"), settings.get("base"), tensors.get(GENES)
        if not (isinstance(name, str) and isinstance(base, str)) or genes is None or genes.ndim != 1:
            raise ModelError("it does not say what it is an adaptation of; it is damaged")
        if not np.abs(genes).max(initial=0.0) <= MOST_BIAS:
            raise ModelError("it is an adaptation beyond all bounds; it is damaged")
        return cls(name, base, genes.astype(np.float32))


def _each(gains: Float32Array, shape: Shape) -> Float32Array:
    """Return the gain of each output."""
    each = np.ones(shape.outputs, np.float32)
    for gain, head in zip(gains, ("interval", "degree", "height"), strict=False):
        each[shape.heads[head]] = gain
    each[shape.heads["gates"]] = gains[HEADS:]
    return each
