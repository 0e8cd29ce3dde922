"""Renders what `improviser play --input FILE` would play, as fast as the machine can."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.raw import Performer
from improviser.core.midi.codec import encode, events_of
from improviser.core.midi.event import NoteOff, NoteOn, TimedEvent
from improviser.core.midi.pairing import pair
from improviser.core.midi.tempo import TempoMap
from improviser.core.music.note import Note
from improviser.core.music.player import note_events
from improviser.midifile import MidiPiece, TimedNote, part, without_drum_channel
from improviser.recordings.midi_recording import IMPROVISER, PLAYER
from improviser.recordings.rendering import assembled

ANSWER_SECONDS = 4.0
"""A reply that has not begun so long after the last note does not come."""
LISTEN_SECONDS = 0.1
LONGEST_ENDING_SECONDS = 60.0
"""How long the last reply may take."""


def players_part(piece: MidiPiece) -> MidiPiece:
    """Return what of a piece a player plays: no drums, and of a recorded session nothing of the improviser's."""
    recorded = piece.tracks[:2] == (PLAYER, IMPROVISER)
    notes = part(piece.notes, track=0) if recorded else piece.notes
    return replace(piece, notes=without_drum_channel(notes or piece.notes))


def messages_of(piece: MidiPiece) -> list[tuple[float, bytes]]:
    """Return all notes as messages, each with its time in seconds, in order."""
    channels: dict[int, list[Note]] = {}
    for timed in piece.notes:
        channels.setdefault(timed.channel, []).append(timed.note)
    events = [moment for channel, its in sorted(channels.items()) for moment in note_events(its, channel=channel)]
    return [(seconds, encode(event)) for seconds, event in sorted(events, key=lambda moment: moment[0])]


class _Played:
    """What a performer has played, and what of it still sounds."""

    def __init__(self) -> None:
        self.events: list[TimedEvent] = []
        self.sounding: set[tuple[int, int]] = set()
        """Channels and pitches."""

    def add(self, seconds: float, messages: Iterable[bytes]) -> None:
        for event in events_of(messages):
            self.events.append((seconds, event))
            if isinstance(event, NoteOn):
                self.sounding.add((event.channel, event.pitch))
            elif isinstance(event, NoteOff):
                self.sounding.discard((event.channel, event.pitch))


def perform(
    heard: Iterable[tuple[float, bytes]], performer: Performer, tail: float | None
) -> tuple[list[TimedEvent], float]:
    """Return what a performer plays to stamped messages, and when that ends, in seconds.

    :param tail: how many seconds the session goes on behind the last message; None: until the last answer has ended,
        as `play` with a file does.
    """
    played = _Played()
    now = -math.inf
    for now, message in heard:
        _wait(performer, now, played)
        played.add(now, performer.hear(message, now))
    if not math.isfinite(now):
        return played.events, now
    if tail is None:
        return played.events, _end(performer, now, played)
    _wait(performer, now + tail, played)
    return played.events, now + tail


def _wait(performer: Performer, until: float, played: _Played) -> None:
    while (due := performer.deadline) is not None and due <= until:
        played.add(due, performer.advance(due))


def _end(performer: Performer, now: float, played: _Played) -> float:
    """Play on until the last answer has ended; return when that is."""
    mode = MODES_BY_NAME[performer.parameters["mode"]]
    if mode.endless:
        return now
    patience = ANSWER_SECONDS if mode.replies else LISTEN_SECONDS
    active, last = now, now + LONGEST_ENDING_SECONDS
    while (due := performer.deadline) is not None and due <= last and (due <= active + patience or played.sounding):
        before = len(played.events)
        _wait(performer, due, played)
        active = due if len(played.events) > before else active
    return last if played.sounding else active


def render_live(
    piece: MidiPiece, performer: Performer, name: str, *, tail: float | None = None, with_input: bool = False
) -> MidiPiece:
    """Return what is played to `piece` in a live session, in one track of this name, in the piece's own tempo.

    :param tail: see `perform`.
    :param with_input: as for `rendering.render`.
    """
    piece = players_part(piece)
    played, end = perform(messages_of(piece), performer, tail)
    return assembled(piece, list(_timed(played, end, piece.tempo)), name, with_input=with_input)


def _timed(played: Iterable[TimedEvent], end: float, tempo: TempoMap) -> Iterator[TimedNote]:
    """Yield the notes of what was played, in ticks of `tempo`."""
    for start, stop, on in pair(played, end):
        note = Note(on.pitch, start, stop - start, on.velocity)
        yield TimedNote(0, on.channel, tempo.tick_at(start), tempo.tick_at(stop), note)
