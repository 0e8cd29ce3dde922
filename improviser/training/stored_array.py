"""Arrays on disk, of which rows are read when they are needed: NumPy's own format, and behind it a digest of it all.

Such a file is written whole or not at all, and one that is not ours, cut off or damaged is none. Nothing in it is ever
unpickled. An array can be sent to another process: its digest is, and where it lies; see `MissingArrayError`.
"""

import contextlib
import hashlib
import os
import tempfile
import threading
import weakref
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from improviser.errors import ImproviserError, OutputError
from improviser.files import open_regular, replace_file
from improviser.training.cache import ARRAYS, UNFINISHED, cache_folder, used

LARGEST = 2**36
"""Bytes: a file that is larger is none of ours."""
DIGEST = 32
SUFFIX = ".npy"
BLOCK = 2**20
HAS_PREAD = hasattr(os, "pread")


class MissingArrayError(Exception):
    """An array that is needed does not lie here.

    :param digest: of it.
    """

    def __init__(self, digest: bytes) -> None:
        super().__init__("an array of notes is missing here")
        self.digest = digest

    def __reduce__(self) -> tuple[Any, ...]:
        return MissingArrayError, (self.digest,)


class StoredArray:
    """An array on disk, of one dimension; see `write_array` and `open_array`.

    It is read, not mapped into memory: what is mapped counts as memory of the process, and a file that somebody cuts
    off meanwhile would end the process.

    :param file: open, to be read.
    :param digest: of the whole file up to it.
    :param dtype: what a row is.
    :param start: where the rows begin.
    """

    def __init__(self, path: Path, file: BufferedReader, digest: bytes, dtype: np.dtype[Any], start: int) -> None:
        self.path = path
        self.digest = digest
        self.dtype = dtype
        self.size_of_file = os.fstat(file.fileno()).st_size
        """Bytes."""
        self._file = file
        self._start = start
        self._length = (self.size_of_file - DIGEST - start) // dtype.itemsize
        self._lock = threading.Lock()
        weakref.finalize(self, file.close)

    def __len__(self) -> int:
        return self._length

    def __reduce__(self) -> tuple[Any, ...]:
        return known_array, (str(self.path), self.digest)

    def take(self, chosen: NDArray[np.int64]) -> NDArray[Any]:
        """Return the rows with these numbers, shape (chosen,).

        :raises ImproviserError: if they are not there any more.
        """
        size = self.dtype.itemsize
        places = (self._start + size * np.asarray(chosen)).tolist()
        return np.frombuffer(b"".join([self.bytes_of_file(place, size) for place in places]), self.dtype)

    def part(self, start: int, stop: int) -> NDArray[Any]:
        """Return the rows from one place up to another.

        :raises ImproviserError: if they are not there any more.
        """
        size = self.dtype.itemsize
        return np.frombuffer(self.bytes_of_file(self._start + size * start, size * (stop - start)), self.dtype)

    def bytes_of_file(self, start: int, size: int) -> bytes:
        """Return a part of the file.

        :raises ImproviserError: if it is not there any more.
        """
        try:
            if HAS_PREAD:
                data = os.pread(self._file.fileno(), size, start)
            else:  # Windows
                with self._lock:
                    self._file.seek(start)
                    data = self._file.read(size)
        except OSError as error:
            raise ImproviserError(f"cannot read {self.path}: {error.strerror or error}; go on with --resume") from error
        if len(data) != size:
            raise ImproviserError(f"{self.path} was cut off while it was in use; go on with --resume")
        return data


def array_path(name: str) -> Path:
    """Return where an array lies in the cache."""
    return cache_folder() / ARRAYS / f"{name}{SUFFIX}"


