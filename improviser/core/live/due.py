"""What is due: notes that end, replies that go on, chords that are complete, players who are gone; each at its time.

What is due is found from time stamps alone, and done in the order of the moments at which it is due.
"""

from improviser.core.live.answering.band import Band
from improviser.core.live.answering.chance import Chance
from improviser.core.live.guards.loops import Loops
from improviser.core.live.keys import Keys
from improviser.core.live.output.postponed import earliest
from improviser.core.live.output.sounding import Sounding
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.hands import Hands
from improviser.core.live.player.presence import Presences
from improviser.core.live.playing import Playing
from improviser.core.midi.event import Event

LATE_SECONDS = 1.0
"""What is due is played at its own time; but what is later than this (the machine slept) goes on from now."""


class Due:
    """Does what is due, in what the performer is made of."""

    def __init__(
        self,
        band: Band,
        chance: Chance,
        playing: Playing,
        keys: Keys,
        hands: Hands,
        presences: Presences,
        sounding: Sounding,
        loops: Loops,
    ) -> None:
        self._band = band
        self._chance = chance
        self._playing = playing
        self._keys = keys
        self._hands = hands
        self._presences = presences
        self._sounding = sounding
        self._loops = loops
        self.lost: int | None = None
        """The input whose source `advance` has found to be gone."""

    def deadline(self, parameters: Parameters) -> float | None:
        """Return when there is something to do next; None if it depends on the player."""
        playing = self._playing
        return earliest(
            playing.turn(),
            playing.chord_due,
            self._sounding.due,
            self._loops.due,
            self._keys.returned.due,
            self._presences.ends(parameters.release_after),
        )

    def advance(
        self, now: float, parameters: Parameters, pieces: int | None = None, *, one_loss: bool = False
    ) -> list[Event]:
        """Do all that is due by `now`, in order; return what to send.

        :param pieces: see `Performer.advance`.
        :param one_loss: whether to stop before a second source is found to be gone.
        """
        events: list[Event] = []
        while (due := self.deadline(parameters)) is not None and due <= now:
            if now - due > LATE_SECONDS:
                due = now
            if (turn := self._playing.turn()) is not None and now - turn > LATE_SECONDS:
                self._playing.postpone(now - turn)
            self.learn()
            self._loops.expire(due)
            if (number := self._leaves_by(due, parameters)) is not None:
                if one_loss and self.lost is not None:
                    break
                if self._presences.at(number).is_lost(due):
                    self.lost = number
                events += self.let_go(number, due, parameters)
                continue
            events += self._sounding.take(due)
            for lane, pitch in self._keys.returned.take(due):
                events += self._keys.release(lane, pitch, due)
            if (complete := self._playing.chord_due) is not None and complete <= due:
                events += self._playing.complete_chord(due)
            if (turn := self._playing.turn()) is not None and turn <= due:
                events += self._playing.play_on(due, pieces)
        return events

    def learn(self) -> None:
        """Learn from the notes heard and played since the last call."""
        self._band.settle()
        self._keys.settle()
        self._loops.settle()
        self._chance.prepare()

    def let_go(self, number: int, now: float, parameters: Parameters) -> list[Event]:
        """Release all that is held on an input, whose player is gone."""
        self._playing.think_again()
        self._presences.at(number).forget()
        return self._hands.let_go(number, now, parameters)

    def _leaves_by(self, now: float, parameters: Parameters) -> int | None:
        """Return an input whose player is gone by `now`, None if there is none; one whose source is lost comes last.

        The music of the same moment comes before, so that a replay is alike.
        """
        gone, playing = self._presences.ends(parameters.release_after), self._playing
        if gone is None or gone > now:
            return None
        music = earliest(playing.turn(), playing.chord_due, self._sounding.due, self._keys.returned.due)
        if music is not None and music <= now:
            return None
        return self._presences.leaves_by(now, parameters.release_after)
