"""What daemon and engine say to each other: commands in, events out, as MessagePack frames on two pipes.

A frame is its length (4 bytes, little-endian) and a MessagePack map with a `type`. MIDI messages travel as their bytes,
times as seconds since the session's epoch.
"""

import contextlib
import os
import struct
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from improviser.errors import EngineError
from improviser.pipes import never_waiting

READ_BYTES = 1 << 16
LENGTH = struct.Struct("<I")
MAX_FRAME = 1 << 20
HEARTBEAT = struct.Struct("<Q")
"""Behind the ledger in the shared memory: a counter that a living engine keeps raising."""
ROOM = 1 << 23
"""Bytes of reports that an engine keeps for a daemon that is slow: some ten seconds of the fastest flood."""
BLOCK_BYTES = 1 << 14
"""What waits for a slow daemon is written in blocks of so many bytes: report by report that would take too long."""
RETRY_SECONDS = 0.005
MODEL = "model"
"""What an `Applied` swap calls its parameter."""


class Command(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True):
    """What the daemon asks of the engine; applied between notes, never dropped."""


class Open(Command, frozen=True):
    """The first command: open the ports, load the models, and begin.

    `releases` are MIDI messages to send before anything else: they end what a dead engine left sounding. `jack_server`
    is which server of JACK's the daemon is on ("jackd" or "PipeWire"), if it is on one. `patient`: of several ports,
    those that are there are opened without the others. `spare`: which directions, "input" and
    "output", may go without a port on a system without virtual ones.
    """

    api: str
    name: str
    input: list[str]
    output: list[str]
    models: list[str]
    parameters: dict[str, Any]
    seed: int
    epoch: float
    releases: list[bytes] = []
    jack_server: str = ""
    patient: bool = False
    spare: list[str] = []


class Hear(Command, frozen=True):
    """A message of a player that is not a MIDI port, stamped by its source; it counts as heard on input `input`."""

    stamp: float
    message: bytes
    input: int = 0


class Change(Command, frozen=True):
    """Change a live parameter (already validated by the daemon); `request` is the number of who asked."""

    parameter: str
    value: Any
    request: int | msgspec.UnsetType = msgspec.UNSET


class Array(msgspec.Struct, frozen=True):
    """An array of a model: its name, numpy's name of its type, and its shape; its numbers come with `Bring`."""

    name: str
    dtype: str
    shape: list[int]


class Part(msgspec.Struct, frozen=True):
    """What a model is put together of: what one file held, see `improviser.library.model_file`."""

    name: str
    task: str
    settings: dict[str, Any]
    arrays: list[Array]


class Prepared(msgspec.Struct, frozen=True):
    """A model that was loaded and checked by the daemon; the SHA-256 is that of its file."""

    sha256: str
    parts: list[Part]


class Bring(Command, frozen=True):
    """A piece of the numbers in the arrays of the next `Swap`, in order."""

    data: bytes


class Swap(Command, frozen=True):
    """Play with other models, as soon as they know what was played; `request` is the number of who asked.

    `prepared` are the models of these names, in the same order.
    """

    models: list[str]
    request: int | msgspec.UnsetType = msgspec.UNSET
    prepared: list[Prepared] = []


class Instruct(Command, frozen=True):
    """Carry out one of the player's commands (see `core.live.player.votes`)."""

    command: str


class Adapt(Command, frozen=True):
    """Play with these adaptations (see `library.adaptations`) from the next pause between phrases on, and no others."""

    files: list[bytes]


class Panic(Command, frozen=True):
    """End all that sounds."""


class Lose(Command, frozen=True):
    """End all that the player holds on an input whose source is gone; inputs are counted from 0."""

    input: int


class Renew(Command, frozen=True):
    """End all that sounds, forget all that was played, and begin anew with the same seed: another session."""


class EndAgain(Command, frozen=True):
    """Send raw messages that end notes once more, as they may not have arrived; but for ends of what sounds now."""

    messages: list[bytes]


class Close(Command, frozen=True):
    """End all that sounds, close the ports and leave."""


class Report(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True):
    """What the engine tells the daemon; kept for a while, then lost, and counted, rather than waited for."""


