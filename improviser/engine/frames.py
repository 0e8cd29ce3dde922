"""Frames: the messages between daemon and engine as bytes on a pipe, and back.

A frame is its length (4 bytes, little-endian) and a message as a MessagePack map.
"""

import os
import struct
from collections.abc import Iterator

import msgspec

from improviser.engine.protocol import AnyCommand, AnyReport, Command, Open, Report
from improviser.errors import EngineError

READ_BYTES = 1 << 16
LENGTH = struct.Struct("<I")
MAX_FRAME = 1 << 20

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


def await_opening(reader: FrameReader, descriptor: int) -> tuple[Open, list[AnyCommand]]:
    """Read up to the first command, which opens; return it and what came with it.

    :raises EngineError: if the stream ends first, or something else comes.
    """
    while data := os.read(descriptor, READ_BYTES):
        commands = [decode_command(body) for body in reader.feed(data)]
        if commands and isinstance(commands[0], Open):
            return commands[0], commands[1:]
        if commands:
            raise EngineError(f"the engine was told to {type(commands[0]).__name__} before it was open")
    raise EngineError("the daemon left before the engine was open")
