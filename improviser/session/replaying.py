"""Replaying: a session's log goes through a performer again, and what it plays is held against what was played then.

It is the same performer, given the same events and changes with the same times and chance: so every message must be
the same. Time does not pass here; only the log's stamps count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from improviser import library
from improviser.core.live.parameters import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import Event, NoteOn
from improviser.core.networks.responder import Model
from improviser.errors import ConfigError, LogError, ModelError
from improviser.midi import decode, decode_transport, encode
from improviser.pipe import MODEL, Applied, Loaded, Lost, Played, Ready, Step
from improviser.session.log import SessionLog

TimedEvent = tuple[float, Event]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where what is played now is not what was played then."""

    log: str
    line: int
    stamp: float
    then: tuple[bytes, ...]
    now: tuple[bytes, ...]

    def __str__(self) -> str:
        then, now = (" ".join(message.hex() for message in messages) or "nothing" for messages in (self.then, self.now))
        return f"at {self.stamp:.3f} s ({self.log}, line {self.line}) it played {then}, and now plays {now}"


@dataclass(slots=True)
class Replay:
    """What a replay found.

    :param heard, played: what the player played, and what the performer played to it now; events at their seconds.
    :param lost: how many reports are missing from the log.
    """

    heard: list[TimedEvent] = field(default_factory=list)
    played: list[TimedEvent] = field(default_factory=list)
    difference: Difference | None = None
    lost: int = 0


def replay(chain: Sequence[SessionLog]) -> Replay:
    """Replay logs that go on from each other.

    :raises LogError: if they do not begin with an engine, or hold a change that cannot be.
    :raises ModelError: if a model is not there any more, or is another one now.
    """
    found = Replay()
    performer: Performer | None = None
    for log in chain:
        for line, report in log.reports:
            if isinstance(report, Ready):
                performer = _begin(report)
            elif isinstance(report, Lost):
                found.lost += report.count
            elif isinstance(report, Step | Played | Applied):
                if performer is None:
                    raise LogError(f"{log.path} is damaged: something is played in line {line} before an engine began")
                try:
                    events = _take(performer, report)
                except (ConfigError, AttributeError, LookupError, TypeError, ValueError) as error:
                    raise LogError(f"{log.path} is damaged in line {line}: {error}") from error
                _compare(found, report, events, log.path.name, line)
    return found


def _begin(ready: Ready) -> Performer:
    try:
        parameters = Parameters(**ready.parameters)
        return Performer(_models(ready.models), parameters, np.random.default_rng(ready.seed))
    except (AttributeError, LookupError, TypeError, ValueError, ConfigError) as error:
        raise LogError(f"the log has parameters that this program does not know: {error}") from error


def _models(loaded: Sequence[Loaded]) -> list[Model]:
    models = []
    for model in loaded:
        if library.digest(model.name) != model.sha256:
            raise ModelError(f"the model {model.name} is not the one that played then: its file has changed since")
        models.append(library.load_model(model.name))
    return models


def _take(performer: Performer, report: Step | Played | Applied) -> list[Event]:
    """Let the performer take in what the report says it took in then; return what it plays to it."""
    events: list[Event] = []
    match report:
        case Step(stamp, heard):
            event = decode_transport(heard) or decode(heard)
            if event is None:
                raise ValueError(f"{heard.hex()} is no MIDI message")
            events = performer.hear(event, stamp)
        case Played(stamp=stamp, cause="timer"):
            events = performer.advance(stamp)
        case Played(stamp=stamp, cause="lost"):
            events = performer.lose(stamp)
        case Played():
            events = performer.panic()
        case Applied(error=None, parameter=parameter) if parameter == MODEL:
            events = performer.swap(_models(report.models), report.stamp)
        case Applied(error=None):
            events = performer.change(report.parameter, report.value, report.stamp)
    for event in events:
        performer.sent(event)
    performer.settle()
    return events


def _compare(found: Replay, report: Step | Played | Applied, events: Sequence[Event], log: str, line: int) -> None:
    now = tuple(map(encode, events))
    if found.difference is None and now != tuple(report.played):
        found.difference = Difference(log, line, report.stamp, tuple(report.played), now)
    if isinstance(report, Step) and (heard := decode(report.heard)) is not None:
        found.heard.append((report.stamp, heard))
    found.played += ((report.stamp, event) for event in events)


def from_first_note(*parts: Sequence[TimedEvent]) -> list[list[TimedEvent]]:
    """Return the parts in seconds since the first note of any, as a recording has them."""
    start = min((seconds for part in parts for seconds, event in part if isinstance(event, NoteOn)), default=0.0)
    return [[(seconds - start, event) for seconds, event in part] for part in parts]
