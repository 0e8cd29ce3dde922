"""What the bytes of a Standard MIDI File say (MIDI 1.0, RP-001), read so that nothing they say can do harm.

Read here rather than by mido because real files need more: mido 1.3 drops the time before a meta event it does not know
(all that follows in the track comes early), refuses a playable file for a key signature of nine flats, and takes time
quadratic in the length of a broken number. The tests hold both against each other on files that both can read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.midi.tempo import TempoMap
from improviser.errors import MidiFileError

HEADER_SIZE = 14
LONGEST_NUMBER = 4
"""Bytes of a variable-length number, by the specification."""
LONGEST_NAME = 200
OVERRUN = "is broken in {}: a message runs over the track's end"
META = 0xFF
SYSTEM_EXCLUSIVE = (0xF0, 0xF7)
TRACK_NAME, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE = 0x03, 0x2F, 0x51, 0x58
META_WANTED = (TRACK_NAME, SET_TEMPO, TIME_SIGNATURE)
# Data bytes of the messages below F0, by their upper four bits, and of the system messages that have no place in a file
# but are met in some.
CHANNEL_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xF9: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
# What a byte count of frames per second (negative in the file) makes of a second: ticks in it, and how long they last.
FRAME_RATES = {24: (24, 1_000_000), 25: (25, 1_000_000), 29: (30, 1_001_000), 30: (30, 1_000_000)}


@dataclass(frozen=True, slots=True)
class Track:
    """One track: its name, its note-ons and note-offs with their ticks, and the tick where it ends."""

    name: str
    events: tuple[tuple[int, NoteOn | NoteOff], ...]
    end_tick: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds.

    :param tempo: of all tracks together. A file that counts SMPTE frames instead of beats gets "beats" of one second
        (1.001 s for 29.97 frames), so that its ticks mean what they say.
    :param time_signatures: (tick, numerator, denominator), by tick.
    """

    tempo: TempoMap
    time_signatures: tuple[tuple[int, int, int], ...]
    tracks: tuple[Track, ...]


class _Message(NamedTuple):
    """A message of a track: its status byte, for a meta event (status FF) its kind, else 0, and its data."""

    tick: int
    status: int
    kind: int
    data: bytes


def parse(data: bytes) -> Contents:
    """Return what the bytes of a file hold.

    :raises MidiFileError: if they are no MIDI file, or a broken one; its text goes on from the file's name
        ("is cut short in track 2").
    """
    data = _without_riff(data)
    if data[:4] != b"MThd":
        raise MidiFileError("is not a MIDI file")
    if len(data) < HEADER_SIZE:
        raise MidiFileError("is cut short in its header")
    header_size = int.from_bytes(data[4:8])
    kind, count, division = (int.from_bytes(data[at : at + 2]) for at in (8, 10, 12))
    if header_size < HEADER_SIZE - 8 or kind > 2:
        raise MidiFileError("has a broken header")
    if kind == 2:
        raise MidiFileError("is of type 2, a collection of patterns with no common time; save it as type 0 or 1")
    tempos: list[tuple[int, int]] = []
    signatures: dict[int, tuple[int, int, int]] = {}
    tracks = []
    for number, chunk in enumerate(_track_chunks(data, 8 + header_size, count), start=1):
        messages = list(_messages(chunk, f"track {number}"))
        tracks.append(_track(messages))
        tempos.extend(_tempos(messages))
        signatures.update((signature[0], signature) for signature in _time_signatures(messages))
    return Contents(_tempo_map(division, tempos), tuple(signatures[tick] for tick in sorted(signatures)), tuple(tracks))


def _without_riff(data: bytes) -> bytes:
    """Take the MIDI file out of a RIFF wrapper (`.rmi`), if there is one."""
    wrapped = data[:4] == b"RIFF" and data[8:16] == b"RMIDdata"
    return data[20:] if wrapped else data


def _tempo_map(division: int, tempos: list[tuple[int, int]]) -> TempoMap:
    if division == 0:
        raise MidiFileError("has zero ticks per beat, so that nothing in it has a time")
    if division < 0x8000:
        return TempoMap(division, tuple(tempos))
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in FRAME_RATES or ticks == 0:
        raise MidiFileError("has an impossible time division (SMPTE frames)")
    frames, tempo = FRAME_RATES[frames]
    return TempoMap(frames * ticks, ((0, tempo),))


