"""Dice: choices by chance, fast enough for thousands in a reply."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

AHEAD = 256

Item = TypeVar("Item")


class Dice:
    """Choices from one generator.

    :param rng: nobody else may draw from it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._drawn: list[float] = []

    def random(self) -> float:
        """Return a number ≥ 0 and < 1."""
        if not self._drawn:
            self._drawn = self._rng.random(AHEAD).tolist()
        return self._drawn.pop()

    def below(self, count: int) -> int:
        """Return a whole number ≥ 0 and < `count`, which is ≥ 1."""
        return int(self.random() * count)

    def within(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included; `low` if there is none."""
        return low + self.below(max(1, high - low + 1))

    def choice(self, items: Sequence[Item]) -> Item:
        """Return one of the items, of which there is at least one."""
        return items[self.below(len(items))]
