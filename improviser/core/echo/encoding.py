"""Pitches ↔ numbers: a pitch's number is its place in the order of first appearance; windows are made of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float64Array

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedNotes:
    """A sequence of notes, encoded.

    :param pitches: the K different pitches in order of first appearance: pitch `pitches[n]` is number `n`.
    :param numbers: the notes as numbers, shape (notes,), 0 … K − 1.
    :param starts: where each piece begins, ascending, the first at 0; windows do not reach across.
    """

    pitches: tuple[int, ...]
    numbers: IntArray
    starts: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, *pieces: Sequence[int]) -> Self:
        """Encode `pieces` (pitches) one after the other, as if they were one."""
        notes = [pitch for piece in pieces for pitch in piece]
        pitches = tuple(dict.fromkeys(notes))
        number = {pitch: place for place, pitch in enumerate(pitches)}
        lengths = [len(piece) for piece in pieces if piece]
        starts = tuple(int(start) for start in np.cumsum([0, *lengths[:-1]])) if lengths else ()
        return cls(pitches, np.array([number[pitch] for pitch in notes], np.int64), starts)

    @property
    def counts(self) -> IntArray:
        """How often each pitch occurs, shape (K,)."""
        return np.bincount(self.numbers, minlength=len(self.pitches))

    @property
    def ranked(self) -> IntArray:
        """The K numbers, the most frequent first; of equally frequent ones the first to appear."""
        return by_frequency(self.counts)

    def decode(self, numbers: Sequence[int] | IntArray) -> list[int]:
        """Return the pitches of `numbers`."""
        return [self.pitches[number] for number in numbers]

    def windows(self, lookback: int) -> Float64Array:
        """Return what the network sees at each note: shape (notes, lookback), the oldest note first.

        At the start of a piece the window is not full: the notes there are stand at its beginning and the rest is 0,
        which is also the number of the first pitch. The original has it so.
        """
        windows = np.zeros((len(self.numbers), lookback))
        ends = (*self.starts[1:], len(self.numbers))
        for start, end in zip(self.starts, ends, strict=False):
            piece = self.numbers[start:end]
            for place in range(min(lookback, len(piece))):
                windows[start + place : min(start + lookback, end), place] = piece[place]
            if len(piece) > lookback:
                full = np.lib.stride_tricks.sliding_window_view(piece, lookback)
                windows[start + lookback - 1 : end] = full
        return windows


def by_frequency(counts: IntArray) -> IntArray:
    """Return the indices of `counts`, the largest count first, ties in their own order."""
    return np.argsort(-counts, kind="stable")
