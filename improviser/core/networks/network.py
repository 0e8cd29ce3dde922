"""The network: viewpoints → one layer of tanh units → heads whose sum scores any pitch.

The output is factorised: instead of one number for each pitch there are a few small heads, read at the pitch in
question::

    score(pitch) = interval[pitch − previous] + degree[(pitch − tonic) mod 12] + height[pitch]
                   (+ vertical[(player − pitch) mod 12])  (+ Σ gate_k · expert_k(pitch))

so that it answers with any of the 128 pitches, in every key, though it was evolved in a few. The logarithms of a
choir's probabilities are averaged; as the normalising constants cancel, that is the mean of the scores, and a choir is
simply one wider network.

A genome is flat float32: for each hidden unit its input weights (the last one the bias), then for each output its
weights from the hidden units (the last one the bias).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.music.note import PITCHES
from improviser.core.networks.memory import LEAST

# Standard deviation of the genes that evolution starts from, in the first layer; the heads start at nothing.
FIRST_WEIGHTS = 0.1
# How far a register may be shifted.
SHIFTS = 120
# Scores fall by this for each semitone outside the register that was evolved.
OUTSIDE = 0.7


@dataclass(frozen=True, slots=True)
class Shape:
    """What a genome is the genome of.

    :param inputs: length of what the network sees, the constant 1 included.
    :param hidden: number of tanh units.
    :param low: lowest pitch of the register.
    :param high: highest pitch of the register.
    :param reach: largest interval, in semitones, that has an output of its own.
    :param vertical: whether it looks at the interval to the player's note.
    :param rest: whether one more output scores a rest.
    :param experts: how many experts of the short-term memory it weighs.
    """

    inputs: int
    hidden: int
    low: int
    high: int
    reach: int = 12
    vertical: bool = False
    rest: bool = False
    experts: int = 0

    @property
    def pitches(self) -> int:
        """Pitches in the register."""
        return self.high - self.low + 1

    @property
    def intervals(self) -> int:
        """Outputs of the interval head."""
        return 2 * self.reach + 1

    @property
    def outputs(self) -> int:
        """All outputs: interval, degree, height, vertical, rest, gates."""
        return self.intervals + 12 + self.pitches + 12 * self.vertical + self.rest + self.experts

    @property
    def heads(self) -> dict[str, slice]:
        """Where each head that there is lies among the outputs."""
        sizes = {
            "interval": self.intervals,
            "degree": 12,
            "height": self.pitches,
            "vertical": 12 * self.vertical,
            "rest": int(self.rest),
            "gates": self.experts,
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True) if size}

    @property
    def first_weights(self) -> int:
        """Genes of the first layer."""
        return self.hidden * self.inputs

    @property
    def matrices(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The (nodes, weights of each node) of the two layers, in the order of the genome."""
        return (self.hidden, self.inputs), (self.outputs, self.hidden + 1)

    @property
    def genome_size(self) -> int:
        """Genes in all."""
        return self.first_weights + self.outputs * (self.hidden + 1)


class Frame(NamedTuple):
    """What the heads are read against.

    :param previous: the voice's previous pitch.
    :param tonic: pitch class of the key.
    :param player: the player's pitch (used by the vertical head alone).
    :param shift: how far the register lies from where it was evolved: a multiple of 12, at most SHIFTS away.
    """

    previous: int
    tonic: int
    player: int = 0
    shift: int = 0


def first_genomes(shape: Shape, rng: np.random.Generator, size: int) -> Float32Array:
    """Return genomes to start from, shape (size, genome_size)."""
    genomes = np.zeros((size, shape.genome_size), dtype=np.float32)
    first = rng.standard_normal((size, shape.first_weights), dtype=np.float32)
    genomes[:, : shape.first_weights] = FIRST_WEIGHTS * first
    if shape.experts:
        layer = genomes[:, shape.first_weights :].reshape(size, shape.outputs, shape.hidden + 1)
        layer[:, shape.outputs - shape.experts :, -1] = 0.5 / shape.experts
    return genomes


