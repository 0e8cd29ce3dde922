"""What daemon and engine say to each other: commands in, events out, as MessagePack frames on two pipes.

A frame is its length (4 bytes, little-endian) and a MessagePack map with a `type`. MIDI messages travel as their bytes,
times as seconds since the session's epoch.
"""

import os
import struct
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

LENGTH = struct.Struct("<I")
MAX_FRAME = 1 << 20
HEARTBEAT = struct.Struct("<Q")
"""Behind the ledger in the shared memory: a counter that a living engine keeps raising."""
MODEL = "model"
"""What an `Applied` swap calls its parameter."""


class Command(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True):
    """What the daemon asks of the engine; applied between notes, never dropped."""


class Open(Command, frozen=True):
    """The first command: open the ports, load the models, and begin.

    `releases` are MIDI messages to send before anything else: they end what a dead engine left sounding.
    """

    api: str
    name: str
    input: str
    output: str
    models: list[str]
    parameters: dict[str, Any]
    seed: int
    epoch: float
    releases: list[bytes] = []


class Hear(Command, frozen=True):
    """A message of a player that is not a MIDI port, stamped by its source."""

    stamp: float
    message: bytes


class Change(Command, frozen=True):
    """Change a live parameter (already validated by the daemon)."""

    parameter: str
    value: Any


class Swap(Command, frozen=True):
    """Play with other models."""

    models: list[str]


class Panic(Command, frozen=True):
    """End all that sounds."""


class Renew(Command, frozen=True):
    """End all that sounds, forget all that was played, and begin anew with the same seed: another session."""


class Close(Command, frozen=True):
    """End all that sounds, close the ports and leave."""


class Report(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True):
    """What the engine tells the daemon; lost, and counted, rather than waited for."""


class Loaded(msgspec.Struct, frozen=True):
    """A model that plays: the name it was asked for by, and the SHA-256 of its file."""

    name: str
    sha256: str


class Ready(Report, frozen=True):
    """The ports are open: on which API, and what they are connected to ("virtual" if to nothing).

    The rest is what the performer began with. It comes again whenever the performer begins anew.
    """

    api: str
    input: str
    output: str
    models: list[Loaded] = []
    parameters: dict[str, Any] = {}
    seed: int = 0


class Failed(Report, frozen=True):
    """The engine cannot go on; `kind` is the name of the error's class in improviser.errors."""

    kind: str
    message: str


class Step(Report, frozen=True):
    """One message heard and what was played to it, `latency_seconds` after it was heard."""

    stamp: float
    heard: bytes
    played: list[bytes]
    latency_seconds: float


class Played(Report, frozen=True):
    """What was played to a panic, which may have nothing to end, or because its time had come.

    `stamp` is that time; the timer was `late_seconds` after it.
    """

    stamp: float
    played: list[bytes]
    cause: Literal["panic", "timer"] = "panic"
    late_seconds: float = 0.0


class Applied(Report, frozen=True):
    """A change or swap that took effect and what was played to it, or the `error` that kept it from doing so.

    The value of a swap (of `MODEL`) is the models' names; `models` are what was found under them.
    """

    parameter: str
    value: Any
    error: str | None = None
    stamp: float = 0.0
    played: list[bytes] = []
    models: list[Loaded] = []


class Turned(Report, frozen=True):
    """A knob of the player's has turned a live parameter to this; the `Step` of its message comes before."""

    parameter: str
    value: Any


class Picked(Report, frozen=True):
    """The player wants another model: number `number` of all, or the one at that of `positions` along a knob.

    The daemon knows which there are, and has them played by a `Swap`.
    """

    number: int
    positions: int = 0


class Noticed(Report, frozen=True):
    """Something the user should know, in one line."""

    message: str


class Lost(Report, frozen=True):
    """How many reports were lost since the last that got through."""

    count: int


AnyCommand = Open | Hear | Change | Swap | Panic | Renew | Close
AnyReport = Ready | Failed | Step | Played | Applied | Turned | Picked | Noticed | Lost

_encoder = msgspec.msgpack.Encoder()
decode_command = msgspec.msgpack.Decoder(AnyCommand).decode
decode_report = msgspec.msgpack.Decoder(AnyReport).decode


def frame(message: Command | Report) -> bytes:
    """Return `message` as a frame."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a stream of bytes into the bodies of its frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take in `data`, yield the body of every frame that is complete.

        :raises ValueError: if a frame claims to be longer than `MAX_FRAME`: the stream is not ours, or out of step.
        """
        self._buffer += data
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise ValueError(f"a frame of {length} bytes")
            if len(self._buffer) < LENGTH.size + length:
                return
            body = bytes(self._buffer[LENGTH.size : LENGTH.size + length])
            del self._buffer[: LENGTH.size + length]
            yield body


class Reporter:
    """Sends reports down a pipe without ever waiting for its reader; counts what is lost."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lost = 0
        self._rest = b""
        os.set_blocking(descriptor, False)

    def send(self, report: Report) -> None:
        """Send `report`, or count it as lost if the pipe is full or has no reader."""
        if self._lost and self._write(frame(Lost(self._lost))):
            self._lost = 0
        if not self._write(frame(report)):
            self._lost += 1

    def _write(self, data: bytes) -> bool:
        # A frame below PIPE_BUF is written whole or not at all; the rest of a longer one goes first next time.
        try:
            self._rest = self._rest[os.write(self._descriptor, self._rest) :] if self._rest else b""
            if self._rest:
                return False
            self._rest = data[os.write(self._descriptor, data) :]
        except OSError:
            return False
        return True
