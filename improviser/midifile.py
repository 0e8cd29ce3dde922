"""MIDI files: pieces read from them, checked, and written to them."""

import errno
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import mido

from improviser.core.midi import smf
from improviser.core.midi.pairing import pair
from improviser.core.midi.tempo import TempoMap
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.note import CHANNELS, Note
from improviser.core.printable import printable
from improviser.errors import MidiFileError
from improviser.files import NotRegularError, check_writable, read_regular, write_atomically

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".smf", ".rmi")
"""What names of MIDI files end in, in small or capital letters."""
LARGEST_FILE = 4 * 2**20
"""Bytes. The longest piano recitals take a tenth; what this can hold still fits in memory."""
LONGEST_PIECE = 24 * 3600.0
"""Seconds. Longer ones are broken times, and would make endless sound files."""
FAR_BEHIND = 900.0
"""Seconds. What stands so far behind the last note is not of the piece."""
UNENDED_BEATS = 4
"""Quarter notes: a note that is never ended lasts no longer than this behind the last note."""
NEVER = 2**62
"""Where a note ends that is never ended, until that is decided."""
OTHERWISE = "choose another MIDI file, or export it again"
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
    :param repairs: what was wrong with the file and how it was read all the same; words that go on from "tune.mid: ".
    """

    name: str
    tempo: TempoMap
    time_signatures: tuple[tuple[int, int, int], ...]
    tracks: tuple[str, ...]
    notes: tuple[TimedNote, ...]
    drums: int = 0
    repairs: tuple[str, ...] = ()

    @property
    def ticks_per_beat(self) -> int:
        """Ticks per quarter note."""
        return self.tempo.ticks_per_beat


def is_midi_name(name: Path | str) -> bool:
    """Say whether a file's name is that of a MIDI file."""
    return str(name).lower().endswith(MIDI_SUFFIXES)


def read_midi(path: Path | str, *, need_notes: bool = False, strict: bool = False) -> MidiPiece:
    """Read a MIDI file of type 0 or 1; see `parse_midi`.

    :param need_notes: refuse a file that holds no notes but drums.
    :param strict: refuse a file that needs repairs.
    :raises MidiFileError: if there is no such file, or it cannot be read; says which and why.
    """
    path = Path(path)
    try:
        piece = parse_midi(read_bytes(path), path.stem)
    except MidiFileError as error:
        raise MidiFileError(f"{path} {error}") from None
    if strict and piece.repairs:
        raise MidiFileError(f"{path}: {'; '.join(piece.repairs)}")
    if need_notes and not piece.notes:
        raise MidiFileError(f"{path} {lack_of_notes(piece)}")
    return piece


def parse_midi(data: bytes, name: str) -> MidiPiece:
    """Return what the bytes of a MIDI file hold.

    Of overlapping notes of one pitch the first started ends first; notes never ended end with their track, but at most
    four quarter notes behind the last note. How long a piece is, its notes say, not its ends of tracks.

    :raises MidiFileError: if that cannot be read; its words go on from the file's name.
    """
    try:
        return _piece(printable(name), smf.parse(data))
    except MidiFileError as error:
        raise MidiFileError(f"{error}; {OTHERWISE}") from None


def lack_of_notes(piece: MidiPiece) -> str:
    """Return what is to be said of a file without notes; it goes on from its name."""
    found = "only drums" if piece.drums else "no notes"
    repaired = f" ({'; '.join(piece.repairs)})" if piece.repairs else ""
    return f"holds {found}{repaired}; choose a MIDI file with a melody"


def remarks_on(path: Path | str, piece: MidiPiece) -> tuple[str, ...]:
    """Return one line on what was repaired in a file and what was left out of it; none if there is nothing to say."""
    return remarks(path, piece.repairs, piece.drums)


