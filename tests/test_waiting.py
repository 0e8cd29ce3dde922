"""Waiting for a while only: nothing that ends it is lost."""

import asyncio
import contextlib

import pytest

from improviser.waiting import within


@pytest.mark.parametrize("turns", range(5))
def test_a_cancellation_is_not_lost_whenever_it_comes(turns: int) -> None:
    async def run() -> None:
        come = asyncio.Event()

        async def wait_again_and_again() -> None:
            while True:
                with contextlib.suppress(TimeoutError):
                    await within(60.0, come.wait())
                come.clear()

        waiting = asyncio.create_task(wait_again_and_again())
        await asyncio.sleep(0)
        come.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        done, _ = await asyncio.wait({waiting}, timeout=20.0)
        assert done

    asyncio.run(run())


def test_time_is_up() -> None:
    async def run() -> None:
        with pytest.raises(TimeoutError):
            await within(0.01, asyncio.Event().wait())
        assert await within(None, asyncio.sleep(0, "slept")) == "slept"

    asyncio.run(run())
