"""The performer: the live state machine, from what is heard to what is played.

Rules of the house:

* It knows only the time stamps of events, never the clock. The same stamped events and changes give the same output.
  What is to be played later is `due` at a `deadline`, computed from stamps alone; `advance` plays it.
* `hear` does only what must happen before the answer can leave. A usual note is answered by what is foretold of it; all
  else that it means is taken in, and learned from, by `settle`, called after the answer was sent. In quiet times
  `foresee` thinks about the notes that may come, before they do; what such a note will be answered, `foretell` says at
  a look.
* Every note-on has an owner in the `Voice` that will end it (the player's key, or a beat of a reply), and everything to
  be sent is entered in the `Ledger` first, so that what sounds can be ended whatever dies. The caller confirms each
  event with `sent`.

What becomes of a note of the player's, and what happens without one, is the mode's to say (`modes`). Any note that may
be answered ends a reply at once. What is done when is in `due`; parameters, knobs and commands are in `changes`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from improviser.core.live.answering.band import Band
from improviser.core.live.answering.chance import Chance
from improviser.core.live.answering.joining import Heard, Joining
from improviser.core.live.changes import Changes
from improviser.core.live.due import Due
from improviser.core.live.guards.loops import Loops
from improviser.core.live.keys import Keys
from improviser.core.live.outcome import Outcome
from improviser.core.live.output.ledger import Ledger
from improviser.core.live.output.sounding import Sounding
from improviser.core.live.parameters.allowed import checked
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.chords import Listener
from improviser.core.live.player.hands import Hands
from improviser.core.live.player.presence import Presences
from improviser.core.live.player.votes import check_command
from improviser.core.live.player.zones import LiveZones
from improviser.core.live.playing import Playing
from improviser.core.live.usual_notes import UsualNotes
from improviser.core.melody.model import MelodyModel
from improviser.core.midi.event import (
    ChannelPressure,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    Transport,
)
from improviser.core.midi.lanes import on_lane
from improviser.core.music.phrase import PhraseTracker
from improviser.core.networks.responder import Model

TOUCH = (PitchBend, ChannelPressure, KeyPressure)
"""What does not change what is replied."""


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
        parameters = checked(parameters)
        self.ledger = Ledger() if ledger is None else ledger
        self._chance = Chance(rng)
        self._band = Band(models, parameters, self._chance)
        self._tracker = PhraseTracker()
        self._sounding = Sounding()
        self._zones = LiveZones()
        self._listener = Listener()
        self._playing = Playing(
            self._band, parameters, self._chance, self._tracker, self._sounding, self._zones, self._listener
        )
        self._hands = Hands(self._tracker, self._sounding, self._zones, self._listener.held)
        self._loops = Loops()
        self._keys = Keys(
            self._playing, self._tracker, self._sounding, self._zones, self._listener, self._loops, self._band.drawing
        )
        self._presences = Presences(self._hands.hold)
        self._changes = Changes(parameters, self._band, self._playing, self._hands, self._sounding)
        self._due = Due(
            self._band,
            self._chance,
            self._playing,
            self._keys,
            self._hands,
            self._presences,
            self._sounding,
            self._loops,
        )
        self._usual = UsualNotes(
            self._band, self._playing, self._keys, self._loops, self._zones, self._sounding, self._presences
        )
        self._settled = False
        self.settle()

    @property
    def parameters(self) -> Parameters:
        """What is played with; `change` and the player's knobs change it."""
        return self._changes.parameters

    @property
    def deadline(self) -> float | None:
        """When `advance` has something to do next; None if it depends on the player."""
        self._take_in()
        return self._due.deadline(self.parameters)

    @property
    def sensing_ends(self) -> float | None:
        """When a source of what is heard is gone unless `sense` says otherwise; None if none has promised anything."""
        self._take_in()
        return self._presences.sensing_ends

    def sense(self, now: float, number: int = 0, *, promised: bool = False) -> None:
        """Take in that anything came in on input `number` (counted from 0).

        After active sensing (`promised`) `advance` releases the keys of that input if nothing comes any more.
        """
        self._take_in()
        self._presences.at(number).senses(now, promised=promised)
        if promised:  # else the next loss is no earlier than it was
            self._unsettle()

    def wait_for_sources(self, now: float) -> None:
        """Expect all sources that have promised to send for as long as if they had just done so."""
        for number in self._presences.promised:
            self.sense(now, number, promised=True)

    def advance(self, now: float, pieces: int | None = None) -> Outcome:
        """Play all that is due by `now`, in order; return what to send, and what was found out.

        A reply that begins is thought out first, unless it is to be what it is after so many `pieces` of thinking. Of
        several sources that are gone only the first is found out: then the `deadline` is not after `now`.
        """
        self._begin_call()
        return self._outcome(self._due.advance(now, self.parameters, pieces, one_loss=True), now)

    def lose(self, now: float, number: int = 0) -> list[Event]:
        """Take in that the source of input `number` is gone at `now`; return what to send, and what was due before."""
        return self._enter(self._until(now) + self._due.let_go(number, now, self.parameters), now)

    def hear(self, event: Event | Transport, now: float, number: int = 0) -> Outcome:
        """Take in what the player, or a clock, did at `now` (seconds); return what to send, and what came of it.

        :param number: by which input it came, counted from 0.
        """
        self.settle()
        parameters = self._changes.parameters
        if isinstance(event, NoteOn):
            note = on_lane(event, number)
            if (outcome := self._usual.answer(note, now, number, parameters, self.ledger)) is not None:
                self._settled = False
                return outcome
        may_be_due = now >= self._usual.due
        self._begin_call()
        events = self._due.advance(now, parameters) if may_be_due else []
        presence = self._presences.at(number)
        presence.senses(now)
        if isinstance(event, Transport):
            events += self._playing.follow(event, now)
        elif not (parameters.guard and self._loops.recognises(event, now)):
            presence.plays(now)
            events += self._heard(on_lane(event, number), now)
        return self._outcome(events, now)

    def _take_in(self) -> None:
        self._usual.take_in(self.parameters)

    def _heard(self, event: Event, now: float) -> list[Event]:
        """Take in an event of the player's own."""
        if not isinstance(event, TOUCH):
            self._playing.think_again()
        if isinstance(event, NoteOn):
            return self._keys.press(event, now, self.parameters)
        if isinstance(event, NoteOff):
            return self._keys.release(event.channel, event.pitch, now, event.velocity)
        return self._changes.control(event, now)

    def _begin_call(self) -> None:
        self.settle()
        self._unsettle()
        self._changes.begin_call()
        self._band.foreseen, self._due.lost = False, None

    def _outcome(self, events: Iterable[Event], now: float) -> Outcome:
        """Enter what leaves; return it, and what else has come of this call."""
        leaving = self._enter(events, now)
        echoing, circling = self._loops.found if self.parameters.guard else (False, False)
        changes, lost, foreseen = self._changes, self._due.lost, self._band.foreseen
        turned, picked, done = changes.turned, changes.picked, changes.done
        return Outcome(leaving, turned, picked, foreseen, lost is not None, echoing, circling, lost or 0, done)

    def sent(self, event: Event) -> None:
        """Confirm that `event`, returned by one of the other methods, has been sent."""
        self.ledger.sent(event)

    def settle(self) -> None:
        """Learn from the notes heard and played since the last call."""
        if not self._settled:
            self._take_in()
            self._due.learn()
            self._usual.prepare(self.parameters, self._due.deadline(self.parameters))
            self._settled = True

    def _unsettle(self) -> None:
        """Let nothing be foretold until all is settled again."""
        self._usual.forget()
        self._settled = False

    def foresee(self, now: float = -math.inf) -> bool:
        """Think about what may come, which changes nothing but how soon it is there; return whether there may be more.

        That is a note of the player's, or a reply that will be due soon after `now`.
        """
        if self._band.let_go():
            return True
        if self._usual.is_to_take_in:
            return False
        if self._playing.mode.replies:
            return self._settled and self._playing.think(now)
        return self._playing.mode.answers and self._band.foresee()

    def unfinished(self, moment: float) -> int | None:
        """Return how many pieces of a reply that begins by that moment are thought, if not all; see `advance`."""
        self._take_in()
        return self._playing.unfinished(moment)

    def foretell(
        self, channel: int, pitch: int, velocity: int, now: float, *, think: bool
    ) -> tuple[list[Event], bool] | None:
        """Return the events that `hear` would return for this `NoteOn` (on this lane), and whether they were foreseen.

        This changes nothing that is played. None if anything is unusual; or if it was not foreseen, and is not to be
        thought out now (`think`).
        """
        note = NoteOn(channel, pitch, velocity)
        told = self._usual.foretell(note, now, self.parameters, think=think)
        return told and ([part for answer in told[0] for part in self.ledger.foretell(answer)], told[1])

    def change(self, name: str, value: Any, now: float) -> list[Event]:
        """Change the live parameter `name` at `now`; return what to send for it.

        :raises ConfigError: if `value` cannot be.
        """
        changed, knobs = self._changes.changed(name, value)
        events = self._until(now)
        return self._enter(events + self._changes.adopt(changed, knobs, now), now)

    def check_change(self, name: str, value: Any) -> None:
        """Do nothing but check what `change` would do.

        :raises ConfigError: if `value` cannot be.
        """
        self._changes.changed(name, value)

    def do(self, command: str, now: float) -> list[Event]:
        """Carry out one of `COMMANDS` at `now`: a vote, or to forget; return what was due before.

        :raises ConfigError: if there is no such command.
        """
        check_command(command)
        events = self._enter(self._until(now), now)
        self._changes.obey(command)
        return events

    @property
    def heard(self) -> Heard:
        """What models have to know of the player's notes to begin now."""
        self._take_in()
        return self._band.heard

    def swap(self, models: Sequence[Model] | Joining, now: float) -> list[Event]:
        """Play with other models from `now` on; what sounds goes on to its end. Return what was due before.

        :param models: or as they are `Joining`: then this takes the less time the more they know.
        """
        events = self._enter(self._until(now), now)
        self._playing.think_again()
        self._band.join(models if isinstance(models, Joining) else Joining(models))
        return events

    @property
    def models(self) -> Sequence[Model]:
        """The models that play, as they are without adaptation."""
        return self._band.lineup.models

    @property
    def weights(self) -> Mapping[str, float]:
        """Who is listened to: how much each of the models that are mixed has to say, by name; they sum to 1."""
        return self._band.lineup.weights

    def rests(self, now: float) -> bool:
        """Say whether it is between phrases: nothing is being replied, and the player's phrase, if any, is over."""
        self._take_in()
        end = self._tracker.end()
        return not self._playing.is_replying and (end is None or end <= now)

    def adapt(self, adapted: Mapping[str, MelodyModel], now: float) -> list[Event]:
        """Let models that play be as these of their names are from `now` on; return what was due before."""
        events = self._enter(self._until(now), now)
        self._playing.think_again()
        self._band.adapt(adapted)
        return events

    def panic(self) -> list[Event]:
        """End all that sounds, pedals and bends included, and what is being replied to; return what to send."""
        self.settle()
        self._unsettle()
        self._sounding.clear()
        self._hands.forget()
        self._tracker.forget()
        self._keys.returned.clear()
        self._presences.forget()
        self._playing.forget()
        return list(self.ledger.silence())

    def _enter(self, events: Iterable[Event], now: float) -> list[Event]:
        admit, probes = self.ledger.admit, self._loops.probes(now, self._hands.question)
        leaving = [part for event in events for part in admit(event)]
        leaving += [part for event in probes for part in admit(event)]
        if self.parameters.guard:
            self._loops.leaves(leaving, now)
        return leaving

    def _until(self, now: float) -> list[Event]:
        """Settle, and play what is due by `now`, since things change then."""
        self.settle()
        self._unsettle()
        return self._due.advance(now, self.parameters)
