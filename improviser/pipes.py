"""Writing to a pipe without ever waiting for its reader, on systems that can do so and on those that cannot.

Windows knows nothing of it before Python 3.12; there a thread does the waiting.
"""

import os
import threading
import time
from typing import Protocol

HELD_BYTES = 1 << 16
"""How much a thread holds that the pipe has no room for: what a pipe of Linux's holds."""
LOOK_SECONDS = 0.005


class Pipe(Protocol):
    """The end of a pipe that is written to."""

    def write(self, data: bytes | bytearray) -> int:
        """Write as much as there is room for; return how many bytes.

        :raises BlockingIOError: if there is no room at all.
        :raises OSError: if the reader has gone.
        """

    def drain(self, seconds: float) -> None:
        """Let what was written leave this process, but do not wait for longer than this."""


def never_waiting(descriptor: int) -> Pipe:
    """Return the pipe of an open descriptor, which stays the caller's to close."""
    if hasattr(os, "set_blocking"):
        os.set_blocking(descriptor, False)
        return Direct(descriptor)
    return Threaded(descriptor)


class Direct:
    """A pipe whose system itself says that there is no room."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes | bytearray) -> int:
        """Write as much as there is room for."""
        return os.write(self._descriptor, data)

    def drain(self, seconds: float) -> None:
        """What was written has left already."""


class Threaded:
    """A pipe that a thread writes to, which waits in our place."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = bytearray()
        self._changed = threading.Condition()
        self._error: OSError | None = None
        threading.Thread(target=self._run, name="pipe", daemon=True).start()

    def write(self, data: bytes | bytearray) -> int:
        """Hand over as much as there is room for."""
        with self._changed:
            if self._error is not None:
                raise self._error
            room = HELD_BYTES - len(self._held)
            if data and room <= 0:
                raise BlockingIOError("the pipe is full")
            taken = data[:room]
            self._held += taken
            self._changed.notify()
            return len(taken)

    def drain(self, seconds: float) -> None:
        """Wait until all has left, or the reader has."""
        end = time.monotonic() + seconds
        while self._held and self._error is None and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._held:
                    self._changed.wait()
                data = bytes(self._held)
            try:
                written = os.write(self._descriptor, data)
            except OSError as error:
                with self._changed:
                    self._error = error
                return
            with self._changed:
                del self._held[:written]
