"""Notes to score that lie on disk, a row each: a minibatch of them is read when it is drawn.

They are made by as many workers as there are, piece by piece, and kept: for the same pieces, register and software they
are read again. All viewpoints are there, so that recipes that see others share them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from improviser.core.harmony.corpus import Duet
from improviser.core.music.line import Line, numbers_of
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.notes import Notes
from improviser.core.networks.viewpoints import Part
from improviser.training.cache import prune
from improviser.training.mapping import mapped
from improviser.training.progress import Progress
from improviser.training.software import software
from improviser.training.stored_array import StoredArray, array_path, open_array, write_array

TOGETHER = 1000
"""Notes that a worker makes ready at a time, about."""

LayOut = Callable[[Iterable[Duet], ChoirSettings], Notes]
"""Plays duets through the session that also plays live, and returns a note to score for each note of the players."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredNotes:
    """Notes on disk.

    :param array: a row for each, see `_kind_of`.
    :param width: how many inputs all viewpoints have.
    :param columns: which of them the numbers go to.
    :param part: what is seen of them.
    """

    array: StoredArray
    width: int
    columns: NDArray[np.int64]
    part: Part

    def __len__(self) -> int:
        return len(self.array)

    def take(self, chosen: NDArray[np.int64]) -> Notes:
        """Return the notes with the numbers `chosen`, shape (notes,)."""
        rows = self.array.take(chosen)
        previous, tonic, player, target = rows["frame"].astype(np.int64).T.copy()
        numbers, choices = rows["numbers"].copy(), rows["choices"].copy()
        experts = rows["experts"].copy() if "experts" in (rows.dtype.names or ()) else None
        notes = Notes(self.width, choices, self.columns, numbers, previous, tonic, player, target, experts)
        return notes.seen(self.part)

    def seen(self, part: Part) -> "StoredNotes":
        """Return the notes as a network sees them that has only some of the viewpoints."""
        return StoredNotes(self.array, self.width, self.columns, part)


def stored(
    lay_out: LayOut,
    duets: Sequence[Duet],
    settings: ChoirSettings,
    part: Part,
    step: str,
    progress: Progress,
    executor: Executor | None,
) -> StoredNotes:
    """Return duets as notes on disk.

    :param lay_out: can be sent to other processes.
    :param settings: with all viewpoints.
    :param part: what is to be seen of them.
    :param step: what progress calls it.
    :raises OutputError: if there is no room for them.
    :raises ImproviserError: if the workers are lost.
    """
    first = lay_out([(duets[0][0][:1], duets[0][1][:1])], settings)
    dtype = _kind_of(first)
    path = array_path(_name_of(lay_out, duets, settings))
    array = open_array(path, dtype)
    if array is None:
        progress(step, 0.0)
        length = sum(len(player) for player, _ in duets)
        laid_out = mapped(executor, _rows, ((lay_out, some, settings) for some in _together(duets)))
        array = write_array(path, dtype, length, _watched(laid_out, length, step, progress))
        prune()
    return StoredNotes(array, first.width, first.columns, part)


def _watched(blocks: Iterable[NDArray[Any]], length: int, step: str, progress: Progress) -> Iterator[NDArray[Any]]:
    done = 0
    for block in blocks:
        yield block
        done += len(block)
        progress(step, done / length)
    progress(step, 1.0)


def _together(duets: Iterable[Duet]) -> Iterator[list[Duet]]:
    """Yield some duets at a time."""
    some: list[Duet] = []
    notes = 0
    for player, own in duets:
        some.append((held(player), held(own)))
        notes += len(player)
        if notes >= TOGETHER:
            yield some
            some, notes = [], 0
    if some:
        yield some


def held(line: Sequence[Note]) -> Sequence[Note]:
    """Return a line that lies in no array, to be sent to those who have it not."""
    return Line(line.rows) if isinstance(line, Line) else line


def _kind_of(notes: Notes) -> np.dtype[Any]:
    """Return what a row holds: the choices, the numbers, what its heads are read against, and what the experts say."""
    fields = [
        ("choices", "<i4", notes.choices.shape[1:]),
        ("numbers", "<f4", notes.numbers.shape[1:]),
        ("frame", "<i2", (4,)),
    ]
    return np.dtype(fields if notes.experts is None else [*fields, ("experts", "<f4", notes.experts.shape[1:])])


def _rows(lay_out: LayOut, duets: Sequence[Duet], settings: ChoirSettings) -> NDArray[Any]:
    """Return duets as rows, in a worker."""
    notes = lay_out(duets, settings)
    rows = np.zeros(len(notes), _kind_of(notes))
    rows["choices"], rows["numbers"] = notes.choices, notes.numbers
    rows["frame"] = np.stack([notes.previous, notes.tonic, notes.player, notes.target], axis=1)
    if notes.experts is not None:
        rows["experts"] = notes.experts
    return rows


def _name_of(lay_out: LayOut, duets: Iterable[Duet], settings: ChoirSettings) -> str:
    """Return what the notes are known by."""
    seen = settings.low, settings.high, settings.player, settings.viewpoints, settings.experts
    about = [lay_out.__module__, lay_out.__qualname__, seen, dict(software())]
    digest = hashlib.sha256(msgspec.json.encode(about))
    for duet in duets:
        for line in duet:
            digest.update(len(line).to_bytes(8, "little") + numbers_of(line).tobytes())
    return digest.hexdigest()
