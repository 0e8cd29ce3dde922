"""Ends of notes that were sent over a connection that may have carried nothing yet: when they are sent again.

A connection of PipeWire's carries nothing for a while after it is shown, on a busy machine for over a second, and
nobody tells when that is over. What ends a note is sent over it once more at growing intervals; to whom it has come
before, it means nothing.
"""

import math
from collections.abc import Sequence

INTERVALS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds from each time to the next."""
NEW_SECONDS = 10.0
"""How long a connection may carry nothing after it is shown, with room to spare."""


class EndsAgain:
    """What is to be sent again, and when; `now` is seconds on any steady clock."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, tuple[bytes, ...]]] = []
        """When next, how often it was due before, and what."""
        self._new_until = -math.inf
        self._ended: set[bytes] = set()
        """What has ended since the last connections were new."""

    def connect(self, now: float) -> None:
        """Take in that there is a connection now that may carry nothing yet."""
        self._new_until = now + NEW_SECONDS

    def end(self, messages: Sequence[bytes], now: float) -> None:
        """Send again what has ended notes, each message once, as long as a connection may carry nothing yet."""
        if now < self._new_until:
            ended = [message for message in messages if message not in self._ended]
            self._ended.update(ended)
            self.add(ended, now)
        else:
            self._ended.clear()

    def add(self, messages: Sequence[bytes], now: float) -> None:
        """Send `messages` again, beginning an interval after `now`."""
        if messages:
            self._kept.append((now + INTERVALS[0], 0, tuple(messages)))

    def due(self, now: float) -> list[bytes]:
        """Return what is to be sent now, each message once."""
        kept, self._kept = self._kept, []
        due: list[bytes] = []
        for moment, times, messages in kept:
            if now < moment:
                self._kept.append((moment, times, messages))
                continue
            due += messages
            if times + 1 < len(INTERVALS):
                self._kept.append((now + INTERVALS[times + 1], times + 1, messages))
        return list(dict.fromkeys(due))
