"""Short-term memory: what has been played in this session, as experts that each predict the next symbol.

An expert counts which symbols followed which contexts of up to `order` symbols, and blends the contexts from none to
the longest, each weighing as much as it has evidence (PPM, escape method C, interpolated: Cleary and Witten 1984;
Moffat 1990; used for melodies by Pearce, "The Construction and Evaluation of Statistical Models of Melodic Structure",
2005). Notes older than `REMEMBERED` fall out of the counts: an endless session costs no more than a short one.
"""

from array import array
from collections import deque
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

REMEMBERED = 512
# How many intervals an expert takes to be possible.
INTERVALS = 49
# What an expert says is put to the network as ln p, clipped and brought to the order of 1.
_SMALLEST = float(np.log(0.002))
LEAST = _SMALLEST / 2 + 1.5


class _Following:
    """What followed one context: how often each symbol, and how often in all."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0


class Expert:
    """Counts of symbols (whole numbers) after contexts of any hashable items.

    :param size: how many symbols there may be, for the chance of what was never heard.
    :param order: length of the longest context.
    """

    def __init__(self, size: int, order: int) -> None:
        self._size = size
        self._order = order
        self._counts: dict[tuple[Hashable, ...], _Following] = {}
        self._remembered: deque[tuple[tuple[Hashable, ...], int]] = deque()

    def chances(self, context: Iterable[Hashable], first: int, count: int) -> list[float]:
        """Return the probability of each of `count` symbols from `first` on, after `context` (the latest item last).

        Those of all symbols sum to 1.
        """
        found, weight = self._found(context), 1.0
        heard = [0.0] * count
        for following in reversed(found):
            counts = following.counts
            kinds = len(counts)
            share = weight / (following.total + kinds)
            for symbol, times in counts.items():
                place = symbol - first
                if 0 <= place < count:
                    heard[place] += share * times
            weight = share * kinds
        anywhere = weight / self._size
        return [anywhere + more for more in heard]

    def _found(self, context: Iterable[Hashable]) -> list[_Following]:
        """Return what followed the ends of a context, as far as they are known, the shortest first."""
        kept = tuple(context)[-self._order :] if self._order else ()
        size, known = len(kept), self._counts.get
        found = []
        for start in range(size, -1, -1):
            following = known(kept[start:])
            if following is None:
                break
            found.append(following)
        return found

    def learn(self, context: Iterable[Hashable], symbol: int) -> None:
        """Count `symbol` after `context` and after its ends; forget the oldest beyond REMEMBERED."""
        kept = tuple(context)[-self._order :] if self._order else ()
        known = self._counts
        for start in range(len(kept), -1, -1):
            end = kept[start:]
            following = known.get(end)
            if following is None:
                following = known[end] = _Following()
            counts = following.counts
            counts[symbol] = counts.get(symbol, 0) + 1
            following.total += 1
        self._remembered.append((kept, symbol))
        if len(self._remembered) > REMEMBERED:
            self._forget(*self._remembered.popleft())

    def _forget(self, context: tuple[Hashable, ...], symbol: int) -> None:
        for start in range(len(context), -1, -1):
            end = context[start:]
            following = self._counts[end]
            following.total -= 1
            following.counts[symbol] -= 1
            if not following.counts[symbol]:
                del following.counts[symbol]
            if not following.total:
                del self._counts[end]


def matrix(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return rows of numbers as an array, shape (rows, numbers), in a third of the time that numpy would take."""
    numbers = array("d")
    for row in rows:
        numbers.extend(row)
    return np.frombuffer(numbers, np.float64).reshape(len(rows), -1)


def condition(probabilities: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[float]]:
    """Return what experts say as a network can take it in.

    :param probabilities: of each expert (rows) for each candidate; rows need not sum to 1, but must be above 0.
    :return: clip(ln p, ln .002, 0) / 2 + 1.5, and for each expert its entropy (in units of 3 nats, less 1) and maximum.
    """
    probabilities /= np.add.reduce(probabilities, axis=1, keepdims=True)
    logs = np.log(probabilities)
    entropies = np.add.reduce(probabilities * logs, axis=1).tolist()
    highest = np.maximum.reduce(probabilities, axis=1).tolist()
    certainties: list[float] = []
    for entropy, most in zip(entropies, highest, strict=True):
        certainties += (-entropy / 3 - 1, most)
    np.maximum(logs, _SMALLEST, out=logs)
    logs /= 2
    logs += 1.5
    return logs, certainties
