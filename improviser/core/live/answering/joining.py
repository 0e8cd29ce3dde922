"""Joining: models get to know the player's last notes before they play, one at a time, while others still play.

What they know when they begin depends on nothing but when that is: what they would know if they had learned the last
`REMEMBERED` notes in that moment, all at once. So a replay need not know how they came to know it.

With each note that comes meanwhile, the first of those notes is another. So there are two attempts: one learns what is
needed to begin now, for which any pause is long enough; the other what will be needed some notes later, which it knows
by then however fast the player goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from improviser.core.melody.mixture import session_singer
from improviser.core.networks.responder import Model, Responder, Singer

REMEMBERED: Final = 64
"""Notes of the player that models get to know when they join."""
LEAD: Final = 8
"""For how many notes later the second attempt learns, at first; twice as many each time that it was too slow."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the player has played: how many notes in all, and pitch and onset (seconds) of the last REMEMBERED."""

    count: int
    notes: tuple[tuple[int, float], ...]

    @property
    def first(self) -> int:
        """The number of the first of these notes, counted from 0."""
        return self.count - len(self.notes)


def listen(responder: Responder, pitch: int, onset_seconds: float) -> None:
    """Let a responder hear a note of the player's that it does not answer."""
    if isinstance(responder, Singer):
        responder.follow(pitch, onset_seconds)
    else:
        responder.learn(pitch, onset_seconds, None)


class _Attempt:
    """Responders that have learned the notes from number `first` up to, not including, `known`."""

    def __init__(self, models: Sequence[Model], first: int) -> None:
        self.responders = tuple(session_singer(model) for model in models)
        self.first = self.known = first
        self._next = 0

    def learn(self, heard: Heard) -> None:
        """Let one responder hear one note."""
        if self.responders:
            listen(self.responders[self._next], *heard.notes[self.known - heard.first])
            self._next += 1
        if self._next == len(self.responders):
            self.known, self._next = self.known + 1, 0


class Joining:
    """Models that are to play next, one for each part.

    :param models: there may be none.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self.models: Final = tuple(models)
        self._lead = LEAD
        self._attempts: list[_Attempt] = []

    def learn(self, heard: Heard) -> bool:
        """Let one model learn one note, if that is needed to begin now; return whether it was.

        :param heard: goes on from what it was at the call before.
        """
        now = self._attempt(heard)
        behind = [each for each in self._attempts if each.known < heard.count]
        if now not in behind:
            return False
        max(behind, key=lambda each: each.known).learn(heard)
        return True

    def finish(self, heard: Heard) -> tuple[Responder, ...]:
        """Learn all that is needed to begin now, at once; return what plays each model."""
        now = self._attempt(heard)
        while now.known < heard.count:
            now.learn(heard)
        return now.responders

    def _attempt(self, heard: Heard) -> _Attempt:
        """Return the attempt that may begin now. Those that have learned what is too old by now are made anew."""
        kept = [each for each in self._attempts if each.first >= heard.first]
        if len(kept) < len(self._attempts) and not any(each.first > heard.first for each in kept):
            kept.append(_Attempt(self.models, heard.first + self._lead))
            self._lead = min(2 * self._lead, REMEMBERED)
        now = next((each for each in kept if each.first == heard.first), None)
        if now is None:
            now = _Attempt(self.models, heard.first)
            kept.append(now)
        self._attempts = kept
        return now
