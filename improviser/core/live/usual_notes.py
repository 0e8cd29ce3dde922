"""Usual notes: answered by what is foretold of them; all else that they mean is taken in once the answer has left."""

import math

from improviser.core.live.answering.band import Band
from improviser.core.live.answering.foretelling import Answered, Foretelling
from improviser.core.live.guards.loops import Loops
from improviser.core.live.keys import Keys
from improviser.core.live.outcome import Outcome
from improviser.core.live.output.ledger import Ledger
from improviser.core.live.output.sounding import Sounding
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.presence import Presences
from improviser.core.live.player.zones import LiveZones
from improviser.core.live.playing import Playing
from improviser.core.midi.event import NoteOn


class UsualNotes:
    """The shortest way from a note of the player's to its answer."""

    def __init__(
        self,
        band: Band,
        playing: Playing,
        keys: Keys,
        loops: Loops,
        zones: LiveZones,
        sounding: Sounding,
        presences: Presences,
    ) -> None:
        self._band = band
        self._playing = playing
        self._keys = keys
        self._loops = loops
        self._zones = zones
        self._sounding = sounding
        self._presences = presences
        self._ready: Foretelling | None = None
        self._answered: Answered | None = None

    @property
    def due(self) -> float:
        """When the performer has something to do without a note, at the earliest."""
        return -math.inf if self._ready is None else self._ready.due

    @property
    def is_to_take_in(self) -> bool:
        """Whether a note has been answered that is still to be taken in."""
        return self._answered is not None

    def prepare(self, parameters: Parameters, deadline: float | None) -> None:
        """Find out which notes are usual, as things stand: all that was heard has been settled.

        :param deadline: see `Performer.deadline`.
        """
        guard, due = parameters.guard, math.inf if deadline is None else deadline
        begins, ends = self._loops.calm if guard else (-math.inf, math.inf)
        if parameters.thru or not self._playing.foretells:
            ends = -math.inf
        self._ready = Foretelling(
            begins=max(begins, self._band.burst_ends),
            ends=min(ends, due),
            held=frozenset(self._sounding.keys),
            suspected=self._loops.suspected if guard else frozenset(),
            due=due,
            echoing=guard and self._loops.found[0],
            restricts=None if parameters.answers_all else parameters,
        )

    def forget(self) -> None:
        """Take no note for usual until all is settled again."""
        self._ready = None

    def foretell(
        self, note: NoteOn, now: float, parameters: Parameters, *, think: bool
    ) -> tuple[list[NoteOn], bool] | None:
        """Return the notes that answer this one, on its lane, and whether they were foreseen; changes nothing.

        :param think: whether to think out now what was not foreseen. Else, and if the note is unusual, it returns None.
        """
        ready = self._ready
        if ready is None or not ready.covers(note.channel, note.pitch, note.velocity, now):
            return None
        if self._zones.is_drums(note.channel, parameters):
            return None
        return self._playing.foretell(note.channel, note.pitch, note.velocity, now, think=think)

    def answer(self, note: NoteOn, now: float, number: int, parameters: Parameters, ledger: Ledger) -> Outcome | None:
        """Answer a note on its lane, that came by an input of this number; None if it is not usual.

        `take_in` does the rest.
        """
        ready, told = self._ready, self.foretell(note, now, parameters, think=True)
        if ready is None or told is None:
            return None
        answer, foreseen = told
        leaving = [part for event in answer for part in ledger.admit(event)]
        self._answered, self._ready = Answered(note, now, number, answer, leaving), None
        return Outcome(leaving, foreseen=foreseen, echoing=ready.echoing)

    def take_in(self, parameters: Parameters) -> None:
        """Take in the note that has been answered, if there is one.

        :raises RuntimeError: if it should have been answered otherwise: then what was foretold was wrong.
        """
        if (answered := self._answered) is None:
            return
        self._answered = None
        note, now, number, answer, leaving = answered
        presence = self._presences.at(number)
        presence.senses(now)
        presence.plays(now)
        if parameters.guard:
            self._loops.hears(note, now)
        self._playing.think_again()
        if self._keys.press_usual(note, now) != answer:
            raise RuntimeError(f"{note} was answered by {answer}, and should not have been")
        if parameters.guard:
            self._loops.leaves(leaving, now)