def remarks(path: Path | str, repairs: Sequence[str], drums: int) -> tuple[str, ...]:
    """Return the same of repairs, and a number of drum notes."""
    found = list(repairs)
    if drums:
        found.append("1 drum note is left out" if drums == 1 else f"{drums:,} drum notes are left out")
    return (f"{printable(str(path))}: {'; '.join(found)}",) if found else ()


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file that may be a MIDI file.

    :raises MidiFileError: if there is none, or it is too large; its words go on from the file's name.
    """
    try:
        data = read_regular(path, LARGEST_FILE)
    except FileNotFoundError:
        problem = "does not exist"
    except NotRegularError as error:
        problem = str(error)
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        if error.errno == errno.EFBIG:
            problem = f"is larger than {LARGEST_FILE // 2**20} MiB"
    else:
        if data:
            return data
        problem = "is empty"
    raise MidiFileError(f"{problem}; {OTHERWISE}")


def _piece(name: str, contents: smf.Contents) -> MidiPiece:
    repairs = list(contents.repairs)
    spans = [list(pair(track.events, NEVER)) for track in contents.tracks]
    last = max((start if end == NEVER else end for its in spans for start, end, _ in its), default=0)
    tempo, signatures = _within_piece(contents, last, repairs)
    latest = last + UNENDED_BEATS * tempo.ticks_per_beat
    notes = []
    drums = unended = 0
    for number, (track, its) in enumerate(zip(contents.tracks, spans, strict=True)):
        for start, said_end, note_on in its:
            unended += said_end == NEVER
            end = max(start, min(track.end_tick, latest)) if said_end == NEVER else said_end
            if note_on.channel == DRUM_CHANNEL and not contents.zones.holds(DRUM_CHANNEL, start):
                drums += 1
                continue
            onset = tempo.seconds_at(start)
            note = Note(note_on.pitch, onset, tempo.seconds_at(end) - onset, note_on.velocity)
            notes.append(TimedNote(number, note_on.channel, start, end, note))
    if tempo.seconds_at(last) > LONGEST_PIECE:
        raise MidiFileError(f"claims to last {tempo.seconds_at(last) / 3600:,.0f} hours")
    if unended:
        what = "1 note is never ended: it ends" if unended == 1 else f"{unended:,} notes are never ended: they end"
        repairs.append(f"{what} with the track, or {UNENDED_BEATS} beats behind the last note")
    names = tuple(track.name for track in contents.tracks)
    return MidiPiece(name, tempo, signatures, names, _sorted(notes), drums, tuple(repairs))


def _within_piece(
    contents: smf.Contents, last: int, repairs: list[str]
) -> tuple[TempoMap, tuple[tuple[int, int, int], ...]]:
    """Return the tempo and time signatures without those far behind the tick of the last note, if there are notes."""
    tempo, signatures = contents.tempo, contents.time_signatures
    end = tempo.seconds_at(last)

    def is_far(tick: int) -> bool:
        return tick > last > 0 and tempo.seconds_at(tick) - end > FAR_BEHIND

    said = [track.end_tick for track in contents.tracks]
    said += [tick for tick, *_ in (*tempo.changes[-1:], *signatures[-1:])]
    furthest = max(said, default=0)
    if not is_far(furthest):
        return tempo, signatures
    more = _long(tempo.seconds_at(furthest) - end)
    repairs.append(f"it claims to go on for {more} behind its last note; the notes say where it ends")
    near = TempoMap(tempo.ticks_per_beat, tuple(change for change in tempo.changes if not is_far(change[0])))
    return near, tuple(signature for signature in signatures if not is_far(signature[0]))


def _long(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.0f} hours"


def _sorted(notes: Iterable[TimedNote]) -> tuple[TimedNote, ...]:
    return tuple(sorted(notes, key=lambda timed: (timed.start_tick, timed.note.pitch, timed.track, timed.channel)))


def part(notes: Iterable[TimedNote], *, track: int | None = None, channel: int | None = None) -> tuple[TimedNote, ...]:
    """Return the notes of one track (from 0), one channel (0–15), or both."""
    return tuple(
        timed
        for timed in notes
        if (track is None or timed.track == track) and (channel is None or timed.channel == channel)
    )


def without_drum_channel(notes: Sequence[TimedNote]) -> tuple[TimedNote, ...]:
    """Return `notes` with those of the drum channel on one that is not used, or on the first if there is none.

    A file with MPE may have notes there; elsewhere, without it, they would be drums.
    """
    used = {timed.channel for timed in notes}
    if DRUM_CHANNEL not in used:
        return tuple(notes)
    free = next((channel for channel in range(CHANNELS) if channel not in used), 0)
    return tuple(replace(timed, channel=free) if timed.channel == DRUM_CHANNEL else timed for timed in notes)


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
