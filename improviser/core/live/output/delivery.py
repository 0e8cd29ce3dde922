"""Delivery: which of the messages that were sent have certainly arrived, on a system that may lose some.

JACK without `-S` loses a period's events whenever a client is late (an xrun): what was written in that period may never
be read. So a message counts as delivered once some time has passed after its period without an xrun. After an xrun,
some messages may be lost. Those that end something (note-offs, pedals and bends that return to rest) are sent again,
unless the same note, pedal or bend has been started again since. Messages that start something are not sent again: a
missing note is better than a late one.

This module also keeps the ledger that other processes read. An entry is removed only when the message that ends it has
been delivered. So if this process dies, the supervisor can end everything that may still be sounding.
"""

from collections import deque

from improviser.core.live.output.ledger import Ledger, place_of
from improviser.core.midi.event import Event

SETTLING_SECONDS = 0.2
"""How long after a period its xrun may still be reported, on a busy machine."""
AGAIN_SECONDS = 0.05
"""How long to wait before sending again: the period after a lost one is often lost as well."""
SAME_PERIOD_SECONDS = 0.025
"""The longest usual period (1,024 frames) lasts 21 ms."""
TRIES = 12
"""How often such a message is sent at most; if every period is lost for so long, JACK does not work."""


class _Message:
    """A message not known to be delivered.

    It has the ledger's entry that it ends, if any, when it left, and whether it may have been lost.
    """

    __slots__ = ("doubtful", "ended_place", "event", "left", "tries")

    def __init__(self, event: Event, ended_place: int | None, tries: int) -> None:
        self.event = event
        self.ended_place = ended_place
        self.tries = tries
        self.left = 0.0
        self.doubtful = False


class Delivery:
    """Follows messages from `sends` to their delivery. All times are seconds on one monotonic clock.

    :param ledger: what may be sounding at the destinations, for the supervisor to read if this process dies.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._started: set[int] = set()
        self._waiting: deque[_Message] = deque()
        self._left: deque[_Message] = deque()

    @property
    def waiting(self) -> bool:
        """Whether any message has not left yet."""
        return bool(self._waiting)

    def sends(self, event: Event) -> None:
        """Record `event`, which is sent next."""
        self.ledger.admit(event)
        place, starts = place_of(event) or (None, False)
        if place is not None and starts:
            self._started.add(place)
        elif place is not None:
            self._started.discard(place)
        self._waiting.append(_Message(event, None if starts else place, 1))

    def leaves(self, count: int, now: float) -> None:
        """Record that the oldest `count` waiting messages have left, in a period at `now`."""
        for _ in range(min(count, len(self._waiting))):
            message = self._waiting.popleft()
            message.left = now
            self._left.append(message)

    def doubts(self, noticed: float) -> None:
        """Record an xrun: messages that left shortly before it, or leave in the same period, may be lost."""
        for message in self._left:
            message.doubtful = message.doubtful or message.left <= noticed + SAME_PERIOD_SECONDS

    def settle(self, now: float) -> list[Event]:
        """Remove from the ledger what has certainly arrived by `now`; return what must be sent again.

        What is returned is already recorded, as by `sends`.
        """
        again: list[Event] = []
        while self._left:
            message = self._left[0]
            repeats = message.doubtful and message.ended_place is not None and message.tries < TRIES
            if now - message.left < (AGAIN_SECONDS if repeats else SETTLING_SECONDS):
                break
            self._left.popleft()
            if not repeats:
                self.ledger.sent(message.event)
            elif message.ended_place not in self._started:
                again.append(message.event)
                self._waiting.append(_Message(message.event, message.ended_place, message.tries + 1))
        return again

    def finish(self) -> None:
        """Count every message as delivered, when it was sent often enough, or none can have been lost."""
        for message in (*self._left, *self._waiting):
            self.ledger.sent(message.event)
        self._left.clear()
        self._waiting.clear()
