"""The chunks of a MIDI file: where its tracks begin and end, also where their lengths are wrong.

A track says twice where it ends: by its length, and by its End of Track. Where the two differ and what follows shows
that the length is the wrong one, End of Track counts. Every byte is read twice at most.
"""

from collections.abc import Iterator

from improviser.core.midi.repairs import Repairs
from improviser.core.midi.track import RawTrack, Room, TooMuchError, read_messages
from improviser.errors import MidiFileError

TRACK = b"MTrk"
CHUNK_HEADER_SIZE = 8
MOST_TRACKS = 2**16 - 1
MOST_OTHER_CHUNKS = 32
"""In a row; more are no chunks."""


def read_tracks(data: bytes, position: int, count: int, room: Room, repairs: Repairs) -> Iterator[RawTrack]:
    """Yield the tracks from `position` on, whatever `count`, the number in the header, says.

    :raises MidiFileError: if one that the header counts cannot be read, or is cut off; one that it does not count and
        that cannot be read is left out, as a repair.
    """
    number = 0
    while (start := _next_track(data, position)) is not None:
        if number == MOST_TRACKS:
            raise TooMuchError(f"holds more than {MOST_TRACKS:,} tracks")
        try:
            track, position = _read_track(data, start, f"track {number + 1}", room, repairs)
        except TooMuchError:
            raise
        except MidiFileError as error:
            if number < count:
                raise
            repairs.add("further", f"a further track, which its header does not count, {error}; left out")
            position = len(data)
            break
        number += 1
        yield track
    rest = _bytes_behind(data, position)
    if number < count and (rest or not number):
        raise MidiFileError(f"is cut short: it holds {number} of its {_tracks(count)}")
    if number != count:
        there = "there is 1" if number == 1 else f"there are {number:,}"
        repairs.add("count", f"its header counts {_tracks(count)}, {there}; all are read")
    if rest:
        repairs.add("rest", f"{rest} behind its last track are no track; left out")


def _read_track(data: bytes, start: int, where: str, room: Room, repairs: Repairs) -> tuple[RawTrack, int]:
    """Return the track whose chunk begins at `start`, and where what follows it begins."""
    begin = start + CHUNK_HEADER_SIZE
    if begin > len(data):
        raise MidiFileError(f"is cut short in {where}")
    end = begin + int.from_bytes(data[start + 4 : begin])
    following = data.find(TRACK, begin)
    bound = len(data) if following < 0 else following
    if end <= bound and _begins_chunks(data, end):
        return _as_declared(data, begin, end, where, room, repairs), end
    try:
        track = _to_its_end(data[begin:bound], where, room, may_be_open=following >= 0)
    except TooMuchError:
        raise
    except MidiFileError:
        if end <= len(data):
            return _as_declared(data, begin, end, where, room, repairs), end
        if following < 0:
            raise MidiFileError(f"is cut short in {where}") from None
        raise
    repairs.include(track.repairs)
    stop = begin + track.size
    _tell_length(where, end - stop, repairs, beyond=end > len(data), ended=track.ended)
    if following >= 0:
        _tell_rest(where, data[stop:following], repairs)
        stop = following
    return track, stop


def _to_its_end(chunk: bytes, where: str, room: Room, *, may_be_open: bool) -> RawTrack:
    """Return the track in `chunk`, which ends at its End of Track; without one, where the next begins, if one does."""
    track = read_messages(chunk, where, room)
    if not track.ended and not may_be_open:
        raise MidiFileError(f"is cut short in {where}")
    return track


def _as_declared(data: bytes, begin: int, end: int, where: str, room: Room, repairs: Repairs) -> RawTrack:
    """Return the track that ends where its length says."""
    track = read_messages(data[begin:end], where, room)
    repairs.include(track.repairs)
    if not track.ended:
        repairs.add("open", f"{where} has no End of Track; read to the end of its length")
    _tell_rest(where, data[begin + track.size : end], repairs)
    return track


def _tell_length(where: str, more: int, repairs: Repairs, *, beyond: bool, ended: bool) -> None:
    if not ended:
        repairs.add("open", f"{where} has no End of Track, and its length is wrong; read to the next track")
    elif more > 0:
        than = "there are" if beyond else "it has"
        repairs.add("length", f"{where} claims {bytes_of(more)} more than {than}; read to its End of Track")
    elif more < 0:
        repairs.add("length", f"{where} claims {bytes_of(-more)} less than it has; read to its End of Track")


def _tell_rest(where: str, rest: bytes, repairs: Repairs) -> None:
    if rest:
        repairs.add("behind", f"{where} has {bytes_of(len(rest))} behind its End of Track; left out")


def _next_track(data: bytes, position: int) -> int | None:
    """Return where the next track's chunk begins: behind chunks of other kinds, or behind what is no chunk at all."""
    behind = _behind_other_chunks(data, position)
    if behind is not None and behind < len(data):
        return behind
    found = -1 if behind is not None else data.find(TRACK, position)
    return None if found < 0 else found


def _begins_chunks(data: bytes, position: int) -> bool:
    """Say whether the file ends at `position`, or a chunk begins there, and the next behind it."""
    return _behind_other_chunks(data, position) is not None


def _behind_other_chunks(data: bytes, position: int) -> int | None:
    """Return where the first track at or after `position` begins, or the file ends; None if that is no row of chunks.

    Other chunks are passed over, as the standard asks.
    """
    for _ in range(MOST_OTHER_CHUNKS + 1):
        kind = data[position : position + 4]
        if kind == TRACK or position == len(data):
            return position
        size = int.from_bytes(data[position + 4 : position + CHUNK_HEADER_SIZE])
        if position + CHUNK_HEADER_SIZE + size > len(data) or not all(0x20 <= byte < 0x7F for byte in kind):
            return None
        position += CHUNK_HEADER_SIZE + size
    return None


def _bytes_behind(data: bytes, position: int) -> str:
    """Return how much is left from `position` on that is neither a chunk nor padding with zeros; empty if nothing."""
    if position >= len(data) or _begins_chunks(data, position) or not any(data[position:]):
        return ""
    return bytes_of(len(data) - position)


def bytes_of(count: int) -> str:
    """Return a number of bytes in words."""
    return "1 byte" if count == 1 else f"{count:,} bytes"


def _tracks(count: int) -> str:
    return "1 track" if count == 1 else f"{count:,} tracks"
