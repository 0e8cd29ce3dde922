"""Replaying: plays a session's log through a performer again, and compares the output with the recorded one.

It is the same performer, given the same events and changes with the same times and chance: so every message must be
the same. Time does not pass here; only the log's stamps count.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET

from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.codec import decode, decode_transport, encode
from improviser.core.midi.event import Event
from improviser.core.networks.responder import Model
from improviser.engine.protocol import MODEL, Adapted, Applied, Done, Loaded, Lost, Played, Ready, Step, number_of
from improviser.errors import ConfigError, LogError
from improviser.files import read_regular
from improviser.library import former
from improviser.library.adaptations import LARGEST, adapted, digest_of
from improviser.recordings.log import MOST_MODELS, SessionLog, adaptation_path, brief
from improviser.settings.checking import check

KEPT_MODELS = 32
"""Models that are kept in memory, for a log that goes back and forth between them."""

Tell = Callable[[Step | Played | Applied | Done | Adapted, Sequence[bytes]], None]
"""Gets what was reported then, and what is played to it now."""


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

    :param heard, played: how many messages the player played, and the performer to them now.
    :param lost: how many reports are missing from the log.
    """

    heard: int = 0
    played: int = 0
    difference: Difference | None = None
    lost: int = 0


BEFORE: Mapping[str, Any] = {"follow": "every"}
"""What was played like this before the parameter was there, and so is not in the log."""


def replay(chain: Sequence[SessionLog], tell: Tell = lambda *_: None) -> Replay:
    """Replay logs that go on from each other; `tell` gets what happens, in order. No length of them needs memory.

    :raises LogError: if they are damaged, do not begin with an engine, or hold a change that cannot be.
    :raises ModelError: if a model is not there any more, or is another one now.
    """
    found = Replay()
    load = lru_cache(KEPT_MODELS)(former.load)
    performer: Performer | None = None
    for log in chain:
        for line, report in log.reports:
            if isinstance(report, Ready):
                performer = _begin(report, load)
            elif isinstance(report, Lost):
                found.lost += report.count
            elif isinstance(report, Step | Played | Applied | Done | Adapted):
                if performer is None:
                    raise LogError(f"{log.path} is damaged: something is played in line {line} before an engine began")
                try:
                    heard, events = _take(performer, report, load, log.path)
                except (ArithmeticError, AttributeError, ConfigError, LookupError, TypeError, ValueError) as error:
                    raise LogError(f"{log.path} is damaged in line {line}: {brief(error)}") from error
                now = [encode(event) for event in events]
                if now != report.played and found.difference is None:
                    found.difference = Difference(log.path.name, line, report.stamp, tuple(report.played), tuple(now))
                found.heard += heard is not None
                found.played += len(now)
                tell(report, now)
    return found


def _begin(ready: Ready, load: Callable[[str, str], Model]) -> Performer:
    try:
        _check_parameters(ready.parameters)
        parameters = Parameters(**{**BEFORE, **ready.parameters})
        models = [load(model.name, model.sha256) for model in ready.models]
        return Performer(models, parameters, np.random.default_rng(ready.seed))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, ConfigError) as error:
        raise LogError(f"the log has parameters that this program does not know: {brief(error)}") from error


def _check_parameters(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        check(name, value)


def _adaptations(log: Path, digests: Sequence[str]) -> list[bytes]:
    """Return the adaptations beside a log.

    :raises LogError: if one is not there, or another one.
    """
    files = []
    for digest in digests[:MOST_MODELS]:
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise LogError(f"{log} is damaged: {brief(digest)} is no digest")
        path = adaptation_path(log, digest)
        try:
            data = read_regular(path, LARGEST)
        except OSError as error:
            raise LogError(f"{path} cannot be read, and a replay needs it: {error.strerror or error}") from error
        if digest_of(data) != digest:
            raise LogError(f"{path} is not the adaptation that was played then: it has changed since")
        files.append(data)
    return files


def _take(
    performer: Performer, report: Step | Played | Applied | Done | Adapted, load: Callable[[str, str], Model], log: Path
) -> tuple[Event | None, list[Event]]:
    """Let the performer take in what the report says it took in then; return what was heard, and what it plays."""
    heard: Event | None = None
    events: list[Event] = []
    match report:
        case Step(stamp, message):
            heard = decode(message)
            event = decode_transport(message) or heard
            if event is None:
                raise ValueError(f"{message.hex()} is no MIDI message")
            events = performer.hear(event, stamp, number_of(report)).events
        case Played(stamp=stamp, cause="timer", pieces=pieces):
            events = performer.advance(stamp, None if pieces is UNSET else pieces).events
        case Played(stamp=stamp, cause="lost"):
            events = performer.lose(stamp, number_of(report))
        case Played():
            events = performer.panic()
        case Applied(error=None, parameter=parameter) if parameter == MODEL:
            models: list[Loaded] = report.models
            events = performer.swap([load(model.name, model.sha256) for model in models], report.stamp)
        case Done(command=command, pedal=False):
            events = performer.do(command, report.stamp)
        case Adapted(stamp, digests):
            events = performer.adapt(adapted(_adaptations(log, digests), performer.models), stamp)
        case Applied(error=None):
            _check_parameters({report.parameter: report.value})
            events = performer.change(report.parameter, report.value, report.stamp)
    for event in events:
        performer.sent(event)
    return heard, events  # what is left to `settle`, the next event settles first
