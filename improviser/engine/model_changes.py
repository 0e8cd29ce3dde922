"""Model changes on their way: from the command that asks for one to the moment when the others play.

The thread that takes commands puts the models together; the engine's main thread lets them get to know what was played,
a little at a time; and when they know all, they take the place of those that play, between two notes.
"""

import time
from collections import deque
from dataclasses import dataclass, replace

from improviser.core.live.answering.joining import Joining
from improviser.core.networks.responder import Model
from improviser.engine.loading import Pieces
from improviser.engine.protocol import Loaded, Swap

PATIENCE_SECONDS = 5.0
"""How long models may take to get to know what was played; in a flood without end they would for ever."""


@dataclass(frozen=True, slots=True)
class ModelChange:
    """Models that are to play next, what they were found to be, who asked for them, and when at the latest."""

    models: list[Model]
    loaded: list[Loaded]
    swap: Swap
    joining: Joining
    latest: float

    @property
    def late(self) -> bool:
        """Whether it cannot wait any longer."""
        return time.perf_counter() > self.latest


class ModelChanges:
    """Those that are on their way, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._pieces = Pieces()
        self._waiting: deque[ModelChange] = deque()

    def bring(self, data: bytes) -> None:
        """Take in a piece of the models of the next swap."""
        self._pieces.add(data)

    def begin(self, swap: Swap) -> None:
        """Put the models of a swap together.

        :raises ImproviserError: if that cannot be.
        """
        models, loaded = self._pieces.models(swap)
        self._waiting.append(ModelChange(models, loaded, swap, Joining(models), time.perf_counter() + PATIENCE_SECONDS))

    @property
    def next(self) -> ModelChange | None:
        """The first that is on its way."""
        return self._waiting[0] if self._waiting else None

    def end(self, change: ModelChange) -> None:
        """Take in that the first has come to its end."""
        if self.next is change:
            self._waiting.popleft()

    def renew(self) -> None:
        """Take in that what was played is forgotten."""
        self._waiting = deque(replace(each, joining=Joining(each.models)) for each in self._waiting)
