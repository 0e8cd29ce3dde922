"""The reporter: sends the engine's reports to the daemon without ever waiting for it."""

import contextlib
import time
from collections import deque
from collections.abc import Iterator

from improviser.engine.frames import frame
from improviser.engine.protocol import Lost, Report
from improviser.pipes import never_waiting

ROOM = 1 << 23
"""Bytes of reports that an engine keeps for a daemon that is slow: some ten seconds of the fastest flood."""
BLOCK_BYTES = 1 << 14
"""What waits for a slow daemon is written in blocks of so many bytes: report by report that would take too long."""
RETRY_SECONDS = 0.005


class Reporter:
    """Sends reports down a pipe without ever waiting for its reader; keeps what does not fit, and counts what is lost.

    :param room: how many bytes of what does not fit are kept.
    """

    def __init__(self, descriptor: int, room: int = ROOM) -> None:
        self._pipe = never_waiting(descriptor)
        self._room = room
        self._lost = 0
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._held: list[Report] = []
        self._unread = False
        """Whether nobody reads any more."""
        self.holding = False
        """Whether reports are only noted down, until `flush`: for a thread that has no time even to write them."""

    def send(self, report: Report) -> None:
        """Send `report`, or keep it until the pipe has room; count it as lost if there is too much of that."""
        self._held.append(report)
        if not self.holding:
            self.flush()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Send the few reports of a block as one, at its end."""
        self.holding = True
        try:
            yield
        finally:
            self.holding = False
            self.flush()

    def _take(self, data: bytes, count: int) -> None:
        if self._lost:
            notice = frame(Lost(self._lost))
            if self._size + len(notice) + len(data) <= self._room:
                data, self._lost = notice + data, 0
        if self._waiting and self._size + len(data) > self._room:
            self._lost += count
            return
        if self._waiting and len(self._waiting[-1]) < BLOCK_BYTES:
            self._waiting[-1] += data
        else:
            self._waiting.append(data)
        self._size += len(data)

    def flush(self) -> bool:
        """Send what was kept, as far as the pipe has room; say whether that is all."""
        if self._held:
            held, self._held = self._held, []
            self._take(b"".join(frame(report) for report in held), len(held))
        try:
            while self._waiting:
                data = self._waiting[0]
                written = self._pipe.write(data)
                self._size -= written
                if written < len(data):
                    self._waiting[0] = data[written:]
                    return False
                self._waiting.popleft()
        except BlockingIOError:  # it is full
            return False
        except OSError:  # it has no reader
            self._unread = True
            return False
        return True

    def drain(self, seconds: float) -> None:
        """Send what was kept; give up when its reader has taken nothing for so long, or is gone."""
        end, size = time.monotonic() + seconds, self._size
        while not self.flush() and not self._unread and time.monotonic() < end:
            if self._size < size:
                end, size = time.monotonic() + seconds, self._size
            time.sleep(RETRY_SECONDS)
        self._pipe.drain(max(0.0, end - time.monotonic()))
