"""What is done in a period of JACK: its place in time, the events that have come in, and those that go out.

Each call of libjack through JACK-Client lets other threads run Python meanwhile, and to go on may take as long as they
like to run. None of the calls here takes any time, so a period asks for the interpreter once: it calls libjack by
ctypes, which keeps it. Where a module of another making lends no functions, JACK-Client's own are used.
"""

import ctypes
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Protocol

FRAMES = 1 << 32
"""JACK's frame times are 32 bits wide."""


class Period(Protocol):
    """The period that JACK calls us in."""

    def start(self) -> int:
        """Return the first frame of it."""

    def passed(self) -> int:
        """Return how many frames are over of it."""

    def count(self, frames: int) -> int:
        """Return how many events have come in."""

    def incoming(self, count: int) -> Iterator[tuple[int, bytes]]:
        """Yield as many events as came in: their places in the period, and their bytes."""

    def clear(self, frames: int) -> None:
        """Make room for what goes out; before the first `write`."""

    def write(self, offset: int, message: bytes) -> bool:
        """Let a message go out; return whether there was room for it."""


class PlainPeriod:
    """A period by JACK-Client's own functions."""

    def __init__(self, jack: ModuleType, client: Any, into: Any, out_of: Any) -> None:
        self._errors: type[Exception] = jack.JackError
        self._client, self._in, self._out = client, into, out_of
        self._events: list[tuple[int, bytes]] = []

    def start(self) -> int:
        """Return the first frame of it."""
        return int(self._client.last_frame_time)

    def passed(self) -> int:
        """Return how many frames are over of it."""
        return int(self._client.frames_since_cycle_start)

    def count(self, frames: int) -> int:  # noqa: ARG002
        """Return how many events have come in."""
        self._events = [(offset, bytes(data)) for offset, data in self._in.incoming_midi_events()]
        return len(self._events)

    def incoming(self, count: int) -> Iterator[tuple[int, bytes]]:
        """Yield as many events as came in: their places in the period, and their bytes."""
        yield from self._events[:count]

    def clear(self, frames: int) -> None:  # noqa: ARG002
        """Make room for what goes out; before the first `write`."""
        self._out.clear_buffer()

    def write(self, offset: int, message: bytes) -> bool:
        """Let a message go out; return whether there was room for it."""
        try:
            self._out.write_midi_event(offset, message)
        except self._errors:
            return False
        return True


class _Event(ctypes.Structure):
    """`jack_midi_event_t`."""

    _fields_ = (("time", ctypes.c_uint32), ("size", ctypes.c_size_t), ("buffer", ctypes.c_void_p))


class DirectPeriod:
    """A period by libjack's functions.

    :raises AttributeError: if JACK-Client is not as we know it.
    """

    def __init__(self, jack: ModuleType, client: Any, into: Any, out_of: Any) -> None:
        lender = _Lender(jack)
        pointer, frames, number = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int
        self._start = lender.lend("jack_last_frame_time", frames, pointer)
        self._passed = lender.lend("jack_frames_since_cycle_start", frames, pointer)
        self._buffer_of = lender.lend("jack_port_get_buffer", pointer, pointer, frames)
        self._count = lender.lend("jack_midi_get_event_count", frames, pointer)
        self._get = lender.lend("jack_midi_event_get", number, pointer, pointer, frames)
        self._clear = lender.lend("jack_midi_clear_buffer", None, pointer)
        self._write = lender.lend("jack_midi_event_write", number, pointer, frames, ctypes.c_char_p, ctypes.c_size_t)
        self._client, self._in, self._out = (
            lender.address(each._ptr)  # noqa: SLF001
            for each in (client, into, out_of)
        )
        self._event = _Event()
        self._event_address = ctypes.addressof(self._event)
        self._in_buffer: int | None = None
        self._out_buffer: int | None = None

    def start(self) -> int:
        """Return the first frame of it."""
        return int(self._start(self._client))

    def passed(self) -> int:
        """Return how many frames are over of it."""
        return int(self._passed(self._client))

    def count(self, frames: int) -> int:
        """Return how many events have come in."""
        self._in_buffer = self._buffer_of(self._in, frames)
        return int(self._count(self._in_buffer))

    def incoming(self, count: int) -> Iterator[tuple[int, bytes]]:
        """Yield as many events as came in: their places in the period, and their bytes."""
        buffer, event = self._in_buffer, self._event
        for number in range(count):
            if self._get(self._event_address, buffer, number):
                return
            yield event.time, ctypes.string_at(event.buffer, event.size)

    def clear(self, frames: int) -> None:
        """Make room for what goes out; before the first `write`."""
        self._out_buffer = self._buffer_of(self._out, frames)
        self._clear(self._out_buffer)

    def write(self, offset: int, message: bytes) -> bool:
        """Let a message go out; return whether there was room for it."""
        return bool(self._write(self._out_buffer, offset, message, len(message)) == 0)


class _Lender:
    """Takes functions and pointers out of JACK-Client, for ctypes."""

    def __init__(self, jack: ModuleType) -> None:
        self._ffi, self._lib = jack._ffi, jack._lib  # noqa: SLF001

    def address(self, pointer: Any) -> int:
        """Return where a pointer of cffi's points."""
        return int(self._ffi.cast("uintptr_t", pointer))

    def lend(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        """Return a function of libjack that keeps the interpreter while it runs."""
        kind = ctypes.PYFUNCTYPE(result, *arguments)
        return kind(self.address(getattr(self._lib, name)))


def period_of(jack: ModuleType, client: Any, into: Any, out_of: Any) -> Period:
    """Return the periods of a client with one MIDI input and one output."""
    try:
        return DirectPeriod(jack, client, into, out_of)
    except AttributeError:
        return PlainPeriod(jack, client, into, out_of)
