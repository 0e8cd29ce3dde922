"""Arrays on disk, of which rows are read when they are needed: NumPy's own format, and behind it a digest of it all.

Such a file is written whole or not at all, and one that is not ours, cut off or damaged is none. Nothing in it is ever
unpickled. An array can be sent to another process: its digest is, and where it lies; see `MissingArrayError`.
"""

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from improviser.errors import OutputError
from improviser.files import open_regular
from improviser.training.cache import ARRAYS, UNFINISHED, cache_folder, used

LARGEST = 2**36
"""Bytes: a file that is larger is none of ours."""
DIGEST = 32
SUFFIX = ".npy"
BLOCK = 2**20
LET_GO_BYTES = 48 * 2**20
"""What is mapped counts as memory of the process: when about so much of it was touched, it is let go."""
AROUND = 16 * mmap.PAGESIZE
"""What is mapped with each page that is touched."""


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

    :param digest: of the whole file up to it.
    """

    def __init__(self, path: Path, digest: bytes, mapped: mmap.mmap, dtype: np.dtype[Any], start: int) -> None:
        self.path = path
        self.digest = digest
        self._mapped = mapped
        length = (len(mapped) - DIGEST - start) // dtype.itemsize
        self.rows: NDArray[Any] = np.frombuffer(mapped, dtype, length, start)
        """All rows, to be read; shape (length,)."""
        self._touched = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return known_array, (str(self.path), self.digest)

    def take(self, chosen: NDArray[np.int64]) -> NDArray[Any]:
        """Return copies of the rows with these numbers."""
        taken = self.rows[chosen]
        self._touched += len(chosen) * (AROUND + self.rows.dtype.itemsize)
        if self._touched > LET_GO_BYTES:
            self.let_go()
        return taken

    def part(self, start: int, stop: int) -> NDArray[Any]:
        """Return copies of the rows from one place up to another."""
        rows = self.rows[start:stop].copy()
        self._touched += rows.nbytes + mmap.PAGESIZE
        if self._touched > LET_GO_BYTES:
            self.let_go()
        return rows

    def let_go(self) -> None:
        """Give back the memory of what was read; it is read again when it is needed."""
        self._touched = 0
        if hasattr(self._mapped, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)

    def bytes_of_file(self, start: int, stop: int) -> bytes:
        """Return a part of the file, for who has it not."""
        part = self._mapped[start:stop]
        self.let_go()
        return part

    @property
    def size_of_file(self) -> int:
        """How many bytes the file has."""
        return len(self._mapped)


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
        unfinished.replace(path)
    except BaseException as error:  # Ctrl-C and SIGTERM as well: nothing is left behind
        if unfinished is not None:
            with contextlib.suppress(OSError):
                unfinished.unlink()
        if isinstance(error, OSError):
            raise OutputError(f"cannot keep notes in {path.parent}: {error.strerror or error}") from error
        raise
    array = open_array(path, dtype)
    if array is None:
        raise OutputError(f"what was written to {path} cannot be read; choose another folder by IMPROVISER_CACHE")
    return array


def open_array(path: Path, dtype: np.dtype[Any], *, check: bool = True) -> StoredArray | None:
    """Return the array in a file, or None if there is none, or another, or it is damaged.

    :param check: read it through, and compare its digest.
    """
    array = _opened(path, check=check)
    return array if array is not None and array.rows.dtype == dtype else None


def known_array(path: str, digest: bytes) -> StoredArray:
    """Return an array that is known by its digest: from where it was, or from this machine's cache.

    :raises MissingArrayError: if it is at neither place.
    """
    for place in (Path(path), received_path(digest)):
        array = _opened(place, check=False)
        if array is not None and array.digest == digest:
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
        array = _opened(unfinished, check=True)
        if array is None or array.digest != digest:
            unfinished.unlink()
            return False
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise OutputError(f"cannot keep notes in {path.parent}: {error.strerror or error}") from error
    return True


def _opened(path: Path, *, check: bool) -> StoredArray | None:
    try:
        with open_regular(path, LARGEST) as file:
            dtype, start = _read_header(file)
            size = os.fstat(file.fileno()).st_size
            file.seek(size - DIGEST)
            digest = file.read(DIGEST)
            if check and _digest(file, size - DIGEST) != digest:
                return None
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError, SyntaxError, EOFError, TypeError):
        return None
    used(path)
    return StoredArray(path, digest, mapped, dtype, start)


def _read_header(file: BinaryIO) -> tuple[np.dtype[Any], int]:
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


def _digest(file: BinaryIO, size: int) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    left = size
    while left and (data := file.read(min(BLOCK, left))):
        digest.update(data)
        left -= len(data)
    return digest.digest()
