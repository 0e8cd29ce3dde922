"""Another JACK client for the tests: a process of its own that sends, receives and connects MIDI ports.

The test talks to it over pipes, so no crash, freeze or lost server of JACK can take the tests with it. Notes are
received by RtMidi's C++ callback into its queue, which Python only polls: nothing is lost at 10,000 messages/s. Where
there is no python-rtmidi (it has no wheels from Python 3.13 on), JACK-Client does the same, less surely at such speed.

RtMidi does not notice that its server is gone: to send then blocks, and to close may crash. So JACK-Client watches, and
RtMidi is left alone from then on.
"""

import contextlib
import errno
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

QUEUE_SIZE = 1 << 18
CHUNK = 1 << 16
POLL_SECONDS = 0.000_25
GOING_SECONDS, CLOSING_SECONDS = 1.0, 5.0
STANDSTILL_SECONDS = 30.0
"""How long an answer may take: JACK with `-S` waits five seconds, at each step, for every client that has crashed."""
OPENING_SECONDS, OPENINGS = 90.0, 5
"""How long a peer may take to open, and how often it tries where a busy server does not let it in."""


class Received(NamedTuple):
    """A message and the moment it arrived, in seconds of `time.monotonic`."""

    seconds: float
    message: bytes


class JackPeerError(RuntimeError):
    """What a peer could not do, or that it has ended: on a busy server, JACK does not let it in, for one."""


