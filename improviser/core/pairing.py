"""Pairs note-ons with their note-offs."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from improviser.core.event import Event, NoteOff, NoteOn
from improviser.core.note import Note

Time = TypeVar("Time", int, float)


def pair(events: Iterable[tuple[Time, Event]], end: Time) -> Iterator[tuple[Time, Time, NoteOn]]:
    """Yield (start, end, note-on) of each note, in the order in which they end.

    Of overlapping notes of one pitch and channel the first started ends first; what never ends, ends at `end` (or where
    it starts, if that is later); a note-off without a note-on is nothing. `events` are in order; other events than
    notes are passed over.
    """
    sounding: defaultdict[tuple[int, int], deque[tuple[Time, NoteOn]]] = defaultdict(deque)
    for time, event in events:
        if isinstance(event, NoteOn):
            sounding[event.channel, event.pitch].append((time, event))
        elif isinstance(event, NoteOff) and sounding[event.channel, event.pitch]:
            start, note_on = sounding[event.channel, event.pitch].popleft()
            yield start, time, note_on
    for unfinished in sounding.values():
        for start, note_on in unfinished:
            yield start, max(start, end), note_on


def notes_of(events: Iterable[tuple[float, Event]], end_seconds: float) -> tuple[Note, ...]:
    """Return the notes of timed events (in order, all channels), by onset, then pitch."""
    notes = (Note(on.pitch, start, end - start, on.velocity) for start, end, on in pair(events, end_seconds))
    return tuple(sorted(notes, key=lambda note: (note.onset_seconds, note.pitch)))
