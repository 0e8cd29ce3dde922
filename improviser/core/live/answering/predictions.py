"""Predictions: what each part thinks of notes that may come, or of one that has, until things stand differently.

They change nothing that is played: an answer that was thought of before its note comes is there the sooner.
"""

from collections.abc import Collection, Hashable, Iterator, MutableMapping
from typing import Any, Final

from improviser.core.live.answering.drawing import Drawing, Prediction
from improviser.core.live.answering.homeward import NO_HOME
from improviser.core.live.answering.line_so_far import LineSoFar
from improviser.core.live.answering.lineup import LineUp
from improviser.core.live.answering.together import Together
from improviser.core.live.answering.tonality import Tonality
from improviser.core.live.player.votes import Votes
from improviser.core.networks.responder import LogProbabilities

Half = tuple[Together, tuple[int, float]]
FREED = 2
"""So many of the stale thoughts are freed with each new one."""


class Predictions:
    """What the parts of a line-up think.

    :param line: what the singer, if there is one, has sung last.
    :param votes: the player's, which weigh in every opinion.
    """

    def __init__(self, drawing: Drawing, tonality: Tonality, line: LineSoFar, votes: Votes) -> None:
        self._drawing: Final = drawing
        self._tonality: Final = tonality
        self._line: Final = line
        self._votes: Final = votes
        self._lineup = LineUp((), ())
        self._follow = ""
        self._accompanies: tuple[bool, ...] = ()
        """Whether each part goes with what the player sounds."""
        self._known: list[dict[tuple[int, Hashable], Prediction]] = []
        """What each part thinks, as things stand, of notes (pitch and moment) that may come, or one that has."""
        self._stale: list[MutableMapping[Any, Any]] = []
        """What was thought before the last note, freed little by little: all at once would delay the next one."""
        self._likely: Iterator[tuple[int, float] | None] = iter(())
        self._halves: list[Half] = []
        """Notes that parts that are chosen together have half thought of."""

    def renew(self, lineup: LineUp, follow: str, heard: Collection[tuple[int, float]]) -> None:
        """Forget what was predicted: things stand differently now.

        :param lineup: who is asked from now on.
        :param follow: the live parameter: where each note is answered, parts do as they ever did.
        :param heard: the player's last notes, pitches and onsets.
        """
        self._stale = [*self._known, *(choir.forget() for choir in lineup.choirs)]
        self._known = [{} for _ in lineup.parts]
        if lineup is not self._lineup or follow != self._follow:
            self._lineup, self._follow = lineup, follow
            self._accompanies = tuple(experts is not None and follow != "every" for experts in lineup.experts)
        self.look_ahead(heard)

    def look_ahead(self, heard: Collection[tuple[int, float]]) -> None:
        """Begin to think anew of what may come after the notes `heard`; what is known already stays."""
        self._likely, self._halves = self._lineup.likely(heard), []

    def foresee(self) -> bool:
        """Think one piece about the notes that are likely to come next; return whether there may be more."""
        if self._halves:
            choir, half = self._halves.pop()
            choir.expect(*half)
            return True
        for likely in self._likely:
            if likely is None:
                return True
            fresh = [self.of(number, *likely)[1] for number in range(len(self._known))]
            self._halves = [(choir, likely) for choir in self._lineup.choirs if choir.consider(*likely)]
            if any(fresh) or self._halves:
                self._free(FREED)
                return True
        return self._free(FREED)

    def _free(self, count: int) -> bool:
        """Free so many of the stale thoughts; return whether there are more."""
        stale = self._stale
        for _ in range(count):
            while stale and not stale[-1]:
                stale.pop()
            if not stale:
                return False
            stale[-1].popitem()
        return True

    def has(self, number: int, pitch: int, now: float) -> bool:
        """Say whether a part has thought of a note of the player's."""
        return (pitch, self._lineup.parts[number].moment(now)) in self._known[number]

    def of(self, number: int, pitch: int, now: float) -> tuple[Prediction, bool]:
        """Return the prediction of a part for a note of the player's, and whether it was made only now."""
        lineup, known = self._lineup, self._known[number]
        responder = lineup.parts[number]
        key = pitch, responder.moment(now)
        prediction = known.get(key)
        if prediction is not None:
            return prediction, False
        logs = responder.propose(pitch, now)
        if responder is lineup.singer:
            logs = self.shaped(logs, now)
        elif lineup.basses[number]:
            logs = self._tonality.departing(logs, pitch)
            if self._tonality.home_chance(pitch) > NO_HOME:
                logs = self._tonality.homeward(logs, pitch)
        prediction = known[key] = self.weighed(number, logs)
        return prediction, True

    def weighed(self, number: int, logs: LogProbabilities) -> Prediction:
        """Return an opinion of a part ready to be drawn from, as the votes change it."""
        return self.ready(number, self._votes.weigh(number, logs))

    def ready(self, number: int, logs: LogProbabilities) -> Prediction:
        """Return what a part thinks, votes and all, ready to be drawn from."""
        return self._drawing.weighed(logs, accompanies=self._accompanies[number])

    def shaped(self, logs: LogProbabilities, now: float, *, closing: bool = False) -> LogProbabilities:
        """Return the opinion on a line's next pitch kept from going round in circles, and drawn home at the end."""
        return self._line.shaped(logs, self._tonality.at(now).stable if closing else ())
