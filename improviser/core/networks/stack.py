"""Several networks that are asked about one note at once: what each says alone, bit for bit, with fewer calls of numpy.

Between two notes of a player the caches are lost, and then a call costs more than what it computes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.music.note import PITCHES
from improviser.core.networks.network import ALL_HEADS, Frame, Network, starts

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
        gates = max(shape.experts for shape in shapes)
        spread = np.full((len(shapes), ALL_HEADS + gates), self._outputs - 1)
        self._bias = np.zeros(spread.shape, np.float32)
        for number, network in enumerate(networks):
            last = len(network.spread) - network.shape.experts
            kept = [*range(ALL_HEADS), *range(last, len(network.spread))]
            spread[number, : len(kept)], self._bias[number, : len(kept)] = network.spread[kept], network.bias[kept]
        self._spread = spread + self._outputs * rows
        self._places = (spread.shape[1] * rows)[:, :, None] + np.arange(PITCHES)
        """Where the outputs of each begin, and those after them, shape (networks, 1, 128)."""

    def scores(
        self, inputs: Float32Array, frames: Sequence[Frame], experts: NDArray[np.float32]
    ) -> tuple[Float32Array, Float32Array]:
        """Return what each network scores each pitch, shape (networks, 128), and its gates, shape (networks, gates).

        :param inputs: shape (networks, inputs); those that a network has not are 0.
        :param experts: what the memory of each says of all pitches, shape (networks, gates, 128).
        """
        hidden = np.tanh(inputs[:, None] @ self._first)[:, 0]
        heads = np.zeros((len(hidden), self._outputs), np.float32)
        for own, layer, row in zip(hidden, self._heads, heads, strict=True):
            np.matmul(own[: layer.shape[0]], layer, out=row[: layer.shape[1]])
        outputs = heads.take(self._spread)
        outputs += self._bias
        places = np.array([starts(frame) for frame in frames])
        scores: Float32Array = np.add.reduce(outputs.take(places[:, :, None] + self._places), axis=1)
        gates = outputs[:, ALL_HEADS:]
        if gates.size:
            scores += (gates[:, None] @ experts)[:, 0]
        return scores, gates
