"""What many files hold, as one table: read by as many workers as there are, what is kept of them not again.

The notes of many files lie in an array on disk, and lines are views of it; those of a few are held.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from improviser.core.music.line import ROW, Line, Rows
from improviser.errors import CorpusError, OutputError, UserError
from improviser.files import read_regular
from improviser.training import parsed_file
from improviser.training.cache import prune
from improviser.training.mapping import mapped
from improviser.training.parsed_file import ParsedFile
from improviser.training.progress import Progress
from improviser.training.stored_array import StoredArray, array_path, open_array, write_array

IN_MEMORY = 2**22
"""Bytes: notes that take no more are simply held."""
BATCH_FILES, BATCH_BYTES = 16, 2**18
"""What a worker is given to read at a time."""
LARGEST_INDEX = 2**30


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of files.

    :param look: returns what a file is known by, see `parsed_file.name_for`, and what to call `parse` with.
    :param parse: returns what the file holds, in a worker; can be sent to one.
    """

    look: Callable[[Path], tuple[str, tuple[Any, ...]]]
    parse: Callable[..., ParsedFile]

    def again(self, path: Path, name: str) -> tuple[Any, ...]:
        """Return what to call `parse` with.

        :raises CorpusError: if the file is not any more what it was.
        """
        try:
            found, arguments = self.look(path)
        except UserError as error:
            raise CorpusError(f"{path} was there, and now it {error}") from error
        if found != name:
            raise CorpusError(f"{path} was changed while it was read; train again")
        return arguments


class StoredLine(Line):
    """A line that lies in an array on disk; what is sent to another process is where."""

    __slots__ = ("_array", "_start", "_stop")

    def __init__(self, array: StoredArray, start: int, stop: int) -> None:
        self._array = array
        self._start = start
        self._stop = stop

    @property
    def rows(self) -> Rows:
        """The numbers, shape (notes,) of ROW; read each time."""
        return self._array.part(self._start, self._stop)

    def part(self, start: int, stop: int) -> Line:
        """Return the notes from one place up to another."""
        return StoredLine(self._array, self._start + start, self._start + stop)

    def __len__(self) -> int:
        return self._stop - self._start

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredLine, (self._array, self._start, self._stop)


@dataclass(frozen=True, slots=True)
class NoteTable:
    """What the files hold, in their order, without their notes; and the lines of each."""

    files: Sequence[ParsedFile]
    lines: Sequence[Sequence[Line]]


def note_table(
    kind: Kind,
    names: Sequence[str],
    paths: Sequence[Path],
    progress: Progress,
    executor: Executor | None = None,
) -> NoteTable:
    """Return what files hold.

    :param names: what each is known by.
    :param executor: whose workers read; None: this process.
    :raises CorpusError: if a file is not any more what it was when it was named.
    :raises ImproviserError: if the workers are lost.
    """
    path = array_path(hashlib.sha256("".join(("table", *names)).encode()).hexdigest())
    if len(names) > 1 and (table := _opened(path, len(names))) is not None:
        return table
    unknown = {name: where for name, where in zip(names, paths, strict=True) if parsed_file.kept(name) is None}
    held: dict[str, ParsedFile] = {}

    def put(name: str, found: ParsedFile) -> None:
        if not parsed_file.keep(name, found):
            held[name] = found

    done, batches = 0, list(_batches(unknown.items()))
    progress("reading files", 0.0)
    arguments = ((kind.parse, [kind.again(where, name) for name, where in its.items()]) for its in batches)
    for its, found in zip(batches, mapped(executor, _parsed, arguments), strict=True):
        for name, each in zip(its, found, strict=True):
            put(name, each)
        done += len(its)
        progress("reading files", done / len(unknown))
    progress("reading files", 1.0)
    where_from = dict(zip(names, paths, strict=True))

    def each_file() -> Iterator[ParsedFile]:
        for name in names:
            found = held.get(name) or parsed_file.kept(name)
            if found is None:  # it went while we looked on
                found = kind.parse(*kind.again(where_from[name], name))
            yield found

    return _table(path, each_file)


def _batches(files: Iterable[tuple[str, Path]]) -> Iterator[dict[str, Path]]:
    """Yield some files at a time."""
    batch: dict[str, Path] = {}
    size = 0
    for name, path in files:
        batch[name] = path
        with contextlib.suppress(OSError):
            size += path.stat().st_size
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch


def _parsed(parse: Callable[..., ParsedFile], files: Sequence[tuple[Any, ...]]) -> list[ParsedFile]:
    """Return what some files hold, in a worker."""
    return [parse(*arguments) for arguments in files]


def _table(path: Path, each_file: Callable[[], Iterable[ParsedFile]]) -> NoteTable:
    """Return the table of files, and keep it if it is large."""
    files: list[ParsedFile] = []
    parts: list[Rows] = []
    size = 0
    for found in each_file():
        files.append(msgspec.structs.replace(found, notes=b""))
        size += len(found.notes)
        parts.append(found.rows())
        if size > IN_MEMORY:
            parts.clear()
    if size > IN_MEMORY:
        try:
            array = write_array(path, ROW, size // ROW.itemsize, (found.rows() for found in each_file()))
        except OutputError:  # there is no room: they fit into memory as well, if not so well
            parts = [found.rows() for found in each_file()]
        else:
            parsed_file.write_kept(_index_of(path), parsed_file.encoded(files))
            prune()
            return _of_array(array, files)
    rows = np.concatenate([np.zeros(0, ROW), *parts])
    return NoteTable(files, [[Line(rows[start:stop]) for start, stop in its] for its in _places(files)])


def _opened(path: Path, count: int) -> NoteTable | None:
    """Return a table of so many files that was kept, if there is one that is whole."""
    try:
        files = parsed_file.decoded(read_regular(_index_of(path), LARGEST_INDEX), list[ParsedFile])
    except OSError:
        return None
    array = None if files is None else open_array(path, ROW)
    if files is None or array is None or len(files) != count or len(array) != sum(sum(one.lengths) for one in files):
        return None
    return _of_array(array, files)


def _of_array(array: StoredArray, files: Sequence[ParsedFile]) -> NoteTable:
    return NoteTable(files, [[StoredLine(array, start, stop) for start, stop in its] for its in _places(files)])


def _places(files: Iterable[ParsedFile]) -> Iterator[list[tuple[int, int]]]:
    """Yield where the lines of each file lie in the table."""
    start = 0
    for file in files:
        places = []
        for length in file.lengths:
            places.append((start, start + length))
            start += length
        yield places


def _index_of(path: Path) -> Path:
    return path.with_suffix(".lines")
