"""A Standard MIDI File that grows while it is played, and can be read by any program at any moment.

Tracks lie one behind the other in a file, so an event added to the first would move the second. Each track therefore
has room to grow: a sequencer-specific meta event (which readers pass over) fills it up to the place reserved. Adding
events is then one small write per track; after each, whatever ends the writer, the file is whole, and all that sounds
in it ends. When the room is used up, or the session is over, the whole file is written anew.
"""

from collections.abc import Iterator

from improviser.core.midi.codec import BEND, CONTROL, NOTE_OFF, NOTE_ON, SYSTEM
from improviser.core.midi.event import ALL_NOTES_OFF, ALL_SOUND_OFF, HELD_PEDALS

TICKS_PER_BEAT = 960
TEMPO = 500_000
TICKS_PER_SECOND = TICKS_PER_BEAT * 1_000_000 // TEMPO
LARGEST_NUMBER = 2**28 - 1
"""The largest number a MIDI file can say."""
ROOM = 1 << 13

END_OF_TRACK = b"\x00\xff\x2f\x00"
FILLER = b"\x00\xff\x7f"
SMALLEST_FILLER = len(FILLER) + 1
CENTRE = b"\x00\x40"


def number(value: int) -> bytes:
    """Return `value`, 0–`LARGEST_NUMBER`, as a variable-length number."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def filler(size: int) -> bytes:
    """Return the beginning of meta events that fill `size` bytes (at least `SMALLEST_FILLER`); zeros may follow."""
    for digits in range(1, 5):
        length = size - len(FILLER) - digits
        if length >= 0 and len(number(length)) == digits:
            return FILLER + number(length)
    # No length fits: one byte more would need another digit. An empty event first, and the rest is shorter.
    return FILLER + number(0) + filler(size - SMALLEST_FILLER)


class GrowingTrack:
    """The events of one track, encoded; all that sounds can be ended at any time.

    :param opening: meta events at the beginning of the track.
    """

    def __init__(self, opening: bytes) -> None:
        self.body = bytearray(opening)
        self._tick = 0
        self._sounding: dict[tuple[int, int], int] = {}
        self._away: dict[tuple[int, int], bytes] = {}

    def add(self, tick: int, message: bytes) -> None:
        """Add a channel message at `tick`, or right after the last one; others have no place in a file.

        A note-on of a pitch that sounds ends it first, a note-off of one that does not is left out, and every note is
        at least a tick long.
        """
        if not message or not NOTE_OFF <= message[0] < SYSTEM:
            return
        if message[0] & 0xF0 == CONTROL and (message[1] == ALL_SOUND_OFF or message[1] >= ALL_NOTES_OFF):
            self.release(tick, message[0] & 0x0F)  # not all readers know what such a message ends
        kind, place = message[0] & 0xF0, (message[0] & 0x0F, message[1])
        if kind in (NOTE_OFF, NOTE_ON):
            began = self._sounding.pop(place, None)
            starts = kind == NOTE_ON and message[2] > 0
            if began is not None:
                tick = max(tick, began + 1)
                self._put(tick, self._note_off(place) if starts else message)
            if starts:
                self._sounding[place] = self._put(tick, message)
            return
        self._put(tick, message)
        back = self._way_back(message)
        if back == message:
            self._away.pop((message[0], back[1] if kind == CONTROL else 0), None)
        elif back is not None:
            self._away[message[0], back[1] if kind == CONTROL else 0] = back

    def release(self, tick: int, channel: int | None = None) -> None:
        """End all notes of a channel, or all."""
        for place in [place for place in self._sounding if channel in (None, place[0])]:
            self.add(tick, self._note_off(place))

    def _put(self, tick: int, message: bytes) -> int:
        now = max(tick, self._tick)
        self.body += number(min(now - self._tick, LARGEST_NUMBER)) + message
        self._tick = now
        return now

    @staticmethod
    def _note_off(place: tuple[int, int]) -> bytes:
        return bytes((NOTE_OFF | place[0], place[1], 64))

    @staticmethod
    def _way_back(message: bytes) -> bytes | None:
        """Return the message that ends what this one began, if it must not stay: a held pedal, a bend."""
        if message[0] & 0xF0 == CONTROL and message[1] in HELD_PEDALS:
            return message[:2] + b"\x00"
        return message[:1] + CENTRE if message[0] & 0xF0 == BEND else None

    def ending(self, tick: int) -> bytes:
        """Return what ends, at `tick`, all that sounds; the end of the track is not in it."""
        now = self._end_of_notes(tick)
        messages = [*map(self._note_off, self._sounding), *self._away.values()]
        return b"".join(number(now - self._tick if first else 0) + message for first, message in _flagged(messages))

    def end(self, tick: int) -> bytes:
        """Return the end of the track at `tick`, to come behind `ending` of the same."""
        now = self._end_of_notes(tick) if self._sounding or self._away else self._tick
        return number(min(max(0, tick - now), LARGEST_NUMBER)) + END_OF_TRACK[1:]

    def _end_of_notes(self, tick: int) -> int:
        """Return when all that sounds ends: at `tick`, or as soon after it as the last note has been a tick long."""
        return max(tick, self._tick, *(began + 1 for began in self._sounding.values()), 0)


def _flagged(messages: list[bytes]) -> Iterator[tuple[bool, bytes]]:
    return ((index == 0, message) for index, message in enumerate(messages))


class GrowingFile:
    """A file of several tracks; `image` is all of it, `patches` what has changed since.

    :param room: bytes reserved for a track at first; later as many as it has.
    """

    def __init__(self, *names: str, room: int = ROOM) -> None:
        self._room = room
        openings = [b"\x00\xff\x03" + number(len(name.encode())) + name.encode() for name in names]
        openings[0] += b"\x00\xff\x51\x03" + TEMPO.to_bytes(3)
        self._tracks = [GrowingTrack(opening) for opening in openings]
        self._rooms = [0 for _ in names]
        self._written = [0 for _ in names]
        self._ends = [0 for _ in names]

    def add(self, track: int, seconds: float, message: bytes) -> None:
        """Add a message to a track, so many seconds after the beginning."""
        self._tracks[track].add(tick_of(seconds), message)

    def release(self, track: int, seconds: float) -> None:
        """End all notes of a track, so many seconds after the beginning."""
        self._tracks[track].release(tick_of(seconds))

    def image(self, seconds: float, *, final: bool = False, silence: bool = False) -> bytes:
        """Return the whole file, in which all ends `seconds` after the beginning at the earliest.

        :param final: whether it is not going to grow any more.
        :param silence: whether its tracks last until then, even if nothing sounds any more.
        """
        header = b"MThd" + (6).to_bytes(4) + (1).to_bytes(2) + len(self._tracks).to_bytes(2)
        parts = [header + TICKS_PER_BEAT.to_bytes(2)]
        for index, track in enumerate(self._tracks):
            content = bytes(track.body) + track.ending(tick_of(seconds))
            self._rooms[index] = len(content) + (0 if final else max(self._room, len(content)))
            self._written[index], self._ends[index] = len(track.body), len(content)
            content += b"" if final else self._filler(index, len(content))
            content = content.ljust(self._rooms[index], b"\0")
            content += track.end(tick_of(seconds)) if silence else END_OF_TRACK
            parts.append(b"MTrk" + len(content).to_bytes(4) + content)
        return b"".join(parts)

    def patches(self, seconds: float) -> list[tuple[int, bytes]] | None:
        """Return what to write where, since the last call or `image`; None if there is no room: write a new image."""
        changes = []
        start = 14
        for index, track in enumerate(self._tracks):
            start += 8
            written = self._written[index]
            fresh = bytes(track.body[written:]) + track.ending(tick_of(seconds))
            if fresh:
                end = written + len(fresh)
                if end + SMALLEST_FILLER > self._rooms[index]:
                    return None
                before = self._ends[index] - written
                changes.append((start + written, (fresh + self._filler(index, end)).ljust(before, b"\0")))
                self._written[index], self._ends[index] = len(track.body), end
            start += self._rooms[index] + len(END_OF_TRACK)
        return changes

    def _filler(self, index: int, used: int) -> bytes:
        return filler(self._rooms[index] - used)


def tick_of(seconds: float) -> int:
    """Return the tick nearest to `seconds` after the beginning."""
    return max(0, round(seconds * TICKS_PER_SECOND))
