"""MIDI files: pieces read from them, checked, and written to them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import mido

from improviser.core.midi import smf
from improviser.core.midi.pairing import pair
from improviser.core.midi.tempo import TempoMap
from improviser.core.music.note import CHANNELS, Note
from improviser.core.printable import printable
from improviser.errors import MidiFileError
from improviser.files import check_writable, write_atomically

MIDI_SUFFIXES = (".mid", ".midi", ".rmi", ".smf")
LARGEST_FILE = 4 * 2**20
"""Bytes. The longest piano recitals take a tenth; what this can hold still fits in memory."""
LONGEST_PIECE = 24 * 3600.0
"""Seconds. Longer ones are broken times, and would make endless sound files."""
DRUM_CHANNEL = 9
LONGEST_DELTA = 2**28 - 1
"""Ticks that fit between two events of a track."""


@dataclass(frozen=True, slots=True)
class TimedNote:
    """A note and its place in a file: track from 0, channel 0–15, start and end in ticks."""

    track: int
    channel: int
    start_tick: int
    end_tick: int
    note: Note


@dataclass(frozen=True, slots=True)
class MidiPiece:
    """What a MIDI file holds, drums left out.

    :param name: the file's name without its suffix.
    :param tempo: ticks per beat, and the tempo changes of all tracks.
    :param time_signatures: (tick, numerator, denominator), by tick.
    :param tracks: the tracks' names, empty where they have none.
    :param notes: by onset, then pitch; their onsets and durations follow the tempo.
    :param drums: how many notes of the drum channel were left out.
    """

    name: str
    tempo: TempoMap
    time_signatures: tuple[tuple[int, int, int], ...]
    tracks: tuple[str, ...]
    notes: tuple[TimedNote, ...]
    drums: int = 0

    @property
    def ticks_per_beat(self) -> int:
        """Ticks per quarter note."""
        return self.tempo.ticks_per_beat


def read_midi(path: Path | str, *, need_notes: bool = False) -> MidiPiece:
    """Read a MIDI file of type 0 or 1.

    Of overlapping notes of one pitch the first started ends first; notes never ended end with their track.

    :param need_notes: refuse a file that holds no notes but drums.
    :raises MidiFileError: if there is no such file, or it cannot be read; says which and why.
    """
    path = Path(path)
    try:
        contents = smf.parse(_read_bytes(path))
        piece = _piece(printable(path.stem), contents)
    except MidiFileError as error:
        raise MidiFileError(f"{path} {error}; choose another MIDI file, or export it again") from None
    if need_notes and not piece.notes:
        found = "only drums" if piece.drums else "no notes"
        raise MidiFileError(f"{path} holds {found}; choose a MIDI file with a melody")
    return piece


def _read_bytes(path: Path) -> bytes:
    """Return the file's bytes; errors go on from its name."""
    try:
        if path.is_dir():
            raise MidiFileError("is a folder")
        if not path.is_file():
            raise MidiFileError("is not a file" if path.exists() else "does not exist")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise MidiFileError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not data:
        raise MidiFileError("is empty")
    if len(data) > LARGEST_FILE:
        raise MidiFileError(f"is larger than {LARGEST_FILE // 2**20} MiB")
    return data


def _piece(name: str, contents: smf.Contents) -> MidiPiece:
    tempo = contents.tempo
    end_tick = max((track.end_tick for track in contents.tracks), default=0)
    if tempo.seconds_at(end_tick) > LONGEST_PIECE:
        raise MidiFileError(f"claims to last {tempo.seconds_at(end_tick) / 3600:,.0f} hours")
    notes = []
    drums = 0
    for number, track in enumerate(contents.tracks):
        for start, end, note_on in pair(track.events, track.end_tick):
            if note_on.channel == DRUM_CHANNEL:
                drums += 1
                continue
            onset = tempo.seconds_at(start)
            note = Note(note_on.pitch, onset, tempo.seconds_at(end) - onset, note_on.velocity)
            notes.append(TimedNote(number, note_on.channel, start, end, note))
    names = tuple(track.name for track in contents.tracks)
    return MidiPiece(name, tempo, contents.time_signatures, names, _sorted(notes), drums)


def _sorted(notes: Iterable[TimedNote]) -> tuple[TimedNote, ...]:
    return tuple(sorted(notes, key=lambda timed: (timed.start_tick, timed.note.pitch, timed.track, timed.channel)))


def part(notes: Iterable[TimedNote], *, track: int | None = None, channel: int | None = None) -> tuple[TimedNote, ...]:
    """Return the notes of one track (from 0), one channel (0–15), or both."""
    return tuple(
        timed
        for timed in notes
        if (track is None or timed.track == track) and (channel is None or timed.channel == channel)
    )


def melody(notes: Sequence[TimedNote]) -> tuple[TimedNote, ...]:
    """Return the upper line of `notes`, one note at a time (the skyline of Uitdenbogerd & Zobel, 1998).

    A note belongs to it if no higher one sounds at its middle: the middle, not the start, so that neither legato nor
    the spread of a chord played by hand confuses it. Of notes that start together the highest counts. Each is cut where
    the next one starts.
    """
    line: list[TimedNote] = []
    for timed in _uncovered(notes):
        if line and line[-1].start_tick == timed.start_tick:
            line.pop()  # they come by pitch: this one is higher
        line.append(timed)
    return (*(_cut(timed, following) for timed, following in pairwise(line)), *line[-1:])


