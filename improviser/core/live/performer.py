"""The performer: the live state machine, from what is heard to what is played.

Rules of the house:

* It knows only the time stamps of events, never the clock. The same stamped events and changes give the same output.
  What is to be played later is `due` at a `deadline`, computed from stamps alone; `advance` plays it.
* `hear` does only what must happen before the answer can leave. Memory and statistics wait for `settle`, called
  after the answer was sent. In quiet times `foresee` thinks about the notes that may come, before they do.
* Every note-on has an owner in the `Voice` that will end it (the player's key, or a beat of a reply), and everything to
  be sent is entered in the `Ledger` first, so that what sounds can be ended whatever dies. The caller confirms each
  event with `sent`.

What happens to a note of the player, and what happens without one:

* shadow: each note is answered at once; the answer ends with its key.
* answer: notes are listened to; when the phrase is over, each model replies in its rhythm.
* solo: as answer, but it goes on, phrase after phrase, in rhythms the player has played.
* mute: notes are learned from.

Any note that is heard ends a reply at once.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from improviser.core.live.allowed import check, checked
from improviser.core.live.band import Band
from improviser.core.live.chance import Chance
from improviser.core.live.hands import Hands
from improviser.core.live.kinds import POSITIONS
from improviser.core.live.knobs import MODEL, Knobs, Picked
from improviser.core.live.later import Owner, earliest
from improviser.core.live.ledger import Ledger
from improviser.core.live.loops import Loops
from improviser.core.live.parameters import Parameters
from improviser.core.live.presence import Presence
from improviser.core.live.reply import Beat, Schedule, reply_to
from improviser.core.live.sounding import ANSWER, REPLY, THRU, Sounding
from improviser.core.midi.clock import GRIDS, Clock
from improviser.core.midi.event import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    RESET_ALL_CONTROLLERS,
    Continue,
    ControlChange,
    Event,
    NoteOff,
    NoteOn,
    ProgramChange,
    Start,
    Stop,
    Transport,
)
from improviser.core.music.phrase import PhraseTracker
from improviser.core.networks.responder import Model

LATE_SECONDS = 1.0
"""What is due is played at its own time; but what is later than this (the machine slept) goes on from now."""

_REPLYING = ("answer", "solo")


class Performer:
    """Plays with one player, with one or more models, one voice each.

    :param rng: the only source of chance.
    :param ledger: where all that is sent is entered; an own one if not given.
    :raises ConfigError: if the parameters cannot be.
    """

    def __init__(
        self,
        models: Sequence[Model],
        parameters: Parameters,
        rng: np.random.Generator,
        ledger: Ledger | None = None,
    ) -> None:
        self.parameters = parameters = checked(parameters)
        self.ledger = Ledger() if ledger is None else ledger
        self._chance = Chance(rng)
        self._band = Band(models, parameters, self._chance)
        self._knobs = Knobs(parameters.controls)
        self._tracker = PhraseTracker()
        self._clock = Clock()
        self._sounding = Sounding()
        self._hands = Hands(self._tracker, self._sounding)
        self._loops = Loops()
        self._presence = Presence(self._hands.hold)
        self._pressed: list[tuple[NoteOn, float, bool]] = []
        self._schedule: Schedule | None = None
        self._solo_goes_on: float | None = None
        self._not_before = -math.inf
        self.turned: tuple[str, Any] | None = None
        """The parameter that the event heard last has turned, and what it is now."""
        self.picked: Picked | None = None
        """The model that the event heard last has picked; `swap` brings it."""
        self.lost = False
        """Whether the last `advance` or `hear` found that the player's source is gone."""

    @property
    def deadline(self) -> float | None:
        """When `advance` has something to do next; None if it depends on the player."""
        return earliest(self._turn(), self._sounding.due, self._loops.due, self._gone_at)

    @property
    def sensing_ends(self) -> float | None:
        """When the source of what is heard is gone unless `sense` says otherwise; None if it has promised nothing."""
        return self._presence.sensing_ends

    @property
    def _gone_at(self) -> float | None:
        return self._presence.ends(self.parameters.release_after)

    def sense(self, now: float, *, promised: bool = False) -> None:
        """Take in that anything came in; after active sensing (`promised`) `advance` releases keys if nothing does."""
        self._presence.senses(now, promised=promised)

    def _turn(self) -> float | None:
        """Return when the reply goes on, or begins."""
        if self._schedule is not None:
            return self._schedule.due
        if self.parameters.mode not in _REPLYING or not len(self._band):
            return None
        turn = self._tracker.turn()
        turn = self._solo_goes_on if turn is None else turn
        return None if turn is None else max(turn, self._not_before)

    @property
    def echoing(self) -> bool:
        """Whether our own notes come back in, and are passed over."""
        return self._loops.echoing and self.parameters.guard

    @property
    def circling(self) -> bool:
        """Whether others answer our answers, in a ring, so that they come back, and are passed over."""
        return self._loops.circling and self.parameters.guard

    @property
    def foreseen(self) -> bool:
        """Whether the answer to the note heard last had been thought out before it came."""
        return self._band.foreseen

    def advance(self, now: float) -> list[Event]:
        """Play all that is due by `now`, in order; return what to send."""
        self.settle()
        self.lost = False
        return self._enter(self._advance(now), now)

    def lose(self, now: float) -> list[Event]:
        """Take in that the player's source is gone at `now`; return what to send, and what was due before."""
        self.settle()
        return self._enter(self._advance(now) + self._let_go(now), now)

    def hear(self, event: Event | Transport, now: float) -> list[Event]:
        """Take in what the player, or a clock, did at `now` (seconds); return what to send at once, in order."""
        self.settle()
        self.turned = self.picked = None
        self._band.foreseen = self.lost = False
        events = self._advance(now)
        self._presence.senses(now)
        if isinstance(event, Transport):
            return self._enter(events + self._follow(event, now), now)
        if self.parameters.guard and self._loops.recognises(event, now):
            return self._enter(events, now)
        self._presence.plays(now)
        if isinstance(event, NoteOff):
            self._tracker.release(event.channel, event.pitch, now)
            events += self._sounding.release(event.channel, event.pitch, now, event.velocity)
        elif isinstance(event, NoteOn):
            events += self._note_on(event, now)
        else:
            events += self._control(event, now)
        return self._enter(events, now)

    def sent(self, event: Event) -> None:
        """Confirm that `event`, returned by one of the other methods, has been sent."""
        self.ledger.sent(event)

    def settle(self) -> None:
        """Learn from the notes heard and played since the last call."""
        self._band.settle()
        for note, now, interrupts in self._pressed:
            self._tracker.press(note, now, interrupts=interrupts)
        self._pressed.clear()
        self._loops.settle()
        self._chance.prepare()

    def foresee(self) -> bool:
        """Think about a note that may come, which changes nothing but how soon; return whether there may be more."""
        return self.parameters.mode == "shadow" and self._band.foresee()

    def change(self, name: str, value: Any, now: float) -> list[Event]:
        """Change the live parameter `name` at `now`; return what to send for it.

        :raises ConfigError: if `value` cannot be.
        """
        changed, knobs = self.changed(name, value)
        self.settle()
        events = self._advance(now)
        self._knobs = knobs
        return self._enter(events + self._adopt(changed, now), now)

    def changed(self, name: str, value: Any) -> tuple[Parameters, Knobs]:
        """Return what `change` would play with; changes nothing.

        :raises ConfigError: if `value` cannot be.
        """
        parameters = checked(replace(self.parameters, **{name: check(name, value)}))
        return parameters, Knobs(parameters.controls) if name == "controls" else self._knobs

    def _adopt(self, changed: Parameters, now: float) -> list[Event]:
        """Play with these parameters from `now` on."""
        before, events = self.parameters, []
        self._band.adopt(changed)
        self.parameters = changed
        if changed.mode != before.mode:
            events += self._change_mode(now)
        if not changed.thru:
            events += self._sounding.stop_all(THRU)
        return events + self._hands.rearranged(changed)

    def _turn_knob(self, parameter: str, position: int, now: float) -> list[Event]:
        """Take in that the player moved the knob of a parameter to a position, 0–127."""
        if parameter == MODEL:
            self.picked = Picked(position, POSITIONS)
            return []
        if (value := self._knobs.turn(parameter, position, self.parameters)) is None:
            return []
        self.turned = (parameter, value)
        return self._adopt(replace(self.parameters, **{parameter: value}), now)

    def swap(self, models: Sequence[Model], now: float) -> list[Event]:
        """Play with other models from `now` on; what sounds goes on to its end. Return what was due before."""
        events = self.advance(now)
        self._band.join(models)
        return events

    def panic(self) -> list[Event]:
        """End all that sounds, pedals and bends included, and what is being replied to; return what to send."""
        self.settle()
        self._sounding.clear()
        self._hands.forget()
        self._tracker.forget()
        self._presence.forget()
        self._schedule = self._solo_goes_on = None
        return list(self.ledger.silence())

    def _enter(self, events: Iterable[Event], now: float) -> list[Event]:
        probes = self._loops.probes(now, self._hands.soft_pedal)
        leaving = [part for event in (*events, *probes) for part in self.ledger.admit(event)]
        if self.parameters.guard:
            self._loops.leaves(leaving, now)
        return leaving

    def _change_mode(self, now: float) -> list[Event]:
        events = self._interrupt()
        mode = self.parameters.mode
        if mode == "mute":
            events += self._sounding.stop_all(ANSWER)
            self._sounding.drop(ANSWER)
        # What was played before is not replied to; but the rhythms in it are known.
        end = self._tracker.end()
        if end is not None and end <= now:
            self._tracker.close(end)
        self._not_before = now
        if mode == "solo" and self._tracker.phrases:
            self._solo_goes_on = now
        return events

    def _follow(self, event: Transport, now: float) -> list[Event]:
        """Follow the clock of a sequencer: where it stops a reply ends, where it starts a solo goes on."""
        self._clock.follow(event, now)
        if isinstance(event, Stop):
            return self._interrupt()
        if isinstance(event, Start | Continue) and self.parameters.mode == "solo" and self._tracker.phrases:
            self._solo_goes_on = now
        return []

    def _start(self, owner: Owner, notes: Sequence[NoteOn], now: float) -> list[Event]:
        """Start notes of an owner: now, at the next point of the grid, or after the delay that was asked for."""
        parameters = self.parameters
        delay = self._clock.delay(now, GRIDS[parameters.quantise]) if parameters.quantise != "off" else 0.0
        if owner[0] == ANSWER:
            delay += parameters.delay
        return self._sounding.start(owner, notes, now, delay)

    def _let_go(self, now: float) -> list[Event]:
        self._presence.forget()
        return self._hands.let_go(now, self.parameters)

    def _interrupt(self) -> list[Event]:
        """End a reply, wherever it is."""
        self._solo_goes_on = None
        if self._schedule is None and self._sounding.due is None:
            return []
        self._schedule = None
        self._sounding.drop(REPLY)
        return self._sounding.stop_all(REPLY)

    def _note_on(self, event: NoteOn, now: float) -> list[Event]:
        # A second note-on of a key without a note-off between is a retrigger: its first answer ends here.
        events = self._sounding.release(event.channel, event.pitch, now)
        parameters = self.parameters
        if not (parameters.hears_channel(event.channel) and parameters.hears_key(event.pitch)):
            return events
        if parameters.thru:
            events += self._sounding.start((THRU, event.channel, event.pitch), [event], now)
            self._band.take(event.channel, event.pitch, now)
        if not parameters.answers_key(event.pitch):
            return events
        interrupts = self._schedule is not None
        events = self._interrupt() + events
        if parameters.mode in _REPLYING:
            self._band.listen(event.pitch, now)
        elif parameters.mode == "shadow" and self._chance.random() < parameters.density:
            events += self._answer(event, now)
        else:
            self._band.hear(event.pitch, now)
        self._pressed.append((event, now, interrupts))
        return events

    def _answer(self, event: NoteOn, now: float) -> list[Event]:
        channel = self.parameters.output_channel(event.channel)
        velocity = self.parameters.loudness(event.velocity)
        owner = ANSWER, event.channel, event.pitch
        pitches = self._band.answer(event.pitch, channel, now)
        return self._start(owner, [NoteOn(channel, pitch, velocity) for pitch in pitches], now)

    def _control(self, event: Event, now: float) -> list[Event]:
        # Whoever bound a knob means it to be heard, on a channel of its own as well.
        if isinstance(event, ControlChange) and (parameter := self._knobs.turned_by(event)) is not None:
            return self._turn_knob(parameter, event.value, now)
        if isinstance(event, ControlChange) and event.control == ALL_SOUND_OFF:
            return self._silence(event.channel, now)
        if isinstance(event, ControlChange) and event.control == RESET_ALL_CONTROLLERS:
            return self._hands.reset(event, now, self.parameters)
        if isinstance(event, ControlChange) and event.control >= ALL_NOTES_OFF:
            return self._hands.release_keys(event.channel, now)
        if isinstance(event, ProgramChange) and self.parameters.programs:
            self.picked = Picked(event.program) if self.parameters.hears_channel(event.channel) else None
            return []
        return self._hands.move(event, now, self.parameters)

    def _silence(self, channel: int, now: float) -> list[Event]:
        """End all that sounds because of a channel of the player's, replies to it too; the phrase is not forgotten."""
        heard = self.parameters.hears_channel(channel)
        ended = self._interrupt() if heard and self._schedule and self._schedule.has_beats_of(channel) else []
        return ended + self._hands.silence(channel, now, self.parameters)

    def _advance(self, now: float) -> list[Event]:
        events: list[Event] = []
        while (due := self.deadline) is not None and due <= now:
            late = now - due
            if late > LATE_SECONDS:
                due = now
                if self._schedule is not None:
                    self._schedule.postpone(late)
            self.settle()
            self._loops.expire(due)
            if self._leaves_by(due):
                events += self._let_go(due)
                continue
            events += self._sounding.take(due)
            if (turn := self._turn()) is not None and turn <= due:
                events += self._play_on(due)
        return events

    def _leaves_by(self, now: float) -> bool:
        """Say whether the player is gone by `now`, after the music of the same moment, so that a replay is alike."""
        gone, music = self._gone_at, earliest(self._turn(), self._sounding.due)
        leaves = gone is not None and gone <= now and (music is None or music > now)
        self.lost = self.lost or (leaves and self._presence.is_lost(now))
        return leaves

    def _play_on(self, now: float) -> list[Event]:
        """Play what is due at `now`: begin a reply, end beats, begin one."""
        if self._schedule is None:
            self._schedule = self._begin(now)
        schedule = self._schedule
        events = [off for number in schedule.ended(now) for off in self._sounding.stop((REPLY, number), now)]
        if (begun := schedule.begun(now)) is not None:
            number, beat, last = begun
            if self._chance.random() < self.parameters.density:
                events += self._beat(number, beat, now, closing=last)
        if schedule.due is None:
            self._schedule = None
            if self.parameters.mode == "solo":
                self._solo_goes_on = max(now, schedule.following_seconds)
        return events

    def _begin(self, now: float) -> Schedule:
        """Begin a reply to the phrase that is over, or in the rhythm of one that is remembered."""
        self._solo_goes_on = None
        phrase = self._tracker.close(now)
        again = phrase is None
        if phrase is None:
            phrase = self._tracker.phrases[int(self._chance.generator.integers(len(self._tracker.phrases)))]
        varied = again or self._band.imagines_its_leader
        return Schedule(reply_to(phrase, self._chance.generator if varied else None), now, phrase.pulse_seconds)

    def _beat(self, number: int, beat: Beat, now: float, *, closing: bool) -> list[Event]:
        channel = self.parameters.output_channel(beat.channel)
        velocity = self.parameters.loudness(beat.velocity)
        pitches = self._band.lead(beat.pitch, channel, now, closing=closing)
        return self._start((REPLY, number), [NoteOn(channel, pitch, velocity) for pitch in pitches], now)
