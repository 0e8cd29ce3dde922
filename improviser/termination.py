"""Whether this process was told to end before anything could act on it: remembered, since an exception may be lost.

Until a command takes SIGTERM over, it raises SystemExit wherever Python happens to be. In a destructor, a callback of
the import system, or an attribute that a C library asks for, every exception is swallowed; so whoever takes the signal
over looks here as well.
"""

import signal
import sys
from types import FrameType
from typing import NoReturn

DONE = 0
_requests: list[int] = []


def leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End at once, as one does who is told to; a handler of SIGTERM."""
    _requests.append(number)
    sys.exit(DONE)


def listen() -> None:
    """Let SIGTERM, or SIGBREAK on Windows, end the process, until a command takes it over that has more to end."""
    for name in ("SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


def requested() -> bool:
    """Return whether SIGTERM has come since `listen`, to whomever."""
    return bool(_requests)
