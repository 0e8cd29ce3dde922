"""What page and daemon say to each other: JSON, one object (from us: one list of them) a text frame of one WebSocket.

From us, first `hello` (what never changes, the table of live parameters in it), then `snapshot` (the session so far),
then what happens. Times are seconds of the session, latencies milliseconds. All text is in printable characters, and a
page shows it as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from improviser.core.live.parameters.kinds import Range
from improviser.core.live.parameters.listed import parameters
from improviser.core.live.parameters.table import TABLE
from improviser.core.live.snapshot import Answer, Snapshot
from improviser.core.midi.event import ALL_NOTES_OFF, ALL_SOUND_OFF, SUSTAIN, ControlChange, Event, NoteOff, NoteOn
from improviser.core.music.phrase import Phrase
from improviser.core.printable import printable
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import MODEL, Applied, Failed, Noticed, Played, Step, Turned
from improviser.library.catalogue import label_of

LARGEST_MESSAGE = 4096
Byte = Annotated[int, Meta(ge=0, le=255)]
Number = Annotated[int, Meta(ge=0, le=2**53)]


class Midi(msgspec.Struct, tag="midi", frozen=True):
    """A MIDI message of the player's."""

    bytes: Annotated[list[Byte], Meta(min_length=2, max_length=3)]


class Let(msgspec.Struct, tag="release", frozen=True):
    """All that the page holds is let go of."""


class Set(msgspec.Struct, tag="set", frozen=True):
    """A live parameter, or the model, is to be something; `number` comes back with the reply."""

    parameter: str
    value: Any
    number: Number = 0


class Do(msgspec.Struct, tag="do", frozen=True):
    """A command; `number` comes back with the reply."""

    command: Literal["panic", "record", "stop recording", "good", "bad", "forget"]
    number: Number = 0


class Here(msgspec.Struct, tag="here", frozen=True):
    """The page's word that it is alive."""


class Echo(msgspec.Struct, tag="echo", frozen=True):
    """The page wants to know how far away we are, and what time it is; `sent` comes back."""

    sent: float


FromPage = Midi | Let | Set | Do | Here | Echo
decode = msgspec.json.Decoder(FromPage).decode
encode = msgspec.json.Encoder().encode


def clean(value: Any) -> Any:
    """Return a value with all its text in printable characters."""
    if isinstance(value, str):
        return str(printable(value, "·"))  # msgspec encodes no subclass of `str`, such as `News`
    if isinstance(value, Mapping):
        return {clean(name): clean(its) for name, its in value.items()}
    return [clean(each) for each in value] if isinstance(value, list | tuple) else value


def labels_of(models: Sequence[str]) -> list[str]:
    """Return what a page calls models."""
    return [label_of(model) for model in models]


def table() -> list[dict[str, Any]]:
    """Return the live parameters as a page draws them, in the order of the table."""
    return [
        asdict(parameter)
        | {
            "kind": _kind(name),
            "choices": list(TABLE[name].choices),
            "step": kind.step if isinstance(kind := TABLE[name].kind, Range) else None,
            "main": TABLE[name].main,
            "note": TABLE[name].note,
        }
        for name, parameter in parameters().items()
    ]


def _kind(name: str) -> str:
    described = TABLE[name]
    if isinstance(described.kind, Range):
        return "number"
    if described.type is bool:
        return "switch"
    return "choice" if isinstance(described.kind, tuple) else "text" if described.type is str else "table"


def midi_of(event: Event | None) -> dict[str, Any] | None:
    """Return a MIDI event as a page takes it, None if it changes nothing that is seen or heard there."""
    match event:
        case NoteOn(channel, pitch, velocity):
            return {"on": pitch, "velocity": velocity, "channel": channel}
        case NoteOff(channel, pitch):
            return {"off": pitch, "channel": channel}
        case ControlChange(channel, control, value) if control in (SUSTAIN, ALL_SOUND_OFF) or control >= ALL_NOTES_OFF:
            return {"control": control, "value": value, "channel": channel}
        case _:
            return None


def told(event: SessionEvent) -> dict[str, Any] | None:
    """Return what a page is told of an event, None if nothing."""
    played = [each for each in map(midi_of, event.played) if each is not None]
    match event.report:
        case Step(stamp=stamp, latency_seconds=latency):
            heard = midi_of(event.heard)
            if heard is None and not played:
                return None
            return {"type": "step", "at": stamp, "heard": heard, "played": played, "latency": latency * 1000}
        case Played(stamp=stamp, cause=cause):
            return {"type": "played", "at": stamp, "played": played, "cause": cause}
        case Applied(parameter=parameter, value=value, error=None, stamp=stamp):
            value = labels_of(value) if parameter == MODEL else clean(value)
            return {"type": "set", "at": stamp, "parameter": parameter, "value": value, "played": played}
        case Turned(parameter, value):
            return {"type": "set", "parameter": parameter, "value": clean(value), "played": []}
        case Noticed(line) | Failed(message=line):
            return {"type": "news", "line": clean(line)}
        case _:
            return None


def roll_of(snapshot: Snapshot) -> list[list[Any]]:
    """Return the notes of the roll: who, pitch, start, and end or None."""
    return [[note.part.value, note.pitch, note.start_seconds, note.end_seconds] for note in snapshot.roll]


def answers_of(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return the last answers."""
    return [
        {
            "at": answer.seconds,
            "heard": midi_of(answer.heard),
            "played": [midi_of(note) for note in answer.played],
            "latency": answer.latency_seconds * 1000,
        }
        for answer in answers
    ]


def figures_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return what of a session goes on changing by itself."""
    latency = snapshot.latency
    return {
        "heard": snapshot.heard,
        "played": snapshot.played,
        "key": snapshot.key,
        "listens_to": clean(snapshot.listens_to),
        "latency": None
        if latency is None
        else [round(seconds * 1000, 3) for seconds in (latency.median, latency.p99, latency.worst)],
    }


def phrase_of(phrase: Phrase) -> dict[str, Any]:
    """Return a phrase of the player's: from its first onset to the end of its last note."""
    ends = [note.end_seconds for note in phrase.notes if note.end_seconds is not None]
    last = phrase.notes[-1].onset_seconds
    return {
        "type": "phrase",
        "start": phrase.notes[0].onset_seconds,
        "end": max([last, *ends]),
        "notes": len(phrase.notes),
    }