class JackPeer:
    """One peer, with a MIDI output `NAME-out:out` and a MIDI input `NAME-in:in`; both names are of JACK ports.

    :param environment: what makes a client find the server (`JackServer.client_environment`).
    """

    def __init__(self, environment: Mapping[str, str], name: str = "peer") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self._name = name
        self._asked = 0
        self._said = bytearray()
        """What it has said that was not read yet."""
        try:
            opened = self._reply("to open its ports", OPENING_SECONDS)
        except BaseException:
            self.kill()
            raise
        self.output: str = opened["output"]
        self.input: str = opened["input"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The peer's process id."""
        return self._process.pid

    def ports(self) -> list[str]:
        """Return the names of all MIDI ports of the server."""
        names: list[str] = self._ask("ports")
        return names

    def connections(self, port: str) -> list[str]:
        """Return the names of the ports that `port` is connected to."""
        names: list[str] = self._ask("connections", port)
        return names

    def connect(self, source: str, target: str) -> None:
        """Connect two ports; it is no error if they are."""
        self._ask("connect", source, target)

    def disconnect(self, source: str, target: str) -> None:
        """Part two ports."""
        self._ask("disconnect", source, target)

    def wait_for_port(self, start: str, end: str = "", timeout: float = 10.0) -> str:
        """Return the first MIDI port whose name starts and ends like this, as soon as there is one."""
        deadline = time.monotonic() + timeout
        while True:
            names = self.ports()
            for name in names:
                if name.startswith(start) and name.endswith(end):
                    return name
            if time.monotonic() > deadline:
                raise TimeoutError(f"no port {start}…{end} within {timeout} s; there are: {', '.join(names)}")
            time.sleep(0.01)

    def wait_until_gone(self, port: str, timeout: float = 20.0) -> None:
        """Wait until `port` does not exist any more."""
        deadline = time.monotonic() + timeout
        while port in self.ports():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the port {port} is still there after {timeout} s")
            time.sleep(0.01)

    def connect_to(self, client: str, timeout: float = 10.0) -> None:
        """Connect our output to `CLIENT…:in` and `CLIENT…:out` to our input, as soon as they are there."""
        self.connect(self.output, self.wait_for_port(client, ":in", timeout))
        self.connect(self.wait_for_port(client, ":out", timeout), self.input)

    def rename(self, port: str, short_name: str) -> None:
        """Give a port of any client another name behind the colon."""
        self._ask("rename", port, short_name)

    def send(self, *messages: Sequence[int]) -> list[float]:
        """Send messages at once, in this order; return when each was sent, in seconds of `time.monotonic`."""
        return self.play([(0.0, message) for message in messages])

    def play(self, schedule: Iterable[tuple[float, Sequence[int]]]) -> list[float]:
        """Send each message so many seconds from now (ascending); return when each was sent."""
        entries = [(seconds, list(message)) for seconds, message in schedule]
        length = max((seconds for seconds, _ in entries), default=0.0)
        times: list[float] = self._ask("play", entries, timeout=length + STANDSTILL_SECONDS)
        return times

    def received(self) -> list[Received]:
        """Return what has arrived since the start, or since `clear`."""
        return [Received(seconds, bytes(message)) for seconds, message in self._ask("received")]

    def wait_for(self, count: int, timeout: float = 10.0) -> list[Received]:
        """Return what has arrived as soon as it is `count` messages; whatever there is after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self._ask("count") < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.received()

    def wait_until(self, done: Callable[[list[bytes]], bool], timeout: float = 20.0) -> list[bytes]:
        """Return what has arrived as soon as it is what is waited for; whatever there is after `timeout` seconds.

        Of note-offs there may be more than of notes: after an xrun JACK may have lost some, and they are sent again.
        """
        deadline = time.monotonic() + timeout
        while not done(heard := [received.message for received in self.received()]) and time.monotonic() < deadline:
            time.sleep(0.1)  # all of it is asked for each time
        return heard

    def clear(self) -> None:
        """Forget what has arrived."""
        self._ask("clear")

    def close(self) -> None:
        """Close the ports, let everything sent arrive, and end."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError, RuntimeError, TimeoutError):
                self._ask("close", timeout=CLOSING_SECONDS)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSING_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End like a crash: without closing anything."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _ask(self, command: str, *arguments: object, timeout: float = STANDSTILL_SECONDS) -> Any:
        assert self._process.stdin is not None
        self._asked += 1
        waited_for = f"for `{command}`"
        try:
            self._process.stdin.write(json.dumps([self._asked, command, *arguments]).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._ended(waited_for) from None
        return self._reply(waited_for, timeout)

    def _reply(self, waited_for: str, timeout: float) -> Any:
        """Return the reply to what was asked last; one that comes late, to something before, is passed over.

        :raises TimeoutError: if there is none by then.
        :raises JackPeerError: if the peer could not do it, or has ended.
        """
        deadline = time.monotonic() + timeout
        while True:
            line = self._line(deadline)
            if line is None:
                raise TimeoutError(f"the JACK peer {self._name} says nothing for {timeout:g} s; waited {waited_for}")
            if not line:
                raise self._ended(waited_for)
            reply = json.loads(line)
            if reply["number"] < self._asked:
                continue
            if "error" in reply:
                raise JackPeerError(f"the JACK peer {self._name} says: {reply['error']}")
            return reply["value"]

    def _line(self, deadline: float) -> bytes | None:
        """Return the next line that the peer says; None if there is none by then, nothing if it has ended."""
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._said:
            if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return None
            chunk = os.read(pipe, CHUNK)
            if not chunk:
                return b""
            self._said += chunk
        line, _, self._said = self._said.partition(b"\n")
        return bytes(line)

    def _ended(self, waited_for: str) -> JackPeerError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSING_SECONDS)
        code = self._process.returncode
        return JackPeerError(f"the JACK peer {self._name} has ended with code {code}; waited {waited_for}")


def held(messages: Iterable[bytes]) -> Counter[tuple[int, int]]:
    """Return how many note-ons of each (channel, pitch) had no note-off yet; note-offs without a note-on count −1."""
    sounding: Counter[tuple[int, int]] = Counter()
    for message in messages:
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == 0x90 and message[2] > 0:
            sounding[channel, message[1]] += 1
        elif kind in (0x80, 0x90):
            sounding[channel, message[1]] -= 1
    return Counter({key: count for key, count in sounding.items() if count != 0})


def note_ons(messages: Iterable[bytes]) -> list[bytes]:
    """Return the note-ons."""
    return [message for message in messages if message[0] & 0xF0 == 0x90 and message[2] > 0]


def is_one_note(messages: Iterable[bytes]) -> bool:
    """Whether these are one note and its end, which may come again after an xrun, or when an engine has gone."""
    kinds = [message[0] & 0xF0 for message in messages]
    return kinds[:2] == [0x90, 0x80] and 0x90 not in kinds[2:]


def sounding(messages: Iterable[bytes]) -> set[tuple[int, int]]:
    """Return each (channel, pitch) that sounds at a listener; note-offs that come more than once end it once."""
    notes: set[tuple[int, int]] = set()
    for message in messages:
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == 0x90 and message[2] > 0:
            notes.add((channel, message[1]))
        elif kind in (0x80, 0x90):
            notes.discard((channel, message[1]))
    return notes


class _JackIn:
    """An input by JACK-Client, with the face of python-rtmidi's."""

    def __init__(self, name: str) -> None:
        self._client = jack.Client(name, no_start_server=True)
        self._port: Any = None
        self._waiting: deque[tuple[float, list[int]]] = deque()
        self._latest: float | None = None

    def open_virtual_port(self, name: str) -> None:
        self._port = self._client.midi_inports.register(name)
        self._client.set_process_callback(self._process)
        self._client.activate()

    def _process(self, _frames: int) -> None:
        now = time.monotonic()  # as RtMidi does: frames go slower than time on a busy machine
        self._waiting += [(now, [*bytes(data)]) for _, data in self._port.incoming_midi_events()]

    def get_message(self) -> tuple[list[int], float] | None:
        """Return the next message, and how many seconds it came after the one before."""
        if not self._waiting:
            return None
        now, data = self._waiting.popleft()
        passed = 0.0 if self._latest is None else now - self._latest
        self._latest = now
        return data, passed

    def close_port(self) -> None:
        self._client.deactivate()

    def delete(self) -> None:
        self._client.close()


class _JackOut:
    """An output by JACK-Client, with the face of python-rtmidi's."""

    def __init__(self, name: str) -> None:
        self._client = jack.Client(name, no_start_server=True)
        self._port: Any = None
        self._waiting: deque[bytes] = deque()
        self._periods = 0

    def open_virtual_port(self, name: str) -> None:
        self._port = self._client.midi_outports.register(name)
        self._client.set_process_callback(self._process)
        self._client.activate()

    def _process(self, _frames: int) -> None:
        self._port.clear_buffer()
        while self._waiting:
            try:
                self._port.write_midi_event(0, self._waiting[0])
            except jack.JackError:  # no room any more in this period
                break
            self._waiting.popleft()
        self._periods += 1

    def send_message(self, message: Sequence[int]) -> None:
        self._waiting.append(bytes(message))

    def close_port(self) -> None:
        """Let all that was sent be heard, which takes two periods at most, and close."""
        deadline, last = time.monotonic() + GOING_SECONDS, self._periods + 2
        while (self._waiting or self._periods < last) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._client.deactivate()

    def delete(self) -> None:
        self._client.close()


def _ends(name: str) -> tuple[Any, Any]:
    """Return an input and an output, by RtMidi where there is it."""
    if rtmidi is None:
        return _JackIn(f"{name}-in"), _JackOut(f"{name}-out")
    into = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=f"{name}-in", queue_size_limit=QUEUE_SIZE)
    into.ignore_types(sysex=False, timing=False, active_sense=False)
    return into, rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=f"{name}-out")


