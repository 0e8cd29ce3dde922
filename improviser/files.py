"""Writes files whole or not at all, and reads only what is a file."""

import contextlib
import errno
import os
import stat
import tempfile
import time
from io import BufferedReader
from pathlib import Path

from improviser.errors import OutputError

PRIVATE = 0o600
"""The permissions of a file that only its owner may read."""
LONGEST_NAME = 255
"""How many units of UTF-16 Windows has room for."""
REPLACE_SECONDS, RETRY_SECONDS = 1.0, 0.05


def user_path(text: str) -> Path:
    """Return the path that a user means; in a file of settings no shell makes a home of a tilde."""
    return Path(os.path.expanduser(text))  # noqa: PTH111  Path's own fails for a user who is not known


class NotRegularError(OSError):
    """What is there is no regular file; its text goes on from the name: "is a folder"."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(code, f"it {what}")
        self.what = what

    def __str__(self) -> str:
        """Return what it is instead."""
        return self.what


def open_regular(path: Path, limit: int) -> BufferedReader:
    """Open a regular file, of at most `limit` bytes, to be read; a FIFO or a device would hang, or never end.

    :raises NotRegularError: if it is a folder, a device, a pipe or a socket.
    :raises OSError: if there is none, or it is larger.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no file has such a name")
    _check_regular(os.stat(path).st_mode)  # noqa: PTH116  first: to open a device alone may do something
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        facts = os.fstat(descriptor)
        _check_regular(facts.st_mode)
        _check_size(facts.st_size, limit)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file, at most `limit`; see `open_regular`."""
    with open_regular(path, limit) as file:
        return file.read(limit)


def _check_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise NotRegularError(errno.EISDIR, "is a folder")
    if not stat.S_ISREG(mode):
        raise NotRegularError(errno.EINVAL, "is not a regular file")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise OSError(errno.EFBIG, f"it has {size} bytes, and {limit} are the most")


def check_writable(path: Path, *, force: bool = True) -> None:
    """Fail early if `path` cannot become a file, or may not.

    A link stands for what it links to.

    :param force: whether a file that is there may be written over.
    :raises OutputError: if its folder does not exist or is closed to us, or it is a folder, a device, a pipe or a
        socket itself, or there is a file that may not be written over.
    """
    if os.path.isdir(path):  # noqa: PTH112  unlike Path's, it takes a name that is too long
        raise OutputError(f"{path} is a folder; name a file in it")
    if os.name == "nt":
        _check_name_for_windows(path)
    folder = _target(path).parent
    if not os.path.isdir(folder):  # noqa: PTH112
        raise OutputError(f"the folder of {path} does not exist; create it, or choose another place")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the folder of {path} may not be written to; choose another place")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:  # a name that is too long
        raise OutputError(f"{path} cannot be written: {error.strerror}; choose another name") from error
    if not stat.S_ISREG(mode):
        raise OutputError(f"{path} is not a regular file and is not written over; choose another name")
    if os.name == "nt" and not mode & stat.S_IWRITE:  # Unix asks the folder
        raise OutputError(f"{path} is read-only; choose another name, or make it writable: attrib -r")
    if not force:
        raise OutputError(f"{path} exists already; choose another name, or write over it with --force")


def _check_name_for_windows(path: Path) -> None:
    """Fail where Windows would do so late, or not at all: of a name that is too long it says that there is no file.

    :raises OutputError: if the name cannot be, or stands for a stream of another file, which no folder shows.
    """
    if ":" in path.name:
        raise OutputError(f"{path} cannot be written: Windows takes no colon in a name; choose another")
    if len(path.name.encode("utf-16-le", "surrogatepass")) > 2 * LONGEST_NAME:
        raise OutputError(f"{path} cannot be written: its name is too long; choose a shorter one")


def _target(path: Path) -> Path:
    """Return where a file is written: through a link, what it links to is replaced, and the link stays.

    :raises OutputError: if the link goes round in a circle.
    """
    try:
        return path.resolve() if os.path.islink(path) else path.absolute()  # noqa: PTH114  takes a long name
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{path} is a link that leads nowhere; choose another name") from error


def write_atomically(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write `data` to a temporary name beside `path`, then rename it there: a reader sees the old file or the new.

    Whether a file that is there may be written over is to be asked before: see `check_writable`.

    :param mode: the permissions of a file that is new, less the user's mask.
    :raises OutputError: if it cannot be written; nothing is left behind.
    """
    check_writable(path)
    target = _target(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".improviser-", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_permissions_of(path, mode))
        replace_file(temporary, target)
    except BaseException as error:  # Ctrl-C and SIGTERM as well: nothing is left behind
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        if not isinstance(error, OSError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def replace_file(unfinished: Path, path: Path) -> None:
    """Rename a file that is finished to `path`, in place of what is there; it is closed.

    Windows refuses that while anybody has either of the two open, and virus scanners look into what is new: there it is
    tried for a moment.

    :raises OSError: if that is not possible.
    """
    end = time.monotonic() + REPLACE_SECONDS
    while True:
        try:
            unfinished.replace(path)
        except PermissionError:
            if os.name != "nt" or time.monotonic() > end:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


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
