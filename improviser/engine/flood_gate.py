"""The flood gate: decides which messages the backend's thread answers, and which wait for the engine's main thread.

The backend's thread must not be held up: JACK's is the graph's, and RtMidi's has a ring that overflows. So in a flood,
or when there is no time, messages wait here for the main thread; and once any does, all do, so that none overtakes.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

AT_ONCE = 300
"""Messages that the backend's thread answers itself between two beats of the heart: ten times what ten fingers can."""
NO_TIME = AT_ONCE - 50
"""With no more than this left, there is no time for lookahead."""


class Arrived(NamedTuple):
    """A message as it came in: when (`time.perf_counter`), how many seconds after its system's own stamp, and where."""

    message: bytes
    at: float
    age: float
    number: int = 0
    """Of the input, counted from 0."""

    @property
    def stamp(self) -> float:
        """When it was played, on `time.perf_counter`."""
        return self.at - self.age


class FloodGate:
    """Counts messages, and keeps those that wait, and what is to be done behind them; one thread takes out."""

    def __init__(self) -> None:
        self.waiting = deque[Arrived | Callable[[], None]]()
        self.last_arrival = 0.0
        self._at_once = AT_ONCE

    def arrive(self, message: bytes, age: float, number: int = 0) -> Arrived:
        """Count a message that comes in now."""
        self.last_arrival = time.perf_counter()
        self._at_once -= 1
        return Arrived(message, self.last_arrival, age, number)

    @property
    def open(self) -> bool:
        """Whether what comes in may be answered at once."""
        return not self.waiting and self._at_once >= 0

    @property
    def quiet(self) -> bool:
        """Whether little enough comes in to leave time for lookahead."""
        return self._at_once > NO_TIME and not self.waiting

    def renew(self) -> None:
        """Allow the full number of messages again: the next interval begins."""
        self._at_once = AT_ONCE
