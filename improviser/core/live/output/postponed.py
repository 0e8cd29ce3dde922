"""Notes that are to sound later than they were chosen, moved as a whole: their ends are as late as their starts."""

import heapq
from dataclasses import dataclass, field
from itertools import count

from improviser.core.midi.event import NoteOn

Owner = tuple[object, ...]
"""Who holds a note: the kind of owner, and which."""


@dataclass(order=True, slots=True)
class Due:
    """Something that is due: notes that start (or, without any, that end), held by an owner of their own."""

    seconds: float
    number: int
    owner: Owner = field(compare=False)
    notes: tuple[NoteOn, ...] = field(compare=False, default=())
    velocity: int = field(compare=False, default=64)


class Postponed:
    """What is to start and to end later, in order."""

    def __init__(self) -> None:
        self._due: list[Due] = []
        self._numbers = count()
        self._held: dict[Owner, tuple[Owner, float]] = {}

    @property
    def due(self) -> float | None:
        """When the next of it is due."""
        return self._due[0].seconds if self._due else None

    def start(self, owner: Owner, notes: tuple[NoteOn, ...], now: float, delay: float) -> None:
        """Start `notes` in `delay` seconds; they end that long after `owner` lets go.

        Meanwhile an owner of its own, beginning with the same two items, stands in for `owner`, who may start others.
        """
        number = next(self._numbers)
        stand_in = (*owner[:2], "later", number)
        self._held[owner] = stand_in, delay
        heapq.heappush(self._due, Due(now + delay, number, stand_in, notes))

    def stop(self, owner: Owner, now: float, velocity: int = 64) -> None:
        """Let `owner` let go of what it started."""
        if (held := self._held.pop(owner, None)) is not None:
            stand_in, delay = held
            heapq.heappush(self._due, Due(now + delay, next(self._numbers), stand_in, velocity=velocity))

    def take(self, now: float) -> list[Due]:
        """Take out what is due by `now`, in order."""
        taken = []
        while self._due and self._due[0].seconds <= now:
            taken.append(heapq.heappop(self._due))
        return taken

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Everyone who has started something and not let go of it."""
        return tuple(self._held)

    def drop(self, *beginning: object) -> None:
        """Forget what owners have started that begin with these items: a kind, and a channel perhaps."""
        size = len(beginning)
        self._held = {owner: held for owner, held in self._held.items() if owner[:size] != beginning}
        self._due = [due for due in self._due if due.owner[:size] != beginning]
        heapq.heapify(self._due)

    def clear(self) -> None:
        """Forget everything."""
        self._due.clear()
        self._held.clear()


def earliest(*times: float | None) -> float | None:
    """Return the first of some times, None if there is none; a time that is None never comes."""
    first = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first