class _Client:
    """The peer's side of the pipes: RtMidi for the messages, JACK-Client for the connections."""

    def __init__(self, name: str) -> None:
        self.control = jack.Client(f"{name}-control", no_start_server=True)
        self.lost = threading.Event()
        """Set once the server is gone."""
        self.control.set_shutdown_callback(lambda _status, _reason: self.lost.set())
        try:
            before = {self.identity(port) for port in self.ports()}
            self.midi_in, self.midi_out = _ends(name)
            self.midi_in.open_virtual_port("in")
            self.midi_out.open_virtual_port("out")
            self.input = self.own_port(before, f"{name}-in", ":in")
            self.output = self.own_port(before, f"{name}-out", ":out")
        except BaseException:
            self.control.close()
            raise
        self.arrivals: list[tuple[float, float, list[int]]] = []
        self.first = 0
        self.closing = threading.Event()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def own_port(self, before: set[str | None], start: str, end: str) -> str:
        """Return the port whose client was not there before, as soon as it is shown: PipeWire takes a moment.

        JACK adds a number to the name of a client if that is taken, by a killed peer, say; and if that goes meanwhile
        ours may have its name. So clients are told apart by JACK's own numbers of them.
        """
        deadline = time.monotonic() + STANDSTILL_SECONDS
        while True:
            names = self.ports()
            for port in names:
                if port.startswith(start) and port.endswith(end) and self.identity(port) not in (None, *before):
                    return port
            if time.monotonic() > deadline:
                raise TimeoutError(f"our own port {start}…{end} does not appear; there are: {', '.join(names)}")
            time.sleep(POLL_SECONDS)

    def identity(self, port: str) -> str | None:
        """Return what tells the client of a port from all others, earlier ones of its name too; None if it is gone."""
        try:
            number: str = self.control.get_uuid_for_client_name(port.rpartition(":")[0])
        except jack.JackError:
            return None
        return number

    def read(self) -> None:
        while not self.closing.is_set():
            while (message := self.midi_in.get_message()) is not None:
                data, seconds_since_last = message
                self.arrivals.append((time.monotonic(), seconds_since_last, data))
            time.sleep(POLL_SECONDS)

    def ports(self) -> list[str]:
        return self.names(lambda: self.control.get_ports(is_midi=True))

    def connections(self, port: str) -> list[str]:
        return self.names(lambda: self.control.get_all_connections(port))

    def names(self, list_ports: Callable[[], list[Any]]) -> list[str]:
        """Return the names of listed ports; one may go between being listed and looked at: JACK-Client raises then."""
        deadline = time.monotonic() + GOING_SECONDS
        while True:
            try:
                return [port.name for port in list_ports()]
            except jack.JackError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_SECONDS)

    def connect(self, source: str, target: str) -> None:
        try:
            self.control.connect(source, target)
        except jack.JackErrorCode as error:
            if error.code != errno.EEXIST:
                raise
        self.wait_until_connected(source, target, True)

    def disconnect(self, source: str, target: str) -> None:
        self.control.disconnect(source, target)
        self.wait_until_connected(source, target, False)

    def rename(self, port: str, short_name: str) -> None:
        self.control.get_port_by_name(port).shortname = short_name

    def wait_until_connected(self, source: str, target: str, wanted: bool) -> None:
        """JACK shows a change with its next period; until then notes go the old way."""
        deadline = time.monotonic() + 5
        while (target in self.connections(source)) is not wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{source} → {target}: the change does not show")
            time.sleep(0.001)

    def play(self, schedule: list[tuple[float, list[int]]]) -> list[float]:
        start = time.monotonic()
        times = []
        for seconds, message in schedule:
            if (wait := start + seconds - time.monotonic()) > 0:
                time.sleep(wait)
            if self.lost.is_set():
                raise RuntimeError("the server is gone")
            times.append(time.monotonic())
            self.midi_out.send_message(message)
        return times

    def received(self) -> list[tuple[float, list[int]]]:
        """Add up RtMidi's own exact gaps; the message that was polled soonest says where they begin."""
        arrivals = list(self.arrivals)
        sums = list(accumulate(gap for _, gap, _ in arrivals))
        begin = min((polled - total for (polled, _, _), total in zip(arrivals, sums, strict=True)), default=0.0)
        stamped = [(begin + total, data) for (_, _, data), total in zip(arrivals, sums, strict=True)]
        return stamped[self.first :]

    def count(self) -> int:
        return len(self.arrivals) - self.first

    def clear(self) -> None:
        self.first = len(self.arrivals)

    def close(self) -> None:
        self.closing.set()
        self.reader.join()
        if self.lost.is_set():
            return
        # Closing waits until JACK has taken all that was sent; only then may the process end.
        self.midi_out.close_port()
        self.midi_in.close_port()
        self.midi_out.delete()
        self.midi_in.delete()
        self.control.close()


