"""Both guards against what comes back to us: our own notes in a loop, and what others make of them in a ring."""

from collections.abc import Callable, Iterable

from improviser.core.live.guards.feedback import FeedbackGuard
from improviser.core.live.guards.ring import RingGuard
from improviser.core.midi.event import Event, NoteOn


class Loops:
    """Says what comes back. What it takes to know is done after the answer has left, by `settle`."""

    def __init__(self) -> None:
        self._feedback = FeedbackGuard()
        self._ring = RingGuard()
        self._leaving: list[tuple[Event, float]] = []

    @property
    def found(self) -> tuple[bool, bool]:
        """Whether our own notes come back in, and whether they come back as others have answered them."""
        return self._feedback.echoing, self._ring.known

    @property
    def doubled(self) -> bool:
        """Whether the note that was heard last is the very one that we sent just before, and not the first such."""
        return self._feedback.doubled

    @property
    def suspicious(self) -> bool:
        """Whether what was heard last may be our own: it is the very message that we sent lately."""
        return self._feedback.suspicious

    @property
    def due(self) -> float | None:
        """When `expire` has something to do."""
        return self._ring.due

    def expire(self, now: float) -> None:
        """Take in that it is `now`."""
        self._ring.expire(now)

    def recognises(self, event: Event, now: float) -> bool:
        """Say whether what comes in at `now` has come back, and is not to be heard."""
        return self._feedback.recognises(event, now) or self._ring.recognises(event, now)

    def hears(self, note: NoteOn, now: float) -> None:
        """Take in a note that comes in while all is `calm`, and is not `suspected`: it is surely the player's."""
        self._feedback.hears(note, now)
        self._ring.hears(now)

    @property
    def calm(self) -> tuple[float, float]:
        """From when on, and until when, the next note is heard as if there were no guard, if it is not suspected."""
        return self._ring.calm

    @property
    def suspected(self) -> frozenset[tuple[int, int, int]]:
        """Channel, pitch and velocity of the notes that may be our own when they come in next."""
        return self._feedback.suspected

    def leaves(self, events: Iterable[Event], now: float) -> None:
        """Take in what is sent at `now`."""
        self._leaving += [(event, now) for event in events]

    def probes(self, now: float, at_rest: Callable[[int], int]) -> list[Event]:
        """Return what is to be sent to find out about a ring, see there."""
        return self._ring.probes(now, at_rest)

    def settle(self) -> None:
        """Take in what was heard and sent since the last call."""
        self._feedback.settle()
        for event, now in self._leaving:
            self._feedback.sends(event, now)
            self._ring.sends(event, now)
        self._leaving.clear()
