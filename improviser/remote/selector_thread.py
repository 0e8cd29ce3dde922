"""Runs an event loop that can watch sockets in a thread, where the running one cannot (Windows' Proactor loop)."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any


def watches_sockets(loop: asyncio.AbstractEventLoop) -> bool:
    """Say whether a loop has `add_reader` and its like."""
    with socket.socket() as probe:
        try:
            loop.remove_reader(probe)
        except NotImplementedError:
            return False
    return True


async def run_in_selector_thread(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    """Await what `work` returns, on a selector loop in a thread; raise what it does.

    When this is cancelled, so is that, and this ends when that has.
    """
    here = asyncio.get_running_loop()
    begun: asyncio.Future[Callable[[], None]] = here.create_future()
    ended: asyncio.Future[None] = here.create_future()

    def tell(future: "asyncio.Future[Any]", result: Any = None, error: BaseException | None = None) -> None:
        def set_it() -> None:
            if not future.done():
                future.set_result(result) if error is None else future.set_exception(error)

        with contextlib.suppress(RuntimeError):  # our loop is closed: nobody waits any more
            here.call_soon_threadsafe(set_it)

    async def do() -> None:
        there, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            tell(begun, lambda: there.call_soon_threadsafe(task.cancel))
        await work()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(do())
        except asyncio.CancelledError:
            tell(ended)
        except BaseException as error:  # noqa: BLE001  whoever waits gets it
            tell(ended, error=error)
        else:
            tell(ended)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    cancel = await asyncio.shield(begun)
    try:
        await asyncio.shield(ended)
    except asyncio.CancelledError:
        with contextlib.suppress(RuntimeError):  # it has just ended
            cancel()
        await ended
        raise
    finally:
        if ended.done():
            thread.join()  # it has told that all is over: what it held is let go of
