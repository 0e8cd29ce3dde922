"""Ends of notes that were sent over a connection that may have carried nothing yet: when they are sent again.

A connection of PipeWire's carries nothing for a while after it is shown, on a busy machine for over a second, and
nobody tells when that is over. What ends a note is sent over it once more at growing intervals; to whom it has come
before, it means nothing.
"""

from collections.abc import Sequence

INTERVALS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds from each time to the next."""


class EndsAgain:
    """What is to be sent again, and when; `now` is seconds on any steady clock."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, tuple[bytes, ...]]] = []
        """When next, how often it was due before, and what."""

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
