"""The forward pass of a whole population over a minibatch of notes: what evolution spends its time on.

Layout is (genomes, genes or pitches, notes), a few genomes at a time in reused buffers, so that all stays in the
processor's cache: the first layer of a handful of genomes is one matrix product; of the heads, those with a period of
an octave are gathered for twelve pitch classes only. The arithmetic is that of `improviser.core.networks.network`.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.networks.network import Shape
from improviser.core.networks.notes import Notes

# Genomes whose first layers are computed in one product.
TOGETHER = 10
# Genomes whose heads are read together: more would leave the cache, fewer cost more calls.
BLOCK = 5
_SMALL, _LARGE = 1e-25, 1e35
_LN2 = float(np.log(2.0))


class PopulationScorer(Protocol):
    """What scores populations: the forward pass below, or one that is compiled."""

    def lay_out(self, notes: Notes) -> Any:
        """Return the notes ready for scoring."""

    def population_bits(self, population: Float32Array, batch: Any) -> NDArray[np.float64]:
        """Return the bits per note of each genome on notes that were laid out, shape (population,)."""


class Batch:
    """Notes laid out for scoring many genomes: inputs by column, and where in the outputs each head is read."""

    def __init__(self, shape: Shape, notes: Notes) -> None:
        self.size = size = len(notes)
        self.inputs = np.ascontiguousarray(notes.inputs().T)
        column = np.arange(size)
        pitches = np.arange(shape.low, shape.high + 1)[:, np.newaxis]
        steps = np.clip(pitches - notes.previous, -shape.reach, shape.reach) + shape.reach
        self.intervals = steps * size + column
        classes = np.arange(shape.low, shape.low + 12)[:, np.newaxis]
        self.cycles = [((classes - notes.tonic) % 12 + shape.intervals) * size + column]
        if shape.vertical:
            offset = shape.intervals + 12 + shape.pitches
            self.cycles.append(((notes.player - classes) % 12 + offset) * size + column)
        target = np.where(notes.target < 0, shape.pitches, notes.target - shape.low)
        self.target = target * size + column
        self.experts: Float32Array | None = None
        if shape.experts and notes.experts is not None:
            self.experts = np.ascontiguousarray(notes.experts.transpose(1, 2, 0))


class Scorer:
    """Scores genomes of one shape on batches of notes; holds the buffers."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._size = 0
        self._heights = slice(shape.intervals + 12, shape.intervals + 12 + shape.pitches)
        self._rest = shape.intervals + 12 + shape.pitches + 12 * shape.vertical

    def lay_out(self, notes: Notes) -> Batch:
        """Return the notes ready for scoring."""
        return Batch(self.shape, notes)

    def population_bits(self, population: Float32Array, batch: Batch) -> NDArray[np.float64]:
        """Return, for each genome, −log2 P of what was played, averaged over the notes; shape (population,)."""
        bits = np.empty(len(population))
        for start in range(0, len(population), TOGETHER):
            genomes = population[start : start + TOGETHER]
            hidden = self._first_layer(genomes, batch)
            for first in range(0, len(genomes), BLOCK):
                block = slice(first, first + BLOCK)
                found = self._bits_of_small_scores(self._scores(genomes[block], hidden[block], batch), batch)
                if found is None:
                    found = self._bits(self._scores(genomes[block], hidden[block], batch), batch)
                bits[start + first : start + first + len(found)] = found
        return bits

    def mean_bits(self, genome: Float32Array, batch: Batch) -> float:
        """Return −log2 P of what was played, averaged over the notes, for one genome."""
        return float(self.population_bits(genome[np.newaxis], batch)[0])

    def log_probabilities(self, genome: Float32Array, batch: Batch) -> Float32Array:
        """Return ln P of every candidate (the register's pitches, then the rest), shape (candidates, notes)."""
        hidden = self._first_layer(genome[np.newaxis], batch)
        scores: Float32Array = self._scores(genome[np.newaxis], hidden, batch)[0]
        scores -= scores.max(axis=0)
        scores -= np.log(np.exp(scores).sum(axis=0))
        return scores.copy()

    def _first_layer(self, genomes: Float32Array, batch: Batch) -> Float32Array:
        """Return the hidden units, a constant 1 below them, shape (genomes, hidden + 1, notes)."""
        shape = self.shape
        if batch.size != self._size:
            self._reserve(batch.size)
        count = len(genomes)
        weights = self._weights[: count * shape.hidden]
        weights.reshape(count, -1)[:] = genomes[:, : shape.first_weights]
        sums = np.matmul(weights, batch.inputs, out=self._sums[: count * shape.hidden])
        hidden = self._hidden[:count]
        np.tanh(sums.reshape(count, shape.hidden, -1), out=hidden[:, :-1])
        return hidden

    def _scores(self, genomes: Float32Array, hidden: Float32Array, batch: Batch) -> Float32Array:
        """Return the score of every candidate, shape (genomes, candidates, notes),.

        :param genomes: BLOCK of them at most.
        """
        shape, count = self.shape, len(genomes)
        heads = genomes[:, shape.first_weights :].reshape(count, shape.outputs, shape.hidden + 1)
        outputs = np.matmul(heads, hidden, out=self._outputs[:count])
        scores = self._logits[:count]
        pitches, product = scores[:, : shape.pitches], self._product[:count]
        self._gather(outputs, batch.intervals, pitches)
        pitches += outputs[:, self._heights]
        for rows in batch.cycles:
            cycle = self._gather(outputs, rows, self._cycle[:count])
            for start in range(0, shape.pitches, 12):
                octave = pitches[:, start : start + 12]
                octave += cycle[:, : octave.shape[1]]
        if shape.rest:
            scores[:, -1] = outputs[:, self._rest]
        if batch.experts is not None:
            for number, expert in enumerate(batch.experts):
                gate = outputs[:, self._rest + shape.rest + number, np.newaxis]
                pitches += np.multiply(expert, gate, out=product)
        return scores

    @staticmethod
    def _gather(outputs: Float32Array, rows: NDArray[np.int64], out: Float32Array) -> Float32Array:
        """Read the outputs of each genome at `rows`."""
        for genome, found in zip(outputs, out, strict=True):
            np.take(genome.reshape(-1), rows, out=found, mode="clip")
        return out

    def _bits_of_small_scores(self, scores: Float32Array, batch: Batch) -> NDArray[np.float64] | None:
        """Return the mean bits if no exponential is too large or small for float32, which saves finding the maxima."""
        played = self._played(scores, batch)
        with np.errstate(over="ignore"):
            np.exp(scores, out=scores)
            total = scores.sum(axis=1)
        # Also None where a score is NaN.
        if not (total.min() > _SMALL and total.max() < _LARGE):
            return None
        np.log(total, out=total)
        total -= played
        bits: NDArray[np.float64] = total.mean(axis=1, dtype=np.float64)
        return bits / _LN2

    def _bits(self, scores: Float32Array, batch: Batch) -> NDArray[np.float64]:
        played = self._played(scores, batch)
        top = scores.max(axis=1)
        scores -= top[:, np.newaxis]
        np.exp(scores, out=scores)
        total = np.log(scores.sum(axis=1))
        total += top
        total -= played
        bits: NDArray[np.float64] = total.mean(axis=1, dtype=np.float64)
        return bits / _LN2

    @staticmethod
    def _played(scores: Float32Array, batch: Batch) -> Float32Array:
        """Return the scores of what was played, shape (genomes, notes)."""
        return np.stack([np.take(candidates.reshape(-1), batch.target) for candidates in scores])

    def _reserve(self, size: int) -> None:
        shape = self.shape
        self._size = size
        self._weights = np.empty((TOGETHER * shape.hidden, shape.inputs), dtype=np.float32)
        self._sums = np.empty((TOGETHER * shape.hidden, size), dtype=np.float32)
        self._hidden = np.ones((TOGETHER, shape.hidden + 1, size), dtype=np.float32)
        self._outputs = np.empty((BLOCK, shape.outputs, size), dtype=np.float32)
        self._logits = np.empty((BLOCK, shape.pitches + shape.rest, size), dtype=np.float32)
        self._cycle = np.empty((BLOCK, 12, size), dtype=np.float32)
        self._product = np.empty((BLOCK, shape.pitches, size), dtype=np.float32)
