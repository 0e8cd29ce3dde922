"""Writes files whole or not at all, and reads only what is a file."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

from improviser.errors import OutputError

PRIVATE = 0o600
"""The permissions of a file that only its owner may read."""


def user_path(text: str) -> Path:
    """Return the path that a user means; in a file of settings no shell makes a home of a tilde."""
    return Path(os.path.expanduser(text))  # noqa: PTH111  Path's own fails for a user who is not known


def open_regular(path: Path, limit: int) -> BinaryIO:
    """Open a regular file of at most `limit` bytes to be read; a FIFO or a device would hang, or never end.

    :raises OSError: if there is none, it is something else, or it is larger.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no file has such a name")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    facts = os.fstat(descriptor)
    wrong: OSError | None = None
    if stat.S_ISDIR(facts.st_mode):
        wrong = IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    elif not stat.S_ISREG(facts.st_mode):
        wrong = OSError(errno.EINVAL, "it is not a regular file")
    elif facts.st_size > limit:
        wrong = OSError(errno.EFBIG, f"it has {facts.st_size} bytes, and {limit} are the most")
    if wrong is not None:
        os.close(descriptor)
        raise wrong
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file, at most `limit`; see `open_regular`."""
    with open_regular(path, limit) as file:
        return file.read(limit)


def check_writable(path: Path) -> None:
    """Fail early if `path` cannot become a file.

    :raises OutputError: if its folder does not exist or is closed to us, or it is a folder itself.
    """
    if os.path.isdir(path):  # noqa: PTH112  unlike Path's, it takes a name that is too long
        raise OutputError(f"{path} is a folder; name a file in it")
    folder = path.absolute().parent
    if not os.path.isdir(folder):  # noqa: PTH112
        raise OutputError(f"the folder of {path} does not exist; create it, or choose another place")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the folder of {path} may not be written to; choose another place")
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:  # a name that is too long
        raise OutputError(f"{path} cannot be written: {error.strerror}; choose another name") from error


def write_atomically(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write `data` to a temporary name beside `path`, then rename it there: a reader sees the old file or the new.

    :param mode: the permissions of a file that is new, less the user's mask.
    :raises OutputError: if it cannot be written; nothing is left behind.
    """
    check_writable(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=".improviser-", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_permissions_of(path, mode))
        temporary.replace(path)
    except BaseException as error:  # Ctrl-C and SIGTERM as well: nothing is left behind
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        if not isinstance(error, OSError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _permissions_of(path: Path, mode: int) -> int:
    """Return those that the file has; a temporary file is private, so without one those that a new file gets."""
    with contextlib.suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return mode & ~mask


def create_folder(path: Path) -> None:
    """Create the folder `path`, and those above it, where they do not exist.

    :raises OutputError: if that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create the folder {path}: {error.strerror or error}") from error
