"""Notes to score: a corpus, or a minibatch of it, as the network sees it."""

from dataclasses import dataclass, replace
from typing import Generic, Protocol

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.networks.viewpoints import Inputs, Part, Situation


class NoteSource(Protocol):
    """Where notes to score are taken from: notes, or what lies on disk."""

    def __len__(self) -> int:
        """How many there are."""

    def take(self, chosen: NDArray[np.int64]) -> "Notes":
        """Return the notes with the numbers `chosen`."""


@dataclass(frozen=True, slots=True, eq=False)
class Notes:
    """Notes to score; axis 0 is the note.

    What the network sees is kept as it is made: of each choice the input that applies, and the numbers. The last
    input, a constant 1, is not listed.

    :param width: how many inputs the network has, the constant one included.
    :param choices: the input (0 … width − 2) that each choice puts a 1 to, −1 for none; shape (notes, choices).
    :param columns: which inputs the numbers go to, shape (numbers,).
    :param numbers: shape (notes, numbers).
    :param previous: the voice's previous pitches.
    :param tonic: pitch classes of the key.
    :param player: the player's pitches.
    :param target: the pitches that were played; −1 for a rest.
    :param experts: what each expert of the memory says, shape (notes, experts, pitches of the register).
    """

    width: int
    choices: NDArray[np.int32]
    columns: NDArray[np.int64]
    numbers: Float32Array
    previous: NDArray[np.int64]
    tonic: NDArray[np.int64]
    player: NDArray[np.int64]
    target: NDArray[np.int64]
    experts: Float32Array | None = None

    def __len__(self) -> int:
        return len(self.target)

    def inputs(self) -> Float32Array:
        """Return what the network sees, shape (notes, width)."""
        inputs = np.zeros((len(self), self.width + 1), dtype=np.float32)
        inputs[np.arange(len(self))[:, np.newaxis], self.choices] = 1.0  # −1 is the column that is left out below
        inputs[:, self.columns] = self.numbers
        inputs[:, self.width - 1] = 1.0
        return inputs[:, : self.width]

    def take(self, chosen: NDArray[np.int64]) -> "Notes":
        """Return the notes with the numbers `chosen`."""
        return replace(
            self,
            choices=self.choices[chosen],
            numbers=self.numbers[chosen],
            previous=self.previous[chosen],
            tonic=self.tonic[chosen],
            player=self.player[chosen],
            target=self.target[chosen],
            experts=None if self.experts is None else self.experts[chosen],
        )

    def seen(self, part: Part) -> "Notes":
        """Return the notes as a network sees them that has only some of the viewpoints."""
        if (len(part.choices), len(part.numbers)) == (self.choices.shape[1], self.numbers.shape[1]):
            return self
        choices = self.choices[:, part.choices]
        return replace(
            self,
            width=part.width,
            choices=np.where(choices < 0, choices, choices + part.shifts).astype(np.int32),
            columns=part.columns,
            numbers=self.numbers[:, part.numbers],
        )

    def blinded(self, rng: np.random.Generator, share: float) -> "Notes":
        """Return the notes with each choice and each number hidden with the probability `share`."""
        kept = self.choices.shape[1]
        seen = rng.random((len(self), kept + self.numbers.shape[1]), dtype=np.float32) >= share
        return replace(
            self, choices=np.where(seen[:, :kept], self.choices, np.int32(-1)), numbers=self.numbers * seen[:, kept:]
        )


class Collector(Generic[Situation]):
    """Collects notes one by one, as sessions come upon them."""

    def __init__(self, inputs: Inputs[Situation]) -> None:
        self._inputs = inputs
        self._choices: list[list[int]] = []
        self._numbers: list[list[float]] = []
        self._frames: list[tuple[int, int, int, int]] = []
        self._experts: list[Float32Array] = []

    def add(
        self,
        situation: Situation,
        *,
        previous: int,
        tonic: int,
        target: int,
        player: int = 0,
        experts: NDArray[np.floating] | None = None,
    ) -> None:
        """Add a note; either all notes have experts or none has."""
        choices, numbers = self._inputs.parts(situation)
        self._choices.append(choices)
        self._numbers.append(numbers)
        self._frames.append((previous, tonic, player, target))
        if experts is not None:
            self._experts.append(experts.astype(np.float32))

    def notes(self) -> Notes:
        """Return all that were added."""
        size = len(self._frames)
        columns = self._inputs.columns
        previous, tonic, player, target = np.array(self._frames, dtype=np.int64).reshape(size, 4).T.copy()
        return Notes(
            self._inputs.size,
            np.array(self._choices, dtype=np.int32).reshape(size, self._inputs.choices),
            columns,
            np.array(self._numbers, dtype=np.float32).reshape(size, len(columns)),
            previous,
            tonic,
            player,
            target,
            np.array(self._experts) if self._experts else None,
        )
