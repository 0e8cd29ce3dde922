"""The messages of one track of a MIDI file, read in one pass that keeps only what matters here.

Data bytes above 127 spoil no file: in messages that are not used they do not matter, a velocity becomes 127, and a note
of such a number is left out, since there is no such note.
"""

from dataclasses import dataclass, field

from improviser.core.midi import mpe
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.midi.repairs import Repairs
from improviser.errors import MidiFileError

MOST_NOTES = 200_000
"""In a file, drums counted. The longest operas have half as many; what these take fits in memory."""
MOST_CHANGES = 100_000
"""Changes of tempo, of time signature and of MPE zones in a file, each."""
LONGEST_NUMBER = 4
"""Bytes of a variable-length number, by the specification."""
OVERRUN = "is broken in {}: a message runs over the track's end"
META = 0xFF
SYSTEM_EXCLUSIVE = (0xF0, 0xF7)
TRACK_NAME, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE = 0x03, 0x2F, 0x51, 0x58
# Data bytes of the messages below F0, by their upper four bits, and of the system messages that have no place in a file
# but are met in some.
CHANNEL_DATA = (0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 1, 1, 2)
SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xF9: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
MANAGERS = (0xB0 | mpe.LOWER_MANAGER, 0xB0 | mpe.UPPER_MANAGER)


class TooMuchError(MidiFileError):
    """More than any piece holds; nothing can be left out to read it."""


@dataclass(slots=True)
class Room:
    """How much a file may still hold."""

    notes: int = MOST_NOTES
    changes: int = MOST_CHANGES

    def take(self, track: "RawTrack") -> None:
        """Take what a track needs.

        :raises TooMuchError: if there is no room for it.
        """
        changes = len(track.tempos) + len(track.signatures) + len(track.configurations)
        self.notes -= len(track.events) // 2
        self.changes -= changes
        self.check(0, 0)

    def check(self, notes: int, changes: int) -> None:
        """Check that there is room for so much.

        :raises TooMuchError: if not.
        """
        if notes > self.notes:
            raise TooMuchError(f"holds more than {MOST_NOTES:,} notes, more than any piece")
        if changes > self.changes:
            raise TooMuchError(f"holds more than {MOST_CHANGES:,} changes of tempo and the like, more than any piece")


@dataclass(slots=True)
class RawTrack:
    """What one track holds; times are in ticks.

    :param tempos: (tick, microseconds per beat).
    :param signatures: (tick, numerator, denominator).
    :param configurations: of MPE zones: (tick, manager channel, members).
    :param ended: whether it said where it ends.
    :param size: bytes read.
    """

    name: bytes = b""
    events: list[tuple[int, NoteOn | NoteOff]] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    signatures: list[tuple[int, int, int]] = field(default_factory=list)
    configurations: list[tuple[int, int, int]] = field(default_factory=list)
    end_tick: int = 0
    ended: bool = False
    size: int = 0
    repairs: Repairs = field(default_factory=Repairs)


def read_messages(chunk: bytes, where: str, room: Room) -> RawTrack:
    """Return what the messages in `chunk` say, up to End of Track or the chunk's end.

    Running status outlives meta events and SysEx: the standard says otherwise, but some files count on it.

    :raises TooMuchError: if it is more than there is room for.
    :raises MidiFileError: if they are broken; its text goes on from the file's name.
    """
    track = RawTrack()
    reader = mpe.ConfigurationReader()
    position = tick = running = ons = unused = 0
    most_ons, most_events = room.notes, 2 * room.notes
    try:
        while position < len(chunk) and not track.ended:
            delta, position = (
                (byte, position + 1) if (byte := chunk[position]) < 0x80 else _number(chunk, position, where)
            )
            tick += delta
            status = chunk[position]
            if status < 0x80:
                status = running
            else:
                position += 1
            if status > 0xEF:
                position = _system(chunk, position, status, tick, track, where)
                continue
            if not status:
                raise MidiFileError(f"is broken in {where}: it starts with data instead of a message")
            running = status
            first = chunk[position]
            position += CHANNEL_DATA[status >> 4]
            last = chunk[position - 1]
            if status < 0xA0:
                ons += _note(track, tick, status, first, last, where)
                if ons > most_ons or len(track.events) > most_events:
                    room.check(most_ons + 1, 0)
            elif first > 0x7F or last > 0x7F:
                unused += 1
            elif status in MANAGERS and first in mpe.CONTROLS:
                members = reader.read(status & 0xF, first, last)
                if members is not None:
                    track.configurations.append((tick, status & 0xF, members))
                    room.check(0, len(track.configurations))
    except IndexError:
        raise MidiFileError(OVERRUN.format(where)) from None
    if unused:
        text = f"{where} has a message with a data byte above 127 that is not used here; passed over"
        track.repairs.add("unused", text, unused)
    track.end_tick, track.size = tick, position
    return track


def _note(track: RawTrack, tick: int, status: int, pitch: int, velocity: int, where: str) -> bool:
    """Keep a note-on or note-off; return whether a note starts. A note-on of velocity 0 is a note-off."""
    if pitch > 127:
        track.repairs.add("pitch", f"{where} has a message for note {pitch}, where 127 is the last; left out")
        return False
    if velocity > 127:
        track.repairs.add("velocity", f"{where} has a velocity of {velocity}; taken for 127, the largest")
        velocity = 127
    starts = status > 0x8F and velocity > 0
    track.events.append((tick, (NoteOn if starts else NoteOff)(status & 0xF, pitch, velocity)))
    return starts


def _system(chunk: bytes, position: int, status: int, tick: int, track: RawTrack, where: str) -> int:
    """Take in a system message or meta event whose status byte stands before `position`; return what is behind it."""
    kind = 0
    if status == META:
        kind = chunk[position]
        size, position = _number(chunk, position + 1, where)
    elif status in SYSTEM_EXCLUSIVE:
        size, position = _number(chunk, position, where)
    elif status in SYSTEM_DATA:
        size = SYSTEM_DATA[status]
    else:
        raise MidiFileError(f"is broken in {where}: no message starts with the byte {status:02X}")
    behind = position + size
    if behind > len(chunk):
        raise MidiFileError(OVERRUN.format(where))
    if kind == END_OF_TRACK:
        track.ended = True
    elif kind == TRACK_NAME:
        track.name = track.name or chunk[position:behind]
    elif kind == SET_TEMPO and size == 3:
        track.tempos.append((tick, int.from_bytes(chunk[position:behind])))
    elif kind == TIME_SIGNATURE and size >= 2 and chunk[position] > 0 and chunk[position + 1] < 8:
        track.signatures.append((tick, chunk[position], 1 << chunk[position + 1]))
    return behind


def _number(chunk: bytes, position: int, where: str) -> tuple[int, int]:
    """Return the variable-length number at `position`, and the position behind it."""
    number = 0
    for byte in chunk[position : position + LONGEST_NUMBER]:
        position += 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, position
    raise MidiFileError(f"is broken in {where}: a length or time in it has no end")
