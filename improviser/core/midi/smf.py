"""What the bytes of a Standard MIDI File say (MIDI 1.0, RP-001), read so that nothing they say can do harm.

Read here rather than by mido because real files need more: mido 1.3 drops the time before a meta event it does not know
(all that follows in the track comes early), refuses a playable file for a key signature of nine flats, and takes time
quadratic in the length of a broken number. The tests hold both against each other on files that both can read. Files as
people have them break the standard in many small ways; what can be read all the same is, and is told as a repair.
"""

from dataclasses import dataclass, field

from improviser.core.midi.chunks import read_tracks
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.midi.mpe import Zones
from improviser.core.midi.names import text_of
from improviser.core.midi.repairs import Repairs
from improviser.core.midi.tempo import TempoMap
from improviser.core.midi.track import Room
from improviser.core.midi.wrappers import HEADER, unwrapped
from improviser.errors import MidiFileError

HEADER_SIZE = 14
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
    :param zones: of MPE, of all tracks together.
    :param repairs: what had to be repaired to read it, in plain words that go on from "tune.mid: "; none for most.
    """

    tempo: TempoMap
    time_signatures: tuple[tuple[int, int, int], ...]
    tracks: tuple[Track, ...]
    zones: Zones = field(default_factory=Zones)
    repairs: tuple[str, ...] = ()


def parse(data: bytes) -> Contents:
    """Return what the bytes of a file hold.

    :raises MidiFileError: if they are no MIDI file, or one that is broken beyond repair, or that holds more than any
        piece; its text goes on from the file's name ("is cut short in track 2").
    """
    repairs, room = Repairs(), Room()
    data = unwrapped(data, repairs)
    if not data.startswith(HEADER):
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
    configurations: list[tuple[int, int, int]] = []
    tracks = []
    for raw in read_tracks(data, 8 + header_size, count, room, repairs):
        room.take(raw)
        tracks.append(Track(text_of(raw.name), tuple(raw.events), raw.end_tick))
        tempos += raw.tempos
        signatures.update((signature[0], signature) for signature in raw.signatures)
        configurations += raw.configurations
    return Contents(
        _tempo_map(division, tempos),
        tuple(signatures[tick] for tick in sorted(signatures)),
        tuple(tracks),
        Zones.configured(configurations),
        repairs.texts(),
    )


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