def _opened(name: str) -> _Client:
    """Return an open client; a server that is busy, with one that has crashed, say, may let it in only later."""
    for left in reversed(range(OPENINGS)):
        try:
            return _Client(name)
        except Exception as error:
            if left == 0 or (isinstance(error, jack.JackOpenError) and error.status.server_failed):
                raise
    raise AssertionError


def _serve(name: str) -> None:
    """Answer each line of stdin (a number, a command and its arguments) with a line on stdout, until `close`.

    The reply bears the same number; the first one, 0, says what the ports are called.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libjack talks on stdout; it must not talk into the replies

    def reply(number: int, **content: object) -> None:
        replies.write(json.dumps({"number": number, **content}) + "\n")
        replies.flush()

    try:
        client = _opened(name)
    except Exception as error:  # noqa: BLE001  (whatever it is, the test is to see it)
        reply(0, error=repr(error))
        return
    reply(0, value={"input": client.input, "output": client.output})
    command = ""
    while command != "close":
        line = sys.stdin.readline()
        asked: list[Any] = json.loads(line) if line else [0, "close"]
        number, command, *arguments = asked
        try:
            reply(number, value=getattr(client, command)(*arguments))
        except Exception as error:  # noqa: BLE001
            reply(number, error=repr(error))
    if client.lost.is_set():
        os._exit(0)  # else RtMidi would be closed on the way out


if __name__ == "__main__":
    import jack

    try:
        import rtmidi
    except ImportError:
        rtmidi = None

    _serve(sys.argv[1])