class Network:
    """A choir of genomes, ready to score all 128 pitches of one note.

    :param genomes: shape (members, genome_size).
    """

    def __init__(self, shape: Shape, genomes: Float32Array) -> None:
        self.shape = shape
        members = len(genomes)
        first = genomes[:, : shape.first_weights].reshape(members * shape.hidden, shape.inputs)
        self._first = np.ascontiguousarray(first.T, dtype=np.float32)
        heads = genomes[:, shape.first_weights :].reshape(members, shape.outputs, shape.hidden + 1) / members
        self._heads = np.ascontiguousarray(np.concatenate(heads[:, :, :-1], axis=1).T, dtype=np.float32)
        self._spread = _spread(shape)
        bias = heads[:, :, -1].sum(axis=0).astype(np.float32)
        self._outside = _outside(shape, self._spread.size)
        self._bias = bias.take(self._spread) - self._outside

    def scores(
        self, inputs: Float32Array, frame: Frame, experts: NDArray[np.floating] | None = None
    ) -> tuple[Float32Array, Float32Array]:
        """Return the score of each pitch, shape (128,), and the remaining outputs: the rest's score, the gates.

        :param experts: what the memory says, conditioned: of the (shifted) register, shape (experts, pitches), or of
            all pitches, shape (experts, 128).
        """
        heads = np.tanh(inputs.dot(self._first)).dot(self._heads)
        outputs: Float32Array = heads.take(self._spread)
        outputs += self._bias
        interval, tonic = _LAST - frame.previous, _DEGREE + (-frame.tonic) % 12
        scores = outputs[interval : interval + PITCHES] + outputs[tonic : tonic + PITCHES]
        height = _HEIGHT + SHIFTS - frame.shift
        scores += outputs[height : height + PITCHES]
        rest = _VERTICAL
        if self.shape.vertical:
            player = _VERTICAL + (-frame.player) % 12
            scores += outputs[player : player + PITCHES]
            rest += _CYCLES
        if experts is not None and experts.shape[1] == PITCHES:
            scores += outputs[rest + self.shape.rest :].dot(experts)
        elif experts is not None:
            self._add_experts(scores, outputs[rest + self.shape.rest :], experts, frame.shift)
        return scores, outputs[rest:]

    def opinions(
        self, inputs: Float32Array, frame: Frame, experts: NDArray[np.floating]
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """Return the score of each pitch head by head, and what each expert says of it; of networks without rests.

        The first two sum to `scores`: shape (3 + experts, 128), of interval, degree, height and each gate with its
        expert; and (128,), what no head says. The last, shape (experts, 128), is what the gates are multiplied by.
        """
        outputs = (np.tanh(inputs @ self._first) @ self._heads).take(self._spread) + self._bias
        interval, tonic = _LAST - frame.previous, _DEGREE + (-frame.tonic) % 12
        height = _HEIGHT + SHIFTS - frame.shift
        outside = self._outside[height : height + PITCHES]
        known = np.full((len(experts), PITCHES), LEAST, dtype=np.float32)
        low, high = self.shape.low + frame.shift, self.shape.high + frame.shift
        first, last = max(low, 0), min(high, PITCHES - 1)
        known[:, first : last + 1] = experts[:, first - low : last - low + 1]
        rows = np.empty((3 + len(experts), PITCHES), dtype=np.float32)
        rows[0] = outputs[interval : interval + PITCHES]
        rows[1] = outputs[tonic : tonic + PITCHES]
        rows[2] = outputs[height : height + PITCHES] + outside
        rows[3:] = outputs[_VERTICAL:, None] * known
        return rows, -outside, known

    def _add_experts(
        self, scores: Float32Array, gates: Float32Array, experts: NDArray[np.floating], shift: int
    ) -> None:
        """Add what the memory says; outside the register it expects nothing."""
        low, high = self.shape.low + shift, self.shape.high + shift
        first, last = max(low, 0), min(high, PITCHES - 1)
        scores += LEAST * float(gates.sum())
        scores[first : last + 1] += gates @ (experts[:, first - low : last - low + 1] - LEAST)


# Where the spread-out heads begin: interval −127 … 127, degree (two turns and 128), height (shifted too), vertical.
_PLACES = np.arange(-SHIFTS, PITCHES + SHIFTS)
_LAST = PITCHES - 1
_CYCLES = PITCHES + 11
_DEGREE = 2 * PITCHES - 1
_HEIGHT = _DEGREE + _CYCLES
_VERTICAL = _HEIGHT + PITCHES + 2 * SHIFTS


def _spread(shape: Shape) -> NDArray[np.intp]:
    """Return where the outputs lie when they are spread out: every head can then be read as one slice."""
    steps = np.clip(np.arange(-_LAST, PITCHES), -shape.reach, shape.reach) + shape.reach
    turns = np.arange(_CYCLES) % 12
    degrees = shape.intervals + turns
    heights = shape.intervals + 12 + np.clip(_PLACES, shape.low, shape.high) - shape.low
    rows = [steps, degrees, heights]
    offset = shape.intervals + 12 + shape.pitches
    if shape.vertical:
        rows.append(offset + (-turns) % 12)
        offset += 12
    rows.append(np.arange(offset, shape.outputs))
    return np.concatenate(rows).astype(np.intp)


def _outside(shape: Shape, size: int) -> Float32Array:
    """Return what is taken off the spread-out height head for pitches outside the register."""
    penalty = np.zeros(size, dtype=np.float32)
    beyond = np.maximum(shape.low - _PLACES, 0) + np.maximum(_PLACES - shape.high, 0)
    penalty[_HEIGHT:_VERTICAL] = OUTSIDE * beyond
    return penalty
