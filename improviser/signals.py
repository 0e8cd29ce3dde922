"""Runs the service until it is done or the user has had enough: what SIGTERM, SIGHUP and Ctrl-C mean."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

DONE, INTERRUPTED = 0, 130
CODES = {"SIGTERM": DONE, "SIGHUP": DONE, "SIGINT": INTERRUPTED}
"""Exit codes by signal; a service that is told to end has done its work."""


async def run_until_signal(
    work: Awaitable[None], stop: Callable[[], None], reload: Callable[[], None] | None = None
) -> int:
    """Await `work`; a signal calls `stop`, which must make it end. Return the exit code.

    :param reload: what SIGHUP calls instead, if there is something to read again.
    """
    loop = asyncio.get_running_loop()
    codes = []

    def told(name: str) -> None:
        if name == "SIGHUP" and reload is not None:
            reload()
            return
        codes.append(CODES[name])
        stop()

    for name in CODES:
        number = getattr(signal, name, None)
        if number is not None:
            try:
                loop.add_signal_handler(number, told, name)
            except NotImplementedError:  # Windows: the loop cannot, the signal module can
                signal.signal(number, lambda *_, name=name: loop.call_soon_threadsafe(told, name))
    try:
        await work
    finally:
        for name in CODES:
            with contextlib.suppress(AttributeError, NotImplementedError):
                loop.remove_signal_handler(getattr(signal, name))
    return codes[0] if codes else DONE