def _track_chunks(data: bytes, position: int, count: int) -> Iterator[bytes]:
    """Yield the first `count` track chunks from `position` on; other chunks are passed over, as the standard asks."""
    found = 0
    while found < count:
        header = data[position : position + 8]
        if len(header) < 8:
            raise MidiFileError(f"is cut short: it holds {found} of its {count} tracks")
        size = int.from_bytes(header[4:])
        position += 8
        if header[:4] == b"MTrk":
            found += 1
            if position + size > len(data):
                raise MidiFileError(f"is cut short in track {found}")
            yield data[position : position + size]
        position += size


def _messages(chunk: bytes, where: str) -> Iterator[_Message]:
    """Yield the messages of one track that matter here; the last is its end, said or not.

    Running status outlives meta events and SysEx: the standard says otherwise, but some files count on it.
    """
    position = tick = running = 0
    try:
        while position < len(chunk):
            delta, position = _number(chunk, position, where)
            tick += delta
            status, kind, size, position = _head(chunk, position, running, where)
            data = chunk[position : position + size]
            position += size
            if len(data) < size:
                raise MidiFileError(OVERRUN.format(where))
            if status < 0xF0:
                running = status
                if max(data) > 127:
                    raise MidiFileError(f"is broken in {where}: a data byte is larger than 127")
            if kind == END_OF_TRACK:
                break
            if status < 0xA0 or kind in META_WANTED:
                yield _Message(tick, status, kind, data)
    except IndexError:
        raise MidiFileError(OVERRUN.format(where)) from None
    yield _Message(tick, META, END_OF_TRACK, b"")


def _head(chunk: bytes, position: int, running: int, where: str) -> tuple[int, int, int, int]:
    """Return the status, kind (0 but for meta events) and size of the message at `position`, and where its data is."""
    status = chunk[position]
    if status < 0x80:
        if not running:
            raise MidiFileError(f"is broken in {where}: it starts with data instead of a message")
        return running, 0, CHANNEL_DATA[running >> 4], position
    if status < 0xF0:
        return status, 0, CHANNEL_DATA[status >> 4], position + 1
    if status in SYSTEM_DATA:
        return status, 0, SYSTEM_DATA[status], position + 1
    if status == META:
        return status, chunk[position + 1], *_number(chunk, position + 2, where)
    if status in SYSTEM_EXCLUSIVE:
        return status, 0, *_number(chunk, position + 1, where)
    raise MidiFileError(f"is broken in {where}: no message starts with the byte {status:02X}")


def _number(chunk: bytes, position: int, where: str) -> tuple[int, int]:
    """Return the variable-length number at `position`, and the position behind it."""
    number = 0
    for byte in chunk[position : position + LONGEST_NUMBER]:
        position += 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, position
    raise MidiFileError(f"is broken in {where}: a length or time in it has no end")


def _track(messages: list[_Message]) -> Track:
    name = next((_text(message.data) for message in _metas(messages, TRACK_NAME)), "")
    events: list[tuple[int, NoteOn | NoteOff]] = []
    for tick, status, _, data in messages:
        if status < 0xA0:
            sounds = status >= 0x90 and data[1] > 0  # a note-on of velocity 0 is a note-off
            events.append((tick, (NoteOn if sounds else NoteOff)(status & 0xF, data[0], data[1])))
    return Track(name, tuple(events), messages[-1].tick)


def _metas(messages: list[_Message], kind: int) -> Iterator[_Message]:
    return (message for message in messages if message.kind == kind)


def _text(data: bytes) -> str:
    """Decode a name: UTF-8 if it is that, else Latin-1; without control characters."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return "".join(character for character in text if character.isprintable()).strip()[:LONGEST_NAME]


def _tempos(messages: list[_Message]) -> Iterator[tuple[int, int]]:
    for message in _metas(messages, SET_TEMPO):
        if len(message.data) == 3:
            yield message.tick, int.from_bytes(message.data)


def _time_signatures(messages: list[_Message]) -> Iterator[tuple[int, int, int]]:
    for message in _metas(messages, TIME_SIGNATURE):
        if len(message.data) >= 2 and message.data[0] > 0 and message.data[1] < 8:
            yield message.tick, message.data[0], 1 << message.data[1]
