"""Locks on files: held by the process that has taken one, until it closes the file or ends, however it ends.

Our own, since what is locked is a file that is open already, and which others read while it is locked. filelock opens a
file of its own, and portalocker locks the first bytes on Windows, where nobody can read them then.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HAS_FLOCK = True
try:
    import fcntl
except ImportError:  # Windows
    HAS_FLOCK = False

LOOK_SECONDS = 0.2
BEYOND = 1 << 30
"""The byte that is locked on Windows, behind all that is written: locked ones are unreadable there."""


def try_lock(descriptor: int) -> bool:
    """Lock an open file, if nobody has locked it; say whether it is locked by us now.

    :raises OSError: if files cannot be locked there.
    """
    if not HAS_FLOCK:
        return _try_lock_on_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_lock_on_windows(descriptor: int) -> bool:
    import msvcrt

    os.lseek(descriptor, BEYOND, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    except PermissionError:
        return False
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return True


@contextlib.contextmanager
def taken_in_turn(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on the file `path`, which is created, as soon as nobody else does; where none can be, just go on.

    :param wait: called once if somebody else holds it.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, descriptor)
            if not try_lock(descriptor):
                wait()
                while not try_lock(descriptor):
                    time.sleep(LOOK_SECONDS)
        yield