def write_array(path: Path, dtype: np.dtype[Any], length: int, blocks: Iterable[NDArray[Any]]) -> StoredArray:
    """Write an array of so many rows that come in blocks, and return it.

    :raises OutputError: if that is not possible; then nothing is left behind.
    """
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (length,)}
    unfinished = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as file:
            unfinished = Path(file.name)
            npy.write_array_header_2_0(file, header)
            file.flush()
            digest = hashlib.sha256(unfinished.read_bytes())
            for block in blocks:
                data = np.ascontiguousarray(block, dtype).tobytes()
                digest.update(data)
                file.write(data)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        replace_file(unfinished, path)
    except BaseException as error:  # Ctrl-C and SIGTERM as well: nothing is left behind
        if unfinished is not None:
            with contextlib.suppress(OSError):
                unfinished.unlink()
        if not isinstance(error, OSError):
            raise
        # Another process may have it open that has made the same: Windows replaces nothing that is open.
        if isinstance(error, PermissionError) and (array := open_array(path, dtype)) is not None:
            return array
        raise OutputError(f"cannot keep notes in {path.parent}: {error.strerror or error}") from error
    array = open_array(path, dtype)
    if array is None:
        raise OutputError(f"what was written to {path} cannot be read; choose another folder by IMPROVISER_CACHE")
    return array


def open_array(path: Path, dtype: np.dtype[Any]) -> StoredArray | None:
    """Return the array in a file, or None if there is none, or another, or it is damaged: it is read through."""
    array = _opened(path)
    return array if array is not None and array.dtype == dtype else None


def known_array(path: str, digest: bytes) -> StoredArray:
    """Return an array that is known by its digest: from where it was, or from this machine's cache.

    :raises MissingArrayError: if it is at neither place.
    """
    for place in (Path(path), received_path(digest)):
        array = _opened(place, digest)
        if array is not None:
            return array
    raise MissingArrayError(digest)


def received_path(digest: bytes) -> Path:
    """Return where an array lies that was sent here."""
    return array_path(f"sent-{digest.hex()}")


def receive(digest: bytes, size: int, start: int, data: bytes) -> bool:
    """Take in a part of an array's file; return whether it is here, when the last part has come.

    The parts come one after the other, to one process; else it is not here in the end, and comes again.

    :raises OutputError: if it cannot be written.
    """
    path = received_path(digest)
    unfinished = path.with_name(f"{UNFINISHED}{digest.hex()}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("r+b" if start and unfinished.exists() else "w+b") as file:
            file.seek(start)
            file.write(data)
        if start + len(data) < size:
            return True
        if _digest_of(unfinished) != digest:
            unfinished.unlink()
            return False
        replace_file(unfinished, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        if _digest_of(path) == digest:  # another process had it first, and Windows replaces nothing that is open
            return True
        raise OutputError(f"cannot keep notes in {path.parent}: {error.strerror or error}") from error
    return True


def _digest_of(path: Path) -> bytes | None:
    """Return the digest of an array's file, which is closed again; None if there is none, or it is damaged."""
    array = _opened(path)
    return None if array is None else array.digest


def _opened(path: Path, wanted: bytes | None = None) -> StoredArray | None:
    """Return an array, if there is one.

    :param wanted: the digest of one that has been read through before; None: it is read through now.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_regular(path, LARGEST))
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - DIGEST))
            digest = file.read(DIGEST)
            # First of all: so nobody reads the header of what is damaged.
            if digest != wanted if wanted is not None else not _is_whole(file, size - DIGEST, digest):
                return None
            file.seek(0)
            dtype, start = _read_header(file)
        except (OSError, ValueError, SyntaxError, TypeError, TokenError):
            return None
        stack.pop_all()
    used(path)
    return StoredArray(path, file, digest, dtype, start)


def _read_header(file: BufferedReader) -> tuple[np.dtype[Any], int]:
    """Return what kind of rows a file has, and where they begin.

    :raises ValueError: if it is no such file, or cut off.
    """
    if npy.read_magic(file) != (2, 0):
        raise ValueError("another format")
    shape, in_columns, dtype = npy.read_array_header_2_0(file)
    start = file.tell()
    whole = start + shape[0] * dtype.itemsize + DIGEST if len(shape) == 1 else -1
    if dtype.hasobject or in_columns or not dtype.itemsize or os.fstat(file.fileno()).st_size != whole:
        raise ValueError("not ours, or cut off")
    return dtype, start


def _is_whole(file: BufferedReader, size: int, wanted: bytes) -> bool:
    """Read a file through, up to its digest; return whether that is what it should be."""
    file.seek(0)
    digest = hashlib.sha256()
    left = size
    while left > 0 and (data := file.read(min(BLOCK, left))):
        digest.update(data)
        left -= len(data)
    return digest.digest() == wanted
