"""Locks on files: held by the process that has taken one, until it closes the file or ends, however it ends.

Our own, since what is locked is a file that is open already, and which others read while it is locked. filelock opens a
file of its own, and portalocker locks the first bytes on Windows, where nobody can read them then.
"""

import os
import sys


def try_lock(descriptor: int) -> bool:
    """Lock an open file, if nobody has locked it; say whether it is locked by us now.

    :raises OSError: if files cannot be locked there.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # a byte behind all that is written: locked ones are unreadable
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except PermissionError:
        if sys.platform == "win32":
            return False
        raise
    return True
