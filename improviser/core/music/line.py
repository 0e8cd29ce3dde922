"""A line of notes kept as numbers, a row each: it takes a tenth of the memory of as many notes, which it makes anew."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float64Array
from improviser.core.music.note import Note

ROW = np.dtype([("pitch", "u1"), ("velocity", "u1"), ("onset", "<f8"), ("duration", "<f8")])
"""A note as numbers; times in seconds."""

Rows = NDArray[np.void]


def rows_of(notes: Iterable[Note]) -> Rows:
    """Return notes as numbers, shape (notes,) of ROW."""
    numbers = [(note.pitch, note.velocity, note.onset_seconds, note.duration_seconds) for note in notes]
    return np.array(numbers, ROW)


class Line(Sequence[Note]):
    """Notes that are made of their numbers when they are asked for; equal to any sequence of the same notes.

    :param rows: shape (notes,) of ROW.
    """

    __slots__ = ("_rows",)

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @property
    def rows(self) -> Rows:
        """The numbers, shape (notes,) of ROW."""
        return self._rows

    def part(self, start: int, stop: int) -> "Line":
        """Return the notes from one place up to another."""
        return Line(self.rows[start:stop])

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Note: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Note]: ...

    def __getitem__(self, place: int | slice) -> Note | Sequence[Note]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            return self.part(start, max(start, stop)) if step == 1 else Line(self.rows[place].copy())
        pitch, velocity, onset, duration = self.rows[place].item()
        return Note(pitch, onset, duration, velocity)

    def __iter__(self) -> Iterator[Note]:
        for pitch, velocity, onset, duration in self.rows.tolist():
            yield Note(pitch, onset, duration, velocity)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Line):
            return bool(np.array_equal(self.rows, other.rows))
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(Note.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # as a list has none: two that are equal may be of different kinds

    def __repr__(self) -> str:
        return f"Line of {len(self)} notes"


def numbers_of(notes: Sequence[Note]) -> Float64Array:
    """Return pitch, onset and duration of each note in turn, shape (3 × notes,)."""
    if isinstance(notes, Line):
        rows: Any = notes.rows
        return np.stack([rows[name].astype(np.float64) for name in ("pitch", "onset", "duration")], axis=1).reshape(-1)
    return np.array([number for note in notes for number in (note.pitch, note.onset_seconds, note.duration_seconds)])


def pitches_of(notes: Sequence[Note]) -> NDArray[np.int64]:
    """Return the pitch of each note, shape (notes,)."""
    if isinstance(notes, Line):
        rows: Any = notes.rows
        return np.asarray(rows["pitch"], np.int64)
    return np.array([note.pitch for note in notes], np.int64)


def range_of(lines: Iterable[Sequence[Note]]) -> tuple[int, int]:
    """Return the lowest and the highest pitch of all lines.

    :raises ValueError: if there is no note in them.
    """
    ends = [(int(pitches.min()), int(pitches.max())) for line in lines if len(pitches := pitches_of(line))]
    return min(low for low, _ in ends), max(high for _, high in ends)
