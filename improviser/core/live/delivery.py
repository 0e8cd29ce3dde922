"""Delivery: which of the messages that were sent have surely arrived, on a system that may lose some.

JACK without `-S` loses a period's events whenever a client is late (an xrun): what was written in that period may never
be read. So a message counts as delivered once some time has passed after its period without an xrun. Where there was
one, the ends among the messages in doubt (note-offs, pedals and bends back at rest) are sent again, unless what they
end has started anew. Starts are not: a note that is lost is missing, one that comes late is wrong.

The ledger that others read is kept here: what a message ends is struck out only when the message was delivered, so that
whoever outlives the sender ends everything that may still sound.
"""

from collections import deque

from improviser.core.live.ledger import Ledger, place_of
from improviser.core.midi.event import Event

SETTLING_SECONDS = 0.2
"""How long after a period a report of its xrun may come, on a busy machine."""
AGAIN_SECONDS = 0.05
"""How long after its period what is in doubt is sent again: the period after a lost one is often lost as well."""
SAME_PERIOD_SECONDS = 0.025
"""The longest usual period (1,024 frames) lasts 21 ms."""
TRIES = 12
"""How often an end is sent at most; if every period is lost for so long, JACK does not work."""


class _Message:
    """A message on its way: its place in the ledger, if it ends something, when it left, and whether it is in doubt."""

    __slots__ = ("doubtful", "ended_place", "event", "left", "tries")

    def __init__(self, event: Event, ended_place: int | None, tries: int) -> None:
        self.event = event
        self.ended_place = ended_place
        self.tries = tries
        self.left = 0.0
        self.doubtful = False


class Delivery:
    """Follows messages from `sends` to their delivery. All times are seconds on one steady clock.

    :param ledger: what may sound at the destinations, for whoever outlives us.
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
        """Enter `event`, which is sent next."""
        self.ledger.admit(event)
        place, starts = place_of(event) or (None, False)
        if place is not None and starts:
            self._started.add(place)
        elif place is not None:
            self._started.discard(place)
        self._waiting.append(_Message(event, None if starts else place, 1))

    def leaves(self, count: int, now: float) -> None:
        """Take in that the oldest `count` messages that were waiting have left, in a period at `now`."""
        for _ in range(min(count, len(self._waiting))):
            message = self._waiting.popleft()
            message.left = now
            self._left.append(message)

    def doubts(self, noticed: float) -> None:
        """Take in that an xrun was noticed: what had left shortly before, or leaves in the same period, may be lost."""
        for message in self._left:
            message.doubtful = message.doubtful or message.left <= noticed + SAME_PERIOD_SECONDS

    def settle(self, now: float) -> list[Event]:
        """Strike out what has surely arrived by `now`; return what is to be sent again (it is entered)."""
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
        """Count all that is on its way as delivered: it was sent often enough, or there is nothing to doubt."""
        for message in (*self._left, *self._waiting):
            self.ledger.sent(message.event)
        self._left.clear()
        self._waiting.clear()