class Loaded(msgspec.Struct, frozen=True):
    """A model that plays: the name it was asked for by, and the SHA-256 of its file."""

    name: str
    sha256: str


class Ready(Report, frozen=True):
    """The ports are open: on which API, and what they are connected to ("virtual" if to nothing, "" if not there yet).

    Of several inputs or outputs there is a list.
    `client` is the name of its client where the system gives it one (on JACK). The rest is what the performer began
    with. It comes again whenever the performer begins anew.
    """

    api: str
    input: str | list[str]
    output: str | list[str]
    models: list[Loaded] = []
    parameters: dict[str, Any] = {}
    seed: int = 0
    client: str = ""


class Failed(Report, frozen=True):
    """The engine cannot go on; `kind` is the name of the error's class in improviser.errors."""

    kind: str
    message: str


class Step(Report, frozen=True):
    """One message heard and what was played to it, `latency_seconds` after it was heard.

    `foreseen` is a note that had been thought of before it came. `input` is the number of the input, counted from 0,
    that it came by; unset of the first.
    """

    stamp: float
    heard: bytes
    played: list[bytes]
    latency_seconds: float
    foreseen: bool = False
    input: int | msgspec.UnsetType = msgspec.UNSET


class Played(Report, frozen=True):
    """What was played to a panic, which may have nothing to end, because its time had come, or the player was lost.

    Lost: their source has ended its active sensing (how it went on until then is not reported), or was unplugged;
    `input` is the number of the input that it came by, as in a `Step`.
    `stamp` is that time; the timer was `late_seconds` after it. A reply that began before it was thought out is what it
    was after so many `pieces` of thinking (see `Performer.advance`).
    """

    stamp: float
    played: list[bytes]
    cause: Literal["panic", "timer", "lost"] = "panic"
    late_seconds: float = 0.0
    input: int | msgspec.UnsetType = msgspec.UNSET
    pieces: int | msgspec.UnsetType = msgspec.UNSET


class Applied(Report, frozen=True):
    """A change or swap that took effect and what was played to it, or the `error` that kept it from doing so.

    The value of a swap (of `MODEL`) is the models' names; `models` are what was found under them. `request` is the
    number of the command that asked for it; no log holds it.
    """

    parameter: str
    value: Any
    error: str | None = None
    stamp: float = 0.0
    played: list[bytes] = []
    models: list[Loaded] = []
    request: int | msgspec.UnsetType = msgspec.UNSET


class Turned(Report, frozen=True):
    """A knob of the player's has turned a live parameter to this; the `Step` of its message comes before."""

    parameter: str
    value: Any


class Done(Report, frozen=True):
    """A command was carried out at `stamp`, and what was due before was played.

    `pedal`: the `Step` of its message comes before, and did it.
    """

    command: str
    stamp: float
    played: list[bytes] = []
    pedal: bool = False


class Adapted(Report, frozen=True):
    """Models are played with these adaptations, by their digests, from `stamp` on, and no others.

    :param files: the same as they were handed over; no log holds them, they lie beside it.
    """

    stamp: float
    digests: list[str]
    played: list[bytes] = []
    files: list[bytes] = []


class Weighed(Report, frozen=True):
    """How much each of the models that are mixed has to say from about now on, by name; no replay needs it."""

    weights: dict[str, float]


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


def number_of(report: Step | Played) -> int:
    """Return the number of the input that a report is of, counted from 0."""
    return 0 if report.input is msgspec.UNSET else report.input


def one_or_list(names: Sequence[str]) -> str | list[str]:
    """Return the names of ports as `Ready` has them."""
    return names[0] if len(names) == 1 else list(names)


def listed(names: str | list[str]) -> list[str]:
    """Return the names of ports that `Ready` has."""
    return [names] if isinstance(names, str) else names


AnyCommand = Open | Hear | Change | Bring | Swap | Instruct | Adapt | Panic | Lose | Renew | EndAgain | Close
AnyReport = Ready | Failed | Step | Played | Applied | Turned | Done | Adapted | Weighed | Picked | Noticed | Lost

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
