"""A running session: its service, its bus, and the tasks beside it; started together and ended in order.

First the service ends, so that all it still has to say is taken in; then what goes on beside it; then the subscribers
that have a thread of their own. What only takes in (files, sound) is closed by who opened it, after the block.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from improviser.engine.bus import Bus, alone
from improviser.engine.handle import EngineProcess
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import EngineError


class Live:
    """A session that is being played; see `live`."""

    def __init__(self, service: Service, bus: Bus) -> None:
        self.service = service
        self.bus = bus
        self._running = asyncio.ensure_future(service.run())
        self._beside: list[asyncio.Task[None]] = []

    def beside(self, part: str, work: Coroutine[Any, Any, None]) -> None:
        """Have something go on until the session ends; if it fails, that is said of its `part`, and ends it alone."""
        self._beside.append(asyncio.create_task(alone(part, work)))

    async def opened(self) -> None:
        """Wait until the first engine plays.

        :raises ImproviserError: if none can be opened, or the session was ended before.
        """
        waiting = asyncio.ensure_future(self.service.opened())
        try:
            await asyncio.wait({waiting, self._running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._running.done():
            self._running.result()
            raise EngineError("the session ended before an engine played")

    async def ended(self) -> None:
        """Wait until the service has ended.

        :raises ImproviserError: if its first engine could not be opened.
        """
        await asyncio.shield(self._running)

    async def stop(self) -> None:
        """End the service; if it has failed, `ended` says so."""
        self.service.stop()
        await asyncio.wait({self._running})

    async def close(self) -> None:
        """End what goes on beside the service."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        self.bus.close()


@contextlib.asynccontextmanager
async def live(session: Session, bus: Bus, engine: EngineProcess | None = None) -> AsyncIterator[Live]:
    """Play a session while the block lasts; `play`, `demo` and `latency` all begin and end theirs here.

    :param bus: what takes its events.
    :param engine: one that was started already.
    :raises ImproviserError: at the end of the block, if the first engine could not be opened.
    """
    playing = Live(Service(session, bus, engine), bus)
    try:
        try:
            yield playing
        finally:
            await playing.stop()
        await playing.ended()
    finally:
        await playing.close()
