"""Counting what followed what: the yardstick of everything that is bred. Blends of contexts, short to long."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np

Event = TypeVar("Event")
Context = tuple[Hashable, ...]


class CountModel(Generic[Event]):
    """P(symbol) as counted, blended from the shortest context to the longest (Witten and Bell 1991).

    :param symbols: size of the alphabet, for what was never seen.
    :param contexts: returns the contexts of a note, shortest first.
    """

    def __init__(self, symbols: int, contexts: Callable[[Sequence[Event], int], list[Context]]) -> None:
        self._symbols = symbols
        self._contexts = contexts
        self._counts: dict[tuple[int, Context], Counter[Hashable]] = defaultdict(Counter)

    def learn(self, pieces: Iterable[tuple[Sequence[Event], Sequence[Hashable]]]) -> None:
        """Count the targets of pieces: (what contexts are made of, targets)."""
        for events, targets in pieces:
            for index, target in enumerate(targets):
                for length, context in enumerate(self._contexts(events, index)):
                    self._counts[length, context][target] += 1

    def bits(self, events: Sequence[Event], targets: Sequence[Hashable]) -> list[float]:
        """Return −log2 P of each target."""
        return [-float(np.log2(self._probability(events, index, target))) for index, target in enumerate(targets)]

    def _probability(self, events: Sequence[Event], index: int, target: Hashable) -> float:
        probability = 1.0 / self._symbols
        for length, context in enumerate(self._contexts(events, index)):
            following = self._counts.get((length, context))
            if following is None:
                break
            kinds = len(following)
            probability = (following[target] + kinds * probability) / (following.total() + kinds)
        return probability
