"""The bus: hands a session's events to all subscribers; one that fails or is slow does not affect the others.

If a subscriber raises, that is logged, and it gets no more. One that may have to wait (a display whose terminal stands
still) has a queue and a thread of its own: what finds no room there is dropped, counted, and told to it as reports that
were lost.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from improviser.engine.events import SessionEvent, event_of
from improviser.engine.protocol import AnyReport, Lost
from improviser.errors import ImproviserError

log = logging.getLogger("improviser")

ROOM = 2000
"""Events that wait for a slow subscriber: some seconds of the fastest playing."""
CLOSE_SECONDS = 1.0

Take = Callable[[SessionEvent], None]


class Subscriber(Protocol):
    """A part of a session that takes its events."""

    def take(self, event: SessionEvent, /) -> None:
        """Take in an event; this returns at once, or it is subscribed as slow."""


class Bus:
    """Takes reports, and gives the event of each to all who have subscribed, in their order."""

    def __init__(self) -> None:
        self._subscribers: dict[str, Take] = {}
        self._slow: dict[str, _Backlog] = {}

    def subscribe(self, part: str, take: Take) -> None:
        """Let `take` have every event from now on; `part` is what a user calls what it belongs to."""
        self._subscribers[part] = take

    def subscribe_slow(self, part: str, take: Take, room: int = ROOM) -> None:
        """Let `take` have events in a thread of its own, as long as no more than `room` of them wait for it."""
        self._slow[part] = backlog = _Backlog(part, take, room)
        self._subscribers[part] = backlog.put

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many events each slow subscriber has missed so far."""
        return {part: backlog.dropped for part, backlog in self._slow.items()}

    def take(self, report: AnyReport) -> None:
        """Hand out a report as an event; never raises, and never waits."""
        event = event_of(report)
        for part, take in list(self._subscribers.items()):
            try:
                take(event)
            except Exception as error:  # noqa: BLE001  whatever it is, it must not reach the engine or the others
                self._subscribers.pop(part, None)
                say_ended(part, error)

    def close(self) -> None:
        """Let slow subscribers take what waits for them, but not for long."""
        for part, backlog in self._slow.items():
            self._subscribers.pop(part, None)
            backlog.close()
        for backlog in self._slow.values():
            backlog.join(CLOSE_SECONDS)
        for part, count in self.dropped.items():
            if count:
                log.info("%s could not keep up: it has missed %d events of this session", part, count)


class _Backlog:
    """The events that wait for a slow subscriber, and the thread that hands them to it."""

    def __init__(self, part: str, take: Take, room: int) -> None:
        self._part = part
        self._take = take
        self._waiting: queue.Queue[SessionEvent] = queue.Queue(room)
        self._missing = 0
        self.dropped = 0
        self._ended = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=part, daemon=True)
        self._thread.start()

    def put(self, event: SessionEvent) -> None:
        """Let an event wait, or drop and count it."""
        if self._missing and not self._put(event_of(Lost(self._missing))):
            self._miss()
            return
        self._missing = 0
        if not self._put(event):
            self._miss()

    def _put(self, event: SessionEvent) -> bool:
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            return False
        self._wake.set()
        return True

    def _miss(self) -> None:
        self._missing += 1
        self.dropped += 1

    def _run(self) -> None:
        try:
            while not (self._ended.is_set() and self._waiting.empty()):
                self._wake.wait()
                self._wake.clear()
                while not self._waiting.empty():
                    self._take(self._waiting.get_nowait())
        except Exception as error:  # noqa: BLE001  whatever it is, it ends this subscriber alone
            self._waiting = queue.Queue(1)  # nothing waits for it any more
            say_ended(self._part, error)

    def close(self) -> None:
        """Let the thread end when nothing waits any more."""
        self._ended.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for its end, no longer than this."""
        self._thread.join(seconds)


async def alone(part: str, work: Awaitable[None]) -> None:
    """Await what a part of a session does; if it fails, that is said, and ends nothing else."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, it must not reach the others
        say_ended(part, error)


def say_ended(part: str, error: Exception) -> None:
    """Say that a part of the session has ended by a fault: in one line, and where it was, for who debugs."""
    fault = str(error) if isinstance(error, ImproviserError) else f"{type(error).__name__}: {error}"
    log.error("%s has ended by a fault (%s); playing and all else go on", part, " ".join(fault.split()))
    log.debug("where %s failed:", part, exc_info=error)
