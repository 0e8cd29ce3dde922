"""The bus: hands the engine's reports to all who take them; a part of a session that fails ends alone, and is said."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from improviser.engine.protocol import AnyReport
from improviser.errors import ImproviserError

log = logging.getLogger("improviser")

Take = Callable[[AnyReport], None]


class Taker(Protocol):
    """A part of a session that takes reports."""

    def take(self, report: AnyReport, /) -> None:
        """Take in a report of the engine."""


class Bus:
    """Takes reports, and gives each to all who have subscribed, in their order; whoever raises gets no more."""

    def __init__(self) -> None:
        self._subscribers: dict[str, Take] = {}

    def subscribe(self, part: str, take: Take) -> None:
        """Let `take` have every report from now on; `part` is what a user calls what it belongs to."""
        self._subscribers[part] = take

    def take(self, report: AnyReport) -> None:
        """Hand out a report; never raises."""
        for part, take in list(self._subscribers.items()):
            try:
                take(report)
            except Exception as error:  # noqa: BLE001  whatever it is, it must not reach the engine or the others
                self._subscribers.pop(part, None)
                say_ended(part, error)


async def alone(part: str, work: Awaitable[None]) -> None:
    """Await what a part of a session does; if it fails, that is said, and ends nothing else."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, it must not reach the others
        say_ended(part, error)


def say_ended(part: str, error: Exception) -> None:
    """Say that a part of the session has ended by a fault: in one line, and where it was, for who debugs."""
    fault = str(error) if isinstance(error, ImproviserError) else f"{type(error).__name__}: {error}"
    log.error("%s has ended by a fault (%s); playing and all else go on", part, " ".join(fault.split()))
    log.debug("where %s failed:", part, exc_info=error)
