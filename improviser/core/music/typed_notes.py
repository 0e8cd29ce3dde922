"""A computer keyboard as a musical one: two rows of keys are an octave and a half, as in trackers.

::

     w e   t y u   o p        the black keys
    a s d f g h j k l ; '     the white keys, from C
    z x                       an octave down, up
    c v                       softer, louder

A terminal tells that a key goes down, never that it comes up. So a note ends when the next one starts, or after a
while; a key that is held repeats itself, faster than any finger can, and that prolongs its note.
"""

from collections.abc import Iterator

from improviser.core.midi.event import NoteOff, NoteOn

KEYS = {key: step for step, key in enumerate("awsedftgyhujkolp;'")}
LOWEST, HIGHEST = 0, 108
"""The lowest C, and the highest: all keys above it are MIDI pitches still."""
NOTE_SECONDS = 0.7
"""How long a note sounds; keyboards begin to repeat a key that is held within this."""
REPEAT_SECONDS = 0.08
HELD_SECONDS = 0.15
"""A key that repeats is let go when it has not repeated for so long."""
VELOCITIES = (16, 32, 48, 64, 80, 96, 112, 127)

Events = list[NoteOn | NoteOff]


class TypedNotes:
    """Turns keys into notes, one at a time, on channel 0. Times are in seconds."""

    def __init__(self) -> None:
        self._base = 60
        self._loudness = VELOCITIES.index(80)
        self._key = ""
        self._pressed = 0.0
        self._sounding: int | None = None
        self.end_seconds: float | None = None
        """When the note that sounds ends by itself; None if none does."""

    def press(self, key: str, now: float) -> Events | None:
        """Return what a key plays, maybe nothing; None if it is none of these keys."""
        key = key.lower()
        if key in ("z", "x"):
            self._base = min(HIGHEST, max(LOWEST, self._base + (12 if key == "x" else -12)))
            return []
        if key in ("c", "v"):
            self._loudness = min(len(VELOCITIES) - 1, max(0, self._loudness + (1 if key == "v" else -1)))
            return []
        if key not in KEYS:
            return None
        repeats = key == self._key and now - self._pressed < REPEAT_SECONDS and self._sounding is not None
        self._key, self._pressed = key, now
        if repeats:
            self.end_seconds = now + HELD_SECONDS
            return []
        pitch = self._base + KEYS[key]
        events: Events = [*self._end(), NoteOn(0, pitch, VELOCITIES[self._loudness])]
        self._sounding, self.end_seconds = pitch, now + NOTE_SECONDS
        return events

    def lapse(self, now: float) -> Events:
        """Return what ends because nothing was pressed until `now`."""
        due = self.end_seconds is not None and now >= self.end_seconds
        return list(self._end()) if due else []

    def _end(self) -> Iterator[NoteOff]:
        if self._sounding is not None:
            yield NoteOff(0, self._sounding)
        self._sounding = self.end_seconds = None
