"""The performer: the live state machine, from what is heard to what is played.

Rules of the house:

* It knows only the time stamps of events, never the clock. The same stamped events and changes give the same output.
* `hear` does only what must happen before the answer can leave. Memory and statistics wait for `settle`, called
  after the answer was sent.
* Every note-on has an owner in the `Voice` that will end it (the player's key), and everything to be sent is entered in
  the `Ledger` first, so that what sounds can be ended whatever dies. The caller confirms each event with `sent`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from improviser.core.decoding import Mask, choose
from improviser.core.event import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    HELD_PEDALS,
    SOFT,
    ControlChange,
    Event,
    NoteOff,
    NoteOn,
)
from improviser.core.ledger import Ledger
from improviser.core.note import PITCHES
from improviser.core.responder import Model, Responder
from improviser.core.scales import OFF, pitches_of
from improviser.core.voice import Voice

CHORD_SECONDS = 0.06
"""Notes of the player this close together are one chord; their answers must differ."""

PASSED_CONTROLS = (*HELD_PEDALS, SOFT)
MODES = ("shadow", "mute")

_ANSWER, _THRU = "answer", "thru"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What can be changed while one plays.

    :param mode: "shadow" answers each note at once; "mute" listens only.
    :param temperature: ≥ 0; 0 plays the most likely pitch, 1 draws from the network's distribution as it is.
    :param density: 0–1, the share of notes that are answered.
    :param scale: "off", or a key such as "D minor": answers keep to it.
    :param low, high: 0–127, the lowest and the highest pitch of an answer.
    :param thru: whether the player's own notes are sent on as well.
    """

    mode: str = "shadow"
    temperature: float = 0.7
    density: float = 1.0
    scale: str = OFF
    low: int = 0
    high: int = PITCHES - 1
    thru: bool = False

    def allowed(self) -> Mask | None:
        """Return which pitches an answer may have, shape (128,), or None if any.

        :raises ConfigError: if the scale is not known.
        """
        scale = pitches_of(self.scale)
        if scale is None and self.low == 0 and self.high == PITCHES - 1:
            return None
        pitches = np.arange(PITCHES)
        register = (pitches >= self.low) & (pitches <= self.high)
        return register if scale is None else register & scale


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What a responder is still to learn from a note that was just heard."""

    responder: Responder
    pitch: int
    onset_seconds: float
    played: int | None


class Performer:
    """Plays with one player, with one or more models, one voice each.

    :param rng: the only source of chance.
    :param ledger: where all that is sent is entered; an own one if not given.
    """

    def __init__(
        self,
        models: Sequence[Model],
        parameters: Parameters,
        rng: np.random.Generator,
        ledger: Ledger | None = None,
    ) -> None:
        self.parameters = parameters
        self.ledger = Ledger() if ledger is None else ledger
        self._allowed = parameters.allowed()
        self._rng = rng
        self._voice = Voice()
        self._lessons: list[_Lesson] = []
        self._chord: list[tuple[float, int, int]] = []
        self._responders = tuple(model.responder() for model in models)

    def swap(self, models: Sequence[Model]) -> None:
        """Play with other models from the next note on; what sounds goes on until its key is released."""
        self.settle()
        self._responders = tuple(model.responder() for model in models)

    def change(self, name: str, value: Any) -> list[Event]:
        """Change the live parameter `name`; return what to send for it.

        :raises ConfigError: if `value` cannot be.
        """
        changed = replace(self.parameters, **{name: value})
        self._allowed = changed.allowed()
        self.parameters = changed
        silenced = {"mode": _ANSWER, "thru": _THRU}.get(name)
        if silenced is None or value not in ("mute", False):
            return []
        owners = [owner for owner in self._voice.owners if isinstance(owner, tuple) and owner[0] == silenced]
        return self._enter(off for owner in owners for off in self._voice.stop(owner))

    def hear(self, event: Event, now: float) -> list[Event]:
        """Take in what the player did at `now` (seconds); return what to send at once, in order."""
        if isinstance(event, NoteOn):
            return self._note_on(event, now)
        if isinstance(event, NoteOff):
            return self._enter(self._release(event.channel, event.pitch, event.velocity))
        if isinstance(event, ControlChange) and event.control in (ALL_SOUND_OFF, ALL_NOTES_OFF):
            return self.panic()
        passed = isinstance(event, ControlChange) and event.control in PASSED_CONTROLS
        return self._enter([event]) if passed or self.parameters.thru else []

    def sent(self, event: Event) -> None:
        """Confirm that `event`, returned by one of the other methods, has been sent."""
        self.ledger.sent(event)

    def settle(self) -> None:
        """Learn from the notes heard since the last call."""
        for lesson in self._lessons:
            lesson.responder.learn(lesson.pitch, lesson.onset_seconds, lesson.played)
        self._lessons.clear()

    def panic(self) -> list[Event]:
        """End all that sounds, pedals and bends included; return what to send."""
        self._voice.clear()
        return list(self.ledger.silence())

    def _enter(self, events: Iterable[Event]) -> list[Event]:
        return [part for event in events for part in self.ledger.admit(event)]

    def _release(self, channel: int, pitch: int, velocity: int = 64) -> list[NoteOff]:
        stop = self._voice.stop
        return stop((_THRU, channel, pitch), velocity) + stop((_ANSWER, channel, pitch), velocity)

    def _note_on(self, event: NoteOn, now: float) -> list[Event]:
        # A second note-on of a key without a note-off between is a retrigger: its first answer ends here.
        events: list[Event] = [*self._release(event.channel, event.pitch)]
        if self.parameters.thru:
            events.append(self._voice.start((_THRU, event.channel, event.pitch), event))
        answered = self.parameters.mode == "shadow" and self._rng.random() < self.parameters.density
        for responder in self._responders:
            played = None
            if answered:
                played = self._choose(responder, event, now)
                answer = NoteOn(event.channel, played, event.velocity)
                events.append(self._voice.start((_ANSWER, event.channel, event.pitch), answer))
            self._lessons.append(_Lesson(responder, event.pitch, now, played))
        return self._enter(events)

    def _choose(self, responder: Responder, event: NoteOn, now: float) -> int:
        """Choose the pitch of an answer: allowed, and not one that answers another note of the same chord."""
        self._chord = [answer for answer in self._chord if 0 <= now - answer[0] < CHORD_SECONDS]
        allowed = self._allowed
        taken = [pitch for _, channel, pitch in self._chord if channel == event.channel]
        if taken:
            allowed = np.ones(PITCHES, np.bool_) if allowed is None else allowed.copy()
            allowed[taken] = False
        pitch = choose(responder.propose(event.pitch, now), self.parameters.temperature, self._rng, allowed)
        self._chord.append((now, event.channel, pitch))
        return pitch
