"""A long silence ends a session: the next note begins another one, for the performer and in the recordings."""

import asyncio
import time

from improviser.engine.events import SessionEvent, sounds
from improviser.engine.protocol import Ready, Renew
from improviser.engine.service import Service

SILENCE_SECONDS = 600.0
LOOK_SECONDS = 5.0


class Silence:
    """Takes a session's events and knows since when nothing has sounded."""

    def __init__(self, seconds: float = SILENCE_SECONDS) -> None:
        self._seconds = seconds
        self._since = 0.0
        self._fresh = True

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""
        report = event.report
        if isinstance(report, Ready) or sounds(report):
            self._since = time.monotonic()
        self._fresh = isinstance(report, Ready)

    async def end(self, service: Service, look_seconds: float = LOOK_SECONDS) -> None:
        """Have the engine begin anew after each long silence, until cancelled."""
        while True:
            await asyncio.sleep(look_seconds)
            if not self._fresh and time.monotonic() - self._since > self._seconds:
                self._fresh = True
                service.send(Renew())
