"""Waiting for a while only."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float | None, awaited: Awaitable[T]) -> T:
    """Return what is awaited; if that takes longer, it is cancelled. No limit with None.

    `asyncio.wait_for` of Python 3.11 loses a cancellation that comes in the moment in which the wait is over
    (python/cpython#86296): what was told to end goes on for ever. This loses none.

    :raises TimeoutError: when the time is up.
    """
    async with asyncio.timeout(seconds):
        return await awaited
