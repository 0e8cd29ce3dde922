"""Waits that a request to stop ends, at once or after a while."""

import asyncio

import pytest

from improviser.engine.stop_signal import Stopped, StopSignal


async def hang() -> None:
    await asyncio.Event().wait()


async def answer() -> int:
    return 42


def test_what_was_to_be_left_is_left_at_once() -> None:
    async def scene() -> None:
        stop = StopSignal()
        asyncio.get_running_loop().call_soon(stop.set)
        with pytest.raises(Stopped):
            await stop.unless_set(hang())

    asyncio.run(scene())


def test_what_must_be_done_gets_its_time_after_a_request_to_stop_and_no_more() -> None:
    async def scene() -> None:
        stop = StopSignal()
        waiting = asyncio.ensure_future(stop.within(0.01, hang()))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done  # nobody has asked yet
        stop.set()
        with pytest.raises(TimeoutError):
            await waiting
        assert await stop.within(10, answer()) == 42

    asyncio.run(scene())
