"""Several networks that are asked about one note at once: what each says alone, bit for bit, with fewer calls of numpy.

Between two notes of a player the caches are lost, and then a call costs more than what it computes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.networks.network import ALL_HEADS, Frame, Network, starts


class Heard(NamedTuple):
    """What several networks make of a note.

    :param heads: their outputs, shape (networks, outputs).
    :param places: where each head begins among all outputs, spread out, shape (networks, 4, 1).
    """

    heads: Float32Array
    places: NDArray[np.int64]


class Stack:
    """Networks that look at the player's pitch; they score no rests here.

    :param networks: of any size; what they see may differ.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        shapes = [network.shape for network in networks]
        units = [len(network.heads) for network in networks]
        self.inputs = max(shape.inputs for shape in shapes)
        """So many inputs there is room for."""
        self._first = np.zeros((len(shapes), self.inputs, max(units)), np.float32)
        for layer, network in zip(self._first, networks, strict=True):
            layer[: network.first.shape[0], : network.first.shape[1]] = network.first
        # A layer of another size may be added up in another order: these stay as they are when each is alone.
        self._heads = [network.heads for network in networks]
        self._outputs = max(shape.outputs for shape in shapes) + 1
        """Outputs of each, and one that is always nothing."""
        rows = np.arange(len(shapes))[:, None]
        size = ALL_HEADS + max(shape.experts for shape in shapes)
        spread = np.full((len(shapes), size), self._outputs - 1)
        self._bias = np.zeros((len(shapes), size), np.float32)
        for number, network in enumerate(networks):
            last = len(network.spread) - network.shape.experts
            kept = [*range(ALL_HEADS), *range(last, len(network.spread))]
            spread[number, : len(kept)], self._bias[number, : len(kept)] = network.spread[kept], network.bias[kept]
        self._spread = spread + self._outputs * rows
        self._gates, self._gates_bias = self._spread[:, ALL_HEADS:].copy(), self._bias[:, ALL_HEADS:].copy()
        self._begin = (size * np.arange(len(shapes))).tolist()

    def hear(self, inputs: Float32Array, frames: Sequence[Frame]) -> Heard:
        """Return what the networks make of what they see.

        :param inputs: shape (networks, inputs); those that a network has not are 0.
        """
        hidden = np.tanh(inputs[:, None] @ self._first)[:, 0]
        heads = np.zeros((len(hidden), self._outputs), np.float32)
        for own, layer, row in zip(hidden, self._heads, heads, strict=True):
            np.matmul(own[: layer.shape[0]], layer, out=row[: layer.shape[1]])
        places = [[begin + start for start in starts(frame)] for begin, frame in zip(self._begin, frames, strict=True)]
        return Heard(heads, np.array(places)[:, :, None])

    def scores(
        self, heard: Heard, pitches: NDArray[np.int64], experts: NDArray[np.float32]
    ) -> tuple[Float32Array, Float32Array]:
        """Return what each network scores pitches, shape (networks, n), and its gates, shape (networks, gates).

        :param pitches: shape (networks, 1, n).
        :param experts: what the memory of each says of them, shape (networks, gates, n).
        """
        places = heard.places + pitches
        outputs = heard.heads.take(self._spread.take(places))
        outputs += self._bias.take(places)
        scores: Float32Array = np.add.reduce(outputs, axis=1)
        gates = heard.heads.take(self._gates)
        gates += self._gates_bias
        if gates.size:
            scores += (gates[:, None] @ experts)[:, 0]
        return scores, gates
