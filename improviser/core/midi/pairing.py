"""Pairs note-ons with their note-offs."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from improviser.core.midi.event import SUSTAIN, ControlChange, Event, NoteOff, NoteOn, TimedEvent
from improviser.core.music.note import Note

PEDAL_DOWN = 64
"""From this value on a pedal is down."""

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


def notes_of(events: Iterable[TimedEvent], end_seconds: float) -> tuple[Note, ...]:
    """Return the notes of timed events (in order, all channels), by onset, then pitch."""
    notes = (Note(on.pitch, start, end - start, on.velocity) for start, end, on in pair(events, end_seconds))
    return tuple(sorted(notes, key=lambda note: (note.onset_seconds, note.pitch)))


def held_by_pedal(events: Iterable[TimedEvent]) -> Iterator[TimedEvent]:
    """Yield the events with every note-off that falls into a held sustain pedal moved to the pedal's release.

    A key struck again under the pedal ends the note that the pedal held. A pedal never released holds for ever: its
    note-offs do not come.
    """
    down: set[int] = set()
    held: dict[int, list[NoteOff]] = defaultdict(list)
    for seconds, event in events:
        if isinstance(event, ControlChange) and event.control == SUSTAIN:
            if event.value >= PEDAL_DOWN:
                down.add(event.channel)
            else:
                down.discard(event.channel)
                yield from ((seconds, off) for off in held.pop(event.channel, []))
        elif isinstance(event, NoteOff) and event.channel in down:
            held[event.channel].append(event)
            continue
        elif isinstance(event, NoteOn) and held[event.channel]:
            again = [off for off in held[event.channel] if off.pitch == event.pitch]
            held[event.channel] = [off for off in held[event.channel] if off.pitch != event.pitch]
            yield from ((seconds, off) for off in again)
        yield seconds, event
