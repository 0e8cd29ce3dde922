"""What MIDI says: frozen events, each one channel or system message of the MIDI 1.0 specification."""

from dataclasses import dataclass

SUSTAIN = 64
SOSTENUTO = 66
SOFT = 67
QUESTION = 119
"""Undefined in MIDI 1.0, so that no instrument sounds otherwise for it; improvisers pass it on, see `live.ring`."""
ALL_SOUND_OFF = 120
RESET_ALL_CONTROLLERS = 121
ALL_NOTES_OFF = 123
"""From 120 on a control change is a message to a whole channel; from this one on all of them end its notes."""
HELD_PEDALS = (SUSTAIN, SOSTENUTO)
"""The pedals that keep notes sounding after their note-offs."""


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A key goes down. `channel` 0–15, `pitch` 0–127, `velocity` 1–127 (velocity 0 is parsed as a note-off)."""

    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A key comes up. `channel` 0–15, `pitch` 0–127, `velocity` 0–127 (the release velocity)."""

    channel: int
    pitch: int
    velocity: int = 64


@dataclass(frozen=True, slots=True)
class ControlChange:
    """A controller moves. `channel` 0–15, `control` 0–127, `value` 0–127."""

    channel: int
    control: int
    value: int


@dataclass(frozen=True, slots=True)
class PitchBend:
    """The bend wheel moves. `channel` 0–15, `value` −8192–8191, 0 is the centre."""

    channel: int
    value: int


@dataclass(frozen=True, slots=True)
class ChannelPressure:
    """Aftertouch of a whole channel. `channel` 0–15, `value` 0–127."""

    channel: int
    value: int


@dataclass(frozen=True, slots=True)
class KeyPressure:
    """Aftertouch of one key. `channel` 0–15, `pitch` 0–127, `value` 0–127."""

    channel: int
    pitch: int
    value: int


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """Another sound is chosen. `channel` 0–15, `program` 0–127."""

    channel: int
    program: int


Event = NoteOn | NoteOff | ControlChange | PitchBend | ChannelPressure | KeyPressure | ProgramChange
TimedEvent = tuple[float, Event]
"""When it happens, in seconds since a session began, and what."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A MIDI clock's tick, 24 to a quarter note."""


@dataclass(frozen=True, slots=True)
class Start:
    """A sequencer starts from the beginning."""


@dataclass(frozen=True, slots=True)
class Continue:
    """A sequencer goes on from where it stopped."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A sequencer stops."""


@dataclass(frozen=True, slots=True)
class SongPosition:
    """A sequencer will go on from there: `beats` of six ticks each (sixteenth notes) from the beginning, 0–16383."""

    beats: int


Transport = Tick | Start | Continue | Stop | SongPosition
