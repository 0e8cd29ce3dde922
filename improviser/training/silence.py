"""Which workers of a cluster have said nothing for too long, by the signs of life that its scheduler has seen.

The scheduler's clock may differ from ours: what counts is when, by ours, something was new.
"""

import time
from collections.abc import Callable, Mapping

BEATS = 10
"""Signs of life that a worker may leave out, however many workers there are."""
WORKERS_A_SECOND = 200
"""So many workers at most give a sign of life in a second, as Dask has it."""


class Silence:
    """Takes in signs of life.

    :param seconds: how long a worker may say nothing.
    :param clock: seconds that never go back.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.silent: frozenset[str] = frozenset()
        """Those that have said nothing for longer."""
        self._clock = clock
        self._last: dict[str, tuple[float, float]] = {}
        """The last sign of life by the scheduler's clock, and when by ours it was new."""

    def look(self, seen: Mapping[str, float]) -> None:
        """Take in when each worker that there is was last seen, by the scheduler's clock."""
        now = self._clock()
        before, self._last = self._last, {}
        for worker, stamp in seen.items():
            known = before.get(worker)
            self._last[worker] = known if known is not None and known[0] == stamp else (stamp, now)
        longest = max(self.seconds, BEATS * len(seen) / WORKERS_A_SECOND)
        self.silent = frozenset(worker for worker, (_, since) in self._last.items() if now - since > longest)
