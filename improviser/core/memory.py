"""Short-term memory: what has been played in this session, as experts that each predict the next symbol.

An expert counts which symbols followed which contexts of up to `order` symbols, and blends the contexts from none to
the longest, each weighing as much as it has evidence (PPM, escape method C, interpolated: Cleary and Witten 1984;
Moffat 1990; used for melodies by Pearce, "The Construction and Evaluation of Statistical Models of Melodic Structure",
2005). Notes older than `REMEMBERED` fall out of the counts: an endless session costs no more than a short one.
"""

from collections import deque
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

REMEMBERED = 512
# What an expert says is put to the network as ln p, clipped and brought to the order of 1.
SMALLEST = 0.002


class Expert:
    """Counts of the symbols 0 … size − 1 after contexts of any hashable items.

    :param size: number of symbols.
    :param order: length of the longest context.
    """

    def __init__(self, size: int, order: int) -> None:
        self._size = size
        self._order = order
        self._counts: dict[tuple[Hashable, ...], dict[int, int]] = {}
        self._remembered: deque[tuple[tuple[Hashable, ...], int]] = deque()

    def predict(self, context: Sequence[Hashable]) -> NDArray[np.float64]:
        """Return the probability of each symbol after `context` (the latest item last), shape (size,)."""
        probabilities = np.full(self._size, 1.0 / self._size)
        for following in self._following(tuple(context[len(context) - self._order :])):
            kinds = len(following)
            total = sum(following.values()) + kinds
            probabilities *= kinds / total
            for symbol, count in following.items():
                probabilities[symbol] += count / total
        return probabilities

    def _following(self, context: tuple[Hashable, ...]) -> list[dict[int, int]]:
        """Return what followed the ends of `context`, from nothing to as much of it as has been seen."""
        found = []
        for length in range(len(context) + 1):
            following = self._counts.get(context[len(context) - length :])
            if following is None:
                break
            found.append(following)
        return found

    def learn(self, context: Sequence[Hashable], symbol: int) -> None:
        """Count `symbol` after `context` and after its ends; forget the oldest beyond REMEMBERED."""
        kept = tuple(context[len(context) - self._order :])
        for length in range(len(kept) + 1):
            following = self._counts.setdefault(kept[len(kept) - length :], {})
            following[symbol] = following.get(symbol, 0) + 1
        self._remembered.append((kept, symbol))
        if len(self._remembered) > REMEMBERED:
            self._forget(*self._remembered.popleft())

    def _forget(self, context: tuple[Hashable, ...], symbol: int) -> None:
        for length in range(len(context) + 1):
            end = context[len(context) - length :]
            following = self._counts[end]
            if following[symbol] > 1:
                following[symbol] -= 1
            else:
                del following[symbol]
                if not following:
                    del self._counts[end]


def conditioned(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities as a network can weigh them: clip(ln p, ln .002, 0) / 2 + 1.5."""
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities, SMALLEST))
    return logs / 2 + 1.5


def certainty(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return how certain an expert is: its entropy (in units of 3 nats, less 1) and its maximum, from 0 to 1.

    :param values: probabilities that sum to 1.
    """
    entropy = -float((values * np.log(np.maximum(values, 1e-12))).sum())
    return entropy / 3.0 - 1.0, float(values.max())