def _uncovered(notes: Sequence[TimedNote]) -> list[TimedNote]:
    """Return the notes at whose middle no higher one sounds, in their order, in one sweep over time."""
    ends, starts, middles = 0, 1, 2
    moments = []  # in half ticks, so that a middle is a whole number
    for index, timed in enumerate(notes):
        start, end = timed.start_tick, timed.end_tick
        moments += [(2 * end, ends, index), (2 * start, starts, index)] if end > start else []
        moments.append((start + end, middles, index))
    counts = [0] * 128
    sounding = 0  # one bit per pitch
    kept = []
    for _, moment, index in sorted(moments):
        pitch = notes[index].note.pitch
        if moment == middles:
            if not sounding >> (pitch + 1):
                kept.append(index)
            continue
        counts[pitch] += 1 if moment == starts else -1
        sounding = sounding | 1 << pitch if counts[pitch] else sounding & ~(1 << pitch)
    return list(_sorted(notes[index] for index in kept))


def _cut(timed: TimedNote, following: TimedNote) -> TimedNote:
    if timed.end_tick <= following.start_tick:
        return timed
    duration = following.note.onset_seconds - timed.note.onset_seconds
    return replace(timed, end_tick=following.start_tick, note=replace(timed.note, duration_seconds=duration))


def write_midi(path: Path | str, piece: MidiPiece) -> None:
    """Write a piece as a MIDI file of type 1, whole or not at all: one track per name in `piece.tracks`.

    Times are the notes' ticks; tempo and time signatures go to the first track. `piece.name` and `drums` are not kept.

    :raises MidiFileError: if a value has no place in a MIDI file.
    :raises OutputError: if the file cannot be written.
    """
    path = Path(path)
    check_writable(path)
    try:
        data = _file_bytes(piece)
    except MidiFileError as error:
        raise MidiFileError(f"{path} cannot be written: {error}") from None
    write_atomically(path, data)


def _file_bytes(piece: MidiPiece) -> bytes:
    _check(1 <= piece.ticks_per_beat < 2**15, f"{piece.ticks_per_beat} ticks per beat are outside 1–32767")
    _check(1 <= len(piece.tracks) < 2**15, "a MIDI file has 1–32767 tracks")
    # Order at one tick: what the track is called and how it goes, ends, starts (and the ends of notes of no length).
    moments: list[list[tuple[int, int, mido.Message | mido.MetaMessage]]] = [[] for _ in piece.tracks]
    for track, name in zip(moments, piece.tracks, strict=True):
        if name:
            track.append((0, 0, mido.MetaMessage("track_name", name=name)))
    moments[0] += _conductor(piece)
    for timed in _sorted(piece.notes):
        _check(0 <= timed.track < len(piece.tracks), f"a note is in track {timed.track + 1} of {len(piece.tracks)}")
        moments[timed.track] += _note_messages(timed)
    file = mido.MidiFile(type=1, ticks_per_beat=piece.ticks_per_beat, charset="utf-8")
    file.tracks.extend(_spaced(track) for track in moments)
    buffer = BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _check(holds: bool, complaint: str) -> None:
    if not holds:
        raise MidiFileError(complaint)


def _conductor(piece: MidiPiece) -> Iterator[tuple[int, int, mido.MetaMessage]]:
    for tick, tempo in piece.tempo.changes:
        _check(tick >= 0 and 1 <= tempo < 2**24, f"a tempo of {tempo} microseconds per beat at tick {tick}")
        yield tick, 0, mido.MetaMessage("set_tempo", tempo=tempo)
    for tick, numerator, denominator in piece.time_signatures:
        wanted = 1 <= numerator <= 255 and denominator in (1, 2, 4, 8, 16, 32, 64, 128)
        _check(tick >= 0 and wanted, f"a time signature of {numerator}/{denominator} at tick {tick}")
        yield tick, 0, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)


def _note_messages(timed: TimedNote) -> Iterator[tuple[int, int, mido.Message]]:
    start, end = timed.start_tick, timed.end_tick
    _check(0 <= timed.channel < CHANNELS, f"channel {timed.channel + 1} is outside 1–16")
    _check(0 <= start <= end, f"a note lasts from tick {start} to {end}")
    common = {"channel": timed.channel, "note": timed.note.pitch}
    yield start, 2, mido.Message("note_on", velocity=timed.note.velocity, **common)
    # A note of no length ends before another one starts: the sorting keeps the order in which they come.
    yield end, 2 if start == end else 1, mido.Message("note_off", **common)


def _spaced(moments: list[tuple[int, int, mido.Message | mido.MetaMessage]]) -> mido.MidiTrack:
    """Put a track's messages in order and replace their ticks by the spaces between them."""
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(moments, key=lambda moment: moment[:2]):
        _check(tick - now <= LONGEST_DELTA, f"nothing happens for {tick - now} ticks, more than fit")
        message.time = tick - now
        track.append(message)
        now = tick
    return track
