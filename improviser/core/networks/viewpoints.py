"""Viewpoints: what a network sees of the notes so far, each a one-hot choice or a few numbers.

A model declares the viewpoints it was evolved with by name; the same functions serve training and playing. Those
for harmony and for melody read different situations, and are listed where those are defined.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from improviser.errors import ModelError

Situation = TypeVar("Situation")


@dataclass(frozen=True, slots=True)
class Choice(Generic[Situation]):
    """A one-hot viewpoint: `read` gives the index of what applies, 0 … size − 1, or None where nothing does."""

    size: int
    read: Callable[[Situation], int | None]


@dataclass(frozen=True, slots=True)
class Numbers(Generic[Situation]):
    """A viewpoint of `size` numbers of order 1."""

    size: int
    read: Callable[[Situation], Sequence[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a network sees that has only some of the viewpoints.

    :param width: how many inputs it has.
    :param choices: the numbers of its choices among all, shape (choices,).
    :param shifts: what is to be added to the input of each, shape (choices,).
    :param numbers: the places of its numbers among all, shape (numbers,).
    :param columns: which of its inputs they go to, shape (numbers,).
    """

    width: int
    choices: NDArray[np.int64]
    shifts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    columns: NDArray[np.int64]


class Inputs(Generic[Situation]):
    """The inputs of a network: the viewpoints it declares, side by side, and a constant 1 at the end (the bias).

    :raises ModelError: for a viewpoint that is not among `known`.
    """

    def __init__(self, names: Sequence[str], known: Mapping[str, Choice[Situation] | Numbers[Situation]]) -> None:
        self.names = tuple(names)
        self._choices: list[tuple[int, Callable[[Situation], int | None]]] = []
        self._numbers: list[tuple[slice, list[Callable[[Situation], Sequence[float]]]]] = []
        columns: list[int] = []
        starts: dict[str, tuple[int, int, bool]] = {}
        offset = 0
        for name in self.names:
            viewpoint = known.get(name)
            if viewpoint is None:
                raise ModelError(f"the viewpoint {name!r} is unknown; this model needs another version of improviser")
            starts[name] = offset, viewpoint.size, isinstance(viewpoint, Choice)
            if isinstance(viewpoint, Choice):
                self._choices.append((offset, viewpoint.read))
            else:
                self._append(offset, viewpoint)
                columns += range(offset, offset + viewpoint.size)
            offset += viewpoint.size
        self.size = offset + 1
        self.choices = len(self._choices)
        self._starts = starts
        self._blank = array("f", [0.0] * offset + [1.0])
        self.columns = np.array(columns, dtype=np.int64)

    def _append(self, offset: int, viewpoint: Numbers[Situation]) -> None:
        """Put a viewpoint's numbers at the network inputs from `offset` on; those side by side make one slice."""
        begins, ends = offset, offset + viewpoint.size
        reads = [viewpoint.read]
        if self._numbers and self._numbers[-1][0].stop == begins:
            places, before = self._numbers.pop()
            begins, reads = places.start, [*before, *reads]
        self._numbers.append((slice(begins, ends), reads))

    def part(self, names: Sequence[str]) -> "Part":
        """Return what a network sees of these inputs that has some of the viewpoints only, in the same order.

        :raises KeyError: if it has others.
        """
        kept: list[int] = []
        shifts: list[int] = []
        numbers: list[int] = []
        columns: list[int] = []
        choice = number = offset = 0
        for name, (start, size, is_choice) in self._starts.items():
            if name in names:
                if is_choice:
                    kept.append(choice)
                    shifts.append(offset - start)
                else:
                    numbers += range(number, number + size)
                    columns += range(offset, offset + size)
                offset += size
            choice, number = (choice + 1, number) if is_choice else (choice, number + size)
        if unknown := set(names) - set(self._starts):
            raise KeyError(f"no viewpoint {', '.join(sorted(unknown))}")
        return Part(offset + 1, *(np.array(its, np.int64) for its in (kept, shifts, numbers, columns)))

    def parts(self, situation: Situation) -> tuple[list[int], list[float]]:
        """Return what the network sees in parts: the input each choice puts a 1 to (−1: none), and the numbers.

        The numbers go to the inputs `columns`.
        """
        chosen = [(offset, choose(situation)) for offset, choose in self._choices]
        numbers = [number for _, reads in self._numbers for read in reads for number in read(situation)]
        return [-1 if index is None else offset + index for offset, index in chosen], numbers

    def read(self, situation: Situation) -> NDArray[np.float32]:
        """Return what the network sees, shape (size,)."""
        # Put together without numpy: on the path of a live note, each of its calls costs more than all of these.
        inputs = self._blank[:]
        for offset, choose in self._choices:
            index = choose(situation)
            if index is not None:
                inputs[offset + index] = 1.0
        for places, reads in self._numbers:
            inputs[places] = array("f", [number for read in reads for number in read(situation)])
        return np.frombuffer(inputs, np.float32)


def clipped(value: int, limit: int) -> int:
    """Return the index of `value` among −limit … limit, those beyond counted as the nearest."""
    return max(-limit, min(limit, value)) + limit
