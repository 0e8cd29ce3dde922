"""The task `echo`: follow a tune. Fitness is the original's rating of the decoded notes."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from improviser.core.arrays import Float32Array, Float64Array
from improviser.core.echo.causal import Tables
from improviser.core.echo.decoding import rate_population
from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.model import EchoModel
from improviser.core.echo.network import MAX_WEIGHT, EchoNetwork, EchoShape

OUTPUTS_AT_A_TIME = 2**16
"""How many raw outputs are decoded together: as much as stays in the cache, however long the sequence is."""


@dataclass(frozen=True, slots=True, eq=False)
class EchoTask:
    """Rates genomes of one shape on one encoded sequence.

    :param shape: of the networks.
    :param train: the notes to follow, of at least two different pitches.
    :param held: notes that training does not see, encoded on their own as `render` would; may be too few to rate.
    """

    shape: EchoShape
    train: EncodedNotes
    held: EncodedNotes
    name: Literal["echo"] = "echo"
    _windows: Float64Array = field(init=False)

    def __post_init__(self) -> None:
        windows = np.ascontiguousarray(self.train.windows(self.shape.lookback).T)
        object.__setattr__(self, "_windows", windows)

    @property
    def genome_size(self) -> int:
        """How many weights a network has."""
        return self.shape.genome_size

    def first_population(self, rng: np.random.Generator, size: int) -> Float32Array:
        """Return random genomes, shape (size, genome_size): hundredths from 0 to 1, or for matrix layers any number."""
        if self.shape.layer_type == "matrix":
            return rng.random((size, self.genome_size), np.float32)
        return rng.integers(0, 101, (size, self.genome_size), np.int8).astype(np.float32) / np.float32(100)

    def batch(self, rng: np.random.Generator) -> None:  # noqa: ARG002
        """Return nothing: every generation is rated on the whole sequence."""
        return

    def fitness(self, population: Float32Array, batch: None) -> Float64Array:  # noqa: ARG002
        """Return the rating of each genome, shape (population,): −1 … 1, or NaN, also where weights grew too large."""
        places = self.shape.collapse(population)
        ranked = self.train.ranked
        rows = max(1, OUTPUTS_AT_A_TIME // len(self.train.numbers))
        rating = np.concatenate(
            [
                rate_population(places[start : start + rows] @ self._windows, self.train.numbers, ranked)
                for start in range(0, len(places), rows)
            ]
        )
        rating[~(np.abs(population).max(axis=1) <= MAX_WEIGHT)] = np.nan
        return rating

    def held_out(self, genome: Float32Array) -> float:
        """Return the rating of one genome on the held-out notes, or NaN where there are too few."""
        if len(self.held.pitches) < 2:
            return float("nan")
        return self.model("candidate", genome).rating(self.held)

    def model(self, name: str, genome: Float32Array) -> EchoModel:
        """Return the model of `genome`, with the tables that a session starts from."""
        network = EchoNetwork.of_genome(self.shape, genome)
        raw = network.outputs(self.train.windows(self.shape.lookback))
        return EchoModel(name, network, Tables.of(self.train, raw))
