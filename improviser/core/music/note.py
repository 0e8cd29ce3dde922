"""A note: pitch, onset, duration and velocity."""

import math
from dataclasses import dataclass

from improviser.core.printable import shown
from improviser.errors import NoteError

PITCHES = 128
CHANNELS = 16


@dataclass(frozen=True, slots=True, order=False)
class Note:
    """One note of a piece or a session.

    :param pitch: MIDI note number, 0–127 (60 is middle C).
    :param onset_seconds: when it starts; finite.
    :param duration_seconds: how long it sounds; finite, not negative.
    :param velocity: 1–127; a note of velocity 0 is no note.
    :raises NoteError: for anything outside these ranges.
    """

    pitch: int
    onset_seconds: float
    duration_seconds: float
    velocity: int = 64

    def __post_init__(self) -> None:
        if not (_is_whole(self.pitch) and 0 <= self.pitch < PITCHES):
            raise NoteError(f"pitch {shown(self.pitch)} is no whole number within 0–127")
        if not (_is_whole(self.velocity) and 1 <= self.velocity <= 127):
            raise NoteError(f"velocity {shown(self.velocity)} is no whole number within 1–127")
        if not is_time(self.onset_seconds):
            raise NoteError(f"onset {shown(self.onset_seconds)} is not a finite number of seconds")
        if not (is_time(self.duration_seconds) and self.duration_seconds >= 0):
            raise NoteError(f"duration {shown(self.duration_seconds)} is not a finite number of seconds ≥ 0")

    @property
    def end_seconds(self) -> float:
        """When it stops sounding."""
        return self.onset_seconds + self.duration_seconds


def is_time(value: object) -> bool:
    """Whether `value` is a finite number of seconds, of Python's or of numpy's."""
    try:
        return math.isfinite(value)  # type: ignore[arg-type]  # what is no number is told by this
    except (TypeError, ValueError, OverflowError):
        return False


def _is_whole(value: object) -> bool:
    """Whether `value` is an integer, of Python's or of numpy's."""
    return hasattr(value, "__index__")
