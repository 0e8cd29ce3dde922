"""How a client of JACK's that only sends brings messages to its output, without anything that could freeze the process.

To deactivate a client, jackd's library cancels the thread that calls it (`pthread_cancel`), wherever that is. One that
is in Python, or waits for the interpreter's lock, leaves it locked for ever (JACK 1.9.21, on a busy machine nearly each
time). So on jackd no thread of JACK's calls Python here: it calls a function of the system's that does nothing, and
what is sent lies in the output's buffer, which destinations read in each period. PipeWire's buffers change with each
period, so there Python is called; its library cancels nothing.
"""

import ctypes
from collections import deque
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Protocol

from improviser.ports.jack_period import FRAMES

SHOWN_PERIODS = 2
"""For how many periods a buffer holds messages, so that whoever reads it once in each has seen them."""


class Sending(Protocol):
    """Brings messages to an output, by a client that is not active yet.

    A wait is given how many periods are to pass.
    """

    def begin(self, port: Any, messages: Sequence[bytes]) -> None:
        """Take an output that nobody is connected to, and what will be sent from it."""

    def send(self, messages: Sequence[bytes], wait: Callable[[int], None]) -> None:
        """Send messages; return when they have left."""

    def now(self) -> int:
        """Return a moment, for `passed`."""

    def passed(self, since: int, periods: int) -> bool:
        """Say whether so many periods have passed since a moment."""


class BufferSending:
    """Sends by what lies in the output's buffer.

    It is written while destinations may be reading it. What they read is right all the same: messages of three bytes
    lie within the events' table, which is not cleared but only counted anew, and holds the same messages already.

    :raises AttributeError: if the system has no function that does nothing, or JACK-Client is not as we know it.
    :raises OSError: if the system's functions cannot be had.
    """

    def __init__(self, jack: ModuleType, client: Any) -> None:
        self._errors: type[Exception] = jack.JackError
        self._client = client
        self._port: Any = None
        nothing = ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value  # it takes nothing and returns 0
        ffi, lib = jack._ffi, jack._lib  # noqa: SLF001
        lib.jack_set_process_callback(client._ptr, ffi.cast("JackProcessCallback", nothing), ffi.NULL)  # noqa: SLF001

    def begin(self, port: Any, messages: Sequence[bytes]) -> None:
        """Take an output that nobody is connected to, and what will be sent from it."""
        self._port = port
        self._fill(deque(messages))
        port.clear_buffer()

    def _fill(self, waiting: deque[bytes]) -> None:
        """Put as many messages into the buffer as it has room for; at least one."""
        self._port.clear_buffer()
        while waiting:
            try:
                self._port.write_midi_event(0, waiting[0])
            except self._errors:
                return
            waiting.popleft()

    def send(self, messages: Sequence[bytes], wait: Callable[[int], None]) -> None:
        """Send messages; return when they have left."""
        waiting = deque(messages)
        while waiting:
            self._fill(waiting)
            wait(SHOWN_PERIODS)
        self._port.clear_buffer()

    def now(self) -> int:
        """Return a moment, for `passed`."""
        return int(self._client.last_frame_time)

    def passed(self, since: int, periods: int) -> bool:
        """Say whether so many periods have passed since a moment."""
        return (self.now() - since) % FRAMES >= periods * int(self._client.blocksize)


class CalledSending:
    """Sends when JACK calls Python for a period."""

    def __init__(self, jack: ModuleType, client: Any) -> None:
        self._errors: type[Exception] = jack.JackError
        self._port: Any = None
        self._waiting: deque[bytes] = deque()
        self._periods = 0
        client.set_process_callback(self._process)

    def _process(self, _frames: int) -> None:
        self._periods += 1
        self._port.clear_buffer()
        while self._waiting:
            try:
                self._port.write_midi_event(0, self._waiting[0])
            except self._errors:  # no room: the rest leaves with the next period
                return
            self._waiting.popleft()

    def begin(self, port: Any, messages: Sequence[bytes]) -> None:  # noqa: ARG002
        """Take an output that nobody is connected to, and what will be sent from it."""
        self._port = port

    def send(self, messages: Sequence[bytes], wait: Callable[[int], None]) -> None:
        """Send messages; return when they have left."""
        self._waiting.extend(messages)
        while self._waiting:
            wait(1)

    def now(self) -> int:
        """Return a moment, for `passed`."""
        return self._periods

    def passed(self, since: int, periods: int) -> bool:
        """Say whether so many periods have passed since a moment."""
        return self._periods - since >= periods


def sending_of(jack: ModuleType, client: Any, *, by_buffer: bool) -> Sending:
    """Return how a client sends that is not active yet.

    :param by_buffer: whether what lies in an output's buffer is read in each period, as on jackd.
    """
    if by_buffer:
        try:
            return BufferSending(jack, client)
        except (AttributeError, OSError):
            pass
    return CalledSending(jack, client)
