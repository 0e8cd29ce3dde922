"""What daemon and engine say to each other: commands in, events out, as MessagePack frames on two pipes.

A frame is its length (4 bytes, little-endian) and a MessagePack map with a `type`. MIDI messages travel as their bytes,
times as seconds since the session's epoch.
"""

import struct
from collections.abc import Iterator
from typing import Any

import msgspec

LENGTH = struct.Struct("<I")
MAX_FRAME = 1 << 20
HEARTBEAT = struct.Struct("<Q")
"""Behind the ledger in the shared memory: a counter that a living engine keeps raising."""


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


class Close(Command, frozen=True):
    """End all that sounds, close the ports and leave."""


class Report(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True):
    """What the engine tells the daemon; lost, and counted, rather than waited for."""


class Ready(Report, frozen=True):
    """The ports are open: on which API, and what they are connected to ("virtual" if to nothing)."""

    api: str
    input: str
    output: str


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
    """Messages that were not an answer to a note: a panic, a change of mode."""

    stamp: float
    played: list[bytes]


class Applied(Report, frozen=True):
    """A change or swap that took effect, or the `error` that kept it from doing so."""

    parameter: str
    value: Any
    error: str | None = None


class Lost(Report, frozen=True):
    """How many reports were lost since the last that got through."""

    count: int


AnyCommand = Open | Hear | Change | Swap | Panic | Close
AnyReport = Ready | Failed | Step | Played | Applied | Lost

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
