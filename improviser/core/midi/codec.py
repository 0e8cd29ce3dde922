"""MIDI messages as bytes (MIDI 1.0): what they say, and how that is written.

Read and written here, and not by mido, since this is on the path of every note: the checks of mido's messages take ten
times as long.
"""

from collections.abc import Iterable, Sequence

from improviser.core.midi.event import (
    ChannelPressure,
    Continue,
    ControlChange,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
    SongPosition,
    Start,
    Stop,
    Tick,
    Transport,
)

BEND_CENTRE = 1 << 13
NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, PRESSURE, BEND, SYSTEM = range(0x80, 0x100, 0x10)
"""Statuses: in all but the last the lower four bits are the channel."""


def decode(message: Sequence[int]) -> Event | None:
    """Return what a raw MIDI message says, or None if it says nothing the performer listens to.

    A note-on of velocity 0 is a note-off (MIDI 1.0).
    """
    if len(message) not in (2, 3):
        return None
    kind, channel = message[0] & 0xF0, message[0] & 0x0F
    first, last = message[1], message[-1]
    if message[0] >= SYSTEM or not (0 <= first <= 0x7F and 0 <= last <= 0x7F):
        return None
    if len(message) == 3:
        if kind == NOTE_ON:
            return NoteOn(channel, first, last) if last else NoteOff(channel, first)
        if kind == NOTE_OFF:
            return NoteOff(channel, first, last)
        if kind == CONTROL:
            return ControlChange(channel, first, last)
        if kind == BEND:
            return PitchBend(channel, (last << 7 | first) - BEND_CENTRE)
        return KeyPressure(channel, first, last) if kind == KEY_PRESSURE else None
    if kind == PRESSURE:
        return ChannelPressure(channel, first)
    return ProgramChange(channel, first) if kind == PROGRAM else None


ACTIVE_SENSING = 0xFE
SONG_POSITION = 0xF2
_TRANSPORT: dict[int, Transport] = {0xF8: Tick(), 0xFA: Start(), 0xFB: Continue(), 0xFC: Stop()}


def events_of(messages: Iterable[Sequence[int]]) -> tuple[Event, ...]:
    """Return what raw messages say, without those that are none of ours."""
    return tuple(event for event in map(decode, messages) if event is not None)


def decode_transport(message: Sequence[int]) -> Transport | None:
    """Return what a raw MIDI message says of a sequencer's time, or None if nothing."""
    if len(message) == 1:
        return _TRANSPORT.get(message[0])
    if len(message) == 3 and message[0] == SONG_POSITION and 0 <= message[1] <= 0x7F and 0 <= message[2] <= 0x7F:
        return SongPosition(message[2] << 7 | message[1])
    return None


def encode(event: Event) -> bytes:
    """Return `event` as a raw MIDI message."""
    match event:
        case NoteOn(channel, pitch, velocity):
            return bytes((NOTE_ON | channel, pitch, velocity))
        case NoteOff(channel, pitch, velocity):
            return bytes((NOTE_OFF | channel, pitch, velocity))
        case ControlChange(channel, control, value):
            return bytes((CONTROL | channel, control, value))
        case PitchBend(channel, value):
            bend = value + BEND_CENTRE
            return bytes((BEND | channel, bend & 0x7F, bend >> 7))
        case ChannelPressure(channel, value):
            return bytes((PRESSURE | channel, value))
        case KeyPressure(channel, pitch, value):
            return bytes((KEY_PRESSURE | channel, pitch, value))
        case ProgramChange(channel, program):
            return bytes((PROGRAM | channel, program))
