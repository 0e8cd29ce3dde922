"""A session as a MIDI file: what the player played, and what the improviser answered."""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import mido
import platformdirs

from improviser.core.midi.event import (
    HELD_PEDALS,
    ChannelPressure,
    ControlChange,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
)
from improviser.core.midi.pairing import pair
from improviser.errors import OutputError
from improviser.files import write_atomically

PLAYER, IMPROVISER = "Player", "Improviser"
TICKS_PER_BEAT = 960
TEMPO = 500_000
TICKS_PER_SECOND = TICKS_PER_BEAT * 1_000_000 // TEMPO
LONGEST_SECONDS = (2**28 - 1) // TICKS_PER_SECOND
"""A session of a day and a half; more ticks do not fit between two events."""

TimedEvent = tuple[float, Event]
_Moment = tuple[int, int, "mido.Message"]


def write_session(
    path: Path,
    player: Iterable[TimedEvent],
    improviser: Iterable[TimedEvent],
    *,
    end_seconds: float | None = None,
) -> None:
    """Write a session as a MIDI file of two tracks, whole or not at all.

    Events are (seconds since the session began, event). Each is put at the nearest tick (0.52 ms at 120 beats a minute,
    which is not what anybody played, but makes seconds of ticks). Every note-on gets its note-off, every pedal and bend
    its return: what is unfinished ends at `end_seconds`, or with the last event.

    :raises OutputError: if the file cannot be written, or the session is longer than a day and a half.
    """
    heard, played = (sorted(events, key=lambda event: event[0]) for events in (player, improviser))
    last = max((seconds for seconds, _ in heard[-1:] + played[-1:]), default=0.0)
    end = max(last, end_seconds or 0.0)
    if end > LONGEST_SECONDS:
        raise OutputError(f"cannot write {path}: a session of {end / 3600:.0f} hours does not fit into a MIDI file")
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    for name, events in ((PLAYER, heard), (IMPROVISER, played)):
        file.tracks.append(_track(name, events, end))
    file.tracks[0].insert(1, mido.MetaMessage("set_tempo", tempo=TEMPO))
    buffer = BytesIO()
    file.save(file=buffer)
    write_atomically(path, buffer.getvalue())


def default_folder() -> Path:
    """Return where sessions are kept if the user names no other place."""
    return Path(platformdirs.user_data_path("improviser", appauthor=False)) / "sessions"


def _tick(seconds: float) -> int:
    return max(0, round(seconds * TICKS_PER_SECOND))


def _track(name: str, events: Sequence[TimedEvent], end: float) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    moments = [*_notes(events, end), *_controls(events, end)]
    now = 0
    for tick, _, message in sorted(moments, key=lambda moment: moment[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, _tick(end) - now)))
    return track


def _notes(events: Iterable[TimedEvent], end: float) -> Iterator[_Moment]:
    """Yield the notes, each at least a tick long; at one tick notes end, then pedals move, then notes start."""
    for start, finish, on in pair(events, end):
        first = _tick(start)
        yield first, 2, mido.Message("note_on", channel=on.channel, note=on.pitch, velocity=on.velocity)
        yield max(_tick(finish), first + 1), 0, mido.Message("note_off", channel=on.channel, note=on.pitch)


def _controls(events: Iterable[TimedEvent], end: float) -> Iterator[_Moment]:
    """Yield all that is not a note, and the return of what is still held or bent at the end."""
    away: dict[tuple[int, int], Event] = {}
    for seconds, event in events:
        if isinstance(event, NoteOn | NoteOff):
            continue
        yield _tick(seconds), 1, _message(event)
        place, back = _return(event)
        if back == event:
            away.pop(place, None)
        elif back:
            away[place] = back
    for event in away.values():
        yield _tick(end), 1, _message(event)


def _return(event: Event) -> tuple[tuple[int, int], Event | None]:
    """Return what an event moves, and the event that moves it back to rest, if it must not stay."""
    if isinstance(event, ControlChange) and event.control in HELD_PEDALS:
        return (event.channel, event.control), ControlChange(event.channel, event.control, 0)
    if isinstance(event, PitchBend):
        return (event.channel, -1), PitchBend(event.channel, 0)
    return (event.channel, -2), None


def _message(event: Event) -> mido.Message:
    match event:
        case ControlChange(channel, control, value):
            return mido.Message("control_change", channel=channel, control=control, value=value)
        case PitchBend(channel, value):
            return mido.Message("pitchwheel", channel=channel, pitch=value)
        case ChannelPressure(channel, value):
            return mido.Message("aftertouch", channel=channel, value=value)
        case KeyPressure(channel, pitch, value):
            return mido.Message("polytouch", channel=channel, note=pitch, value=value)
        case ProgramChange(channel, program):
            return mido.Message("program_change", channel=channel, program=program)
    raise TypeError(f"{event!r} is a note")
