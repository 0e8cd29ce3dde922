"""The public performer: the live state machine with raw MIDI messages in and out, and no ports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from improviser.core.live import performer as core
from improviser.core.live.hearing import messages_of, moments_due, understand
from improviser.core.live.parameters.allowed import check
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.votes import check_command
from improviser.core.midi.codec import encode
from improviser.core.midi.event import Event
from improviser.core.music.note import is_time
from improviser.core.networks.responder import Model
from improviser.core.printable import shown
from improviser.errors import ConfigError, ModelError, NoteError

PATIENCE_SECONDS = 3600.0
"""What is due is played at its own time, however late it is asked for; but what is later than this, now."""
LATEST_SECONDS = 1e10
"""Beyond this, clocks that count in floats are too coarse for music."""


class Performer:
    r"""Plays along with one player: raw MIDI messages in, raw MIDI messages out, no ports, no clock of its own.

    It is what `improviser play` runs in its engine: the same models, parameters, seed and stamped messages give the
    same output. Time is what the caller says it is: `now` is in seconds on any one clock, and never goes back. A `now`
    that is earlier than one before is taken for that one; more than 10¹⁰ seconds from zero is refused.

    Every method that returns messages returns what is to be sent at once, in order: complete MIDI messages of 2 or 3
    bytes. They count as sent. Whatever was due before `now` (a note of a reply, the end of one) comes first, played as
    of its own moment: how often `advance` is called changes when the caller can send it, and not what it is. Only after
    a sleep of more than an hour does the music go on from `now`. Program changes pick no model here, `swap` does. Not
    safe to share between threads.

    :param models: the models that play, one voice each, from `improviser.load_model`; with none, nothing is answered.
    :param seed: a whole number ≥ 0; the only source of chance.
    :param parameters: live parameters by name, see `improviser.parameters`; the others are at their defaults.
    :raises ConfigError: if a parameter or the seed cannot be.
    :raises ModelError: if one of `models` is no model.

    >>> import improviser
    >>> performer = improviser.Performer([improviser.load_model("bach-bass")], seed=1, temperature=0)
    >>> answer = performer.hear(b"\x90\x48\x50", 0.0)    # C5 goes down: the bass answers at once, as loud
    >>> [message.hex(" ") for message in answer]
    ['90 30 50']
    >>> [message.hex(" ") for message in performer.hear(b"\x80\x48\x40", 0.5)]
    ['80 30 40']
    """

    def __init__(self, models: Sequence[Model], *, seed: int = 0, **parameters: Any) -> None:
        known = {name: check(name, value) for name, value in parameters.items()}
        rng = np.random.default_rng(_checked_seed(seed))
        self._performer = core.Performer(_checked_models(models), Parameters(**known), rng)
        self._latest = -LATEST_SECONDS

    @property
    def deadline(self) -> float | None:
        """When `advance` has something to do next, in the caller's seconds; None if that depends on the player."""
        self._performer.settle()
        return self._performer.deadline

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Every live parameter by name, as it is now; knobs (`controls`) may have turned some."""
        return asdict(self._performer.parameters)

    def hear(self, message: bytes | bytearray | memoryview, now: float) -> list[bytes]:
        r"""Take in what the player, or a clock, sent at `now`; return what to send.

        Takes any bytes: one MIDI message, or several that came together. What is no complete message is passed over,
        as is SysEx.

        :raises NoteError: if `message` is no bytes, or `now` no time.
        """
        if not isinstance(message, bytes | bytearray | memoryview):
            raise NoteError(f"a MIDI message is bytes such as b'\\x90\\x3c\\x40'; this is {shown(message)}")
        now = self._time(now)
        played = self._play_until(now)
        for one in messages_of(bytes(message)):
            event = understand(one, self._performer, now)
            if event is not None:
                played += self._send(self._performer.hear(event, now).events)
        return played

    def advance(self, now: float) -> list[bytes]:
        """Play what is due by `now`; return what to send.

        :raises NoteError: if `now` is no time.
        """
        return self._play_until(self._time(now))

    def change(self, name: str, value: Any, now: float) -> list[bytes]:
        """Change a live parameter from `now` on; return what to send for it.

        :raises ConfigError: if there is no such parameter, or it cannot be that; then nothing has changed.
        :raises NoteError: if `now` is no time.
        """
        self._performer.check_change(name, value)
        now = self._time(now)
        return self._play_until(now) + self._send(self._performer.change(name, value, now))

    def swap(self, models: Sequence[Model], now: float) -> list[bytes]:
        """Play with other models from `now` on; what sounds goes on to its end. Return what to send.

        :raises ModelError: if one of `models` is no model; then nothing has changed.
        :raises NoteError: if `now` is no time.
        """
        models = _checked_models(models)
        now = self._time(now)
        return self._play_until(now) + self._send(self._performer.swap(models, now))

    def do(self, command: str, now: float) -> list[bytes]:
        """Carry out a command: "good" and "bad" are votes on the last phrase, "forget" takes them back.

        Returns what was due before, to be sent.

        :raises ConfigError: if there is no such command; then nothing has changed.
        :raises NoteError: if `now` is no time.
        """
        check_command(command)
        now = self._time(now)
        return self._play_until(now) + self._send(self._performer.do(command, now))

    def panic(self) -> list[bytes]:
        """End all that sounds at once, pedals and bends included, and forget what was to come; return what to send."""
        return self._send(self._performer.panic())

    def _play_until(self, now: float) -> list[bytes]:
        # What the last answer has taught is learned now: when it was returned, it was to leave at once.
        self._performer.settle()
        played: list[bytes] = []
        for moment in moments_due(self._performer, now, PATIENCE_SECONDS):
            played += self._send(self._performer.advance(moment).events)
        return played

    def _send(self, events: Iterable[Event]) -> list[bytes]:
        messages = []
        for event in events:
            messages.append(encode(event))
            self._performer.sent(event)
        return messages

    def _time(self, now: float) -> float:
        if not (is_time(now) and abs(now) <= LATEST_SECONDS):
            raise NoteError(
                f"now must be a number of seconds, at most {LATEST_SECONDS:g} from zero; it is {shown(now)}"
            )
        self._latest = max(self._latest, float(now))
        return self._latest


def _checked_models(models: object) -> list[Model]:
    """Return models as a list.

    :raises ModelError: if they are none.
    """
    if isinstance(models, str) or not isinstance(models, Iterable):
        raise ModelError(f"models must be a list of what improviser.load_model returns; it is {shown(models)}")
    found = list(models)
    for model in found:
        if not (callable(getattr(model, "responder", None)) and isinstance(getattr(model, "task", None), str)):
            raise ModelError(f"{shown(model)} is no model; give what improviser.load_model returns")
    return found


def _checked_seed(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigError(f"seed must be a whole number from 0; it is {shown(seed)}")
    return int(seed)
