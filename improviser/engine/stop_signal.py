"""A request to stop, which ends at once every wait that is made through it."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from improviser.errors import ImproviserError
from improviser.waiting import within

T = TypeVar("T")


class Stopped(Exception):  # noqa: N818  it is no error
    """A wait was given up because of a request to stop."""


class StopSignal:
    """Set once; what waits through it then raises `Stopped`."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Ask to stop."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether it was asked to stop."""
        return self._event.is_set()

    async def unless_set(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` does; cancel it when asked to stop.

        :raises Stopped: if that came first.
        """
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, ImproviserError):
                    await task

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` does; but once asked to stop, leave it so many seconds and no more.

        :raises TimeoutError: if it takes longer than that.
        """
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            return await within(seconds, task)
        finally:
            stop.cancel()
            task.cancel()

    async def sleep(self, seconds: float) -> None:
        """Sleep.

        :raises Stopped: if asked to stop.
        """
        await self.unless_set(asyncio.sleep(seconds))
