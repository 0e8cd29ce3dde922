"""Runs the service until it is done or the user has had enough: what SIGTERM, SIGHUP and Ctrl-C mean.

SIGHUP has two meanings. From a terminal that has gone it says that nobody is there any more; from anybody else it asks
to read the settings again. Who started us with `nohup` does not mind that the terminal goes.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from typing import Any

from improviser import termination

DONE, INTERRUPTED = 0, 130
CODES = {"SIGTERM": DONE, "SIGHUP": DONE, "SIGBREAK": DONE, "SIGINT": INTERRUPTED}
"""Exit codes by signal; a service that is told to end has done its work. SIGBREAK is how Windows tells it."""
TERMINAL = "/dev/tty"


def own_group() -> dict[str, Any]:
    """Return what starts a process in a group of its own: the terminal's Ctrl-C and Ctrl-Z are for the daemon."""
    windows = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", None)
    return {"process_group": 0} if windows is None else {"creationflags": windows}


def pass_over_interrupts() -> None:
    """Leave it to the daemon what Ctrl-C (Ctrl-Break on Windows) and the end of a terminal mean."""
    for name in ("SIGINT", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


async def run_until_signal(
    work: Awaitable[None], stop: Callable[[], None], reload: Callable[[], None] | None = None
) -> int:
    """Await `work`; a signal calls `stop`, which must make it end. Return the exit code.

    :param reload: what SIGHUP calls instead, unless it says that the terminal has gone.
    """
    loop = asyncio.get_running_loop()
    codes = []
    hangup = getattr(signal, "SIGHUP", None)
    minds_hangup = hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN
    had_terminal = has_terminal()
    before = {number: signal.getsignal(number) for name in CODES if (number := getattr(signal, name, None))}

    def told(name: str) -> None:
        if name == "SIGHUP":
            gone = minds_hangup and had_terminal and not has_terminal()
            if reload is not None and not gone:
                reload()
                return
            if not minds_hangup:
                return
        codes.append(CODES[name])
        stop()

    for number in before:
        name = signal.Signals(number).name
        try:
            loop.add_signal_handler(number, told, name)
        except NotImplementedError:  # Windows: the loop cannot, the signal module can
            signal.signal(number, lambda *_, name=name: loop.call_soon_threadsafe(told, name))
    if termination.requested():  # just before, and its exception was lost
        told("SIGTERM")
    try:
        await work
    finally:
        for number, handler in before.items():
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)
    return codes[0] if codes else DONE


def has_terminal() -> bool:
    """Say whether there is a terminal that controls this process."""
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True
