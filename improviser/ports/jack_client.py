"""MIDI ports on JACK: one client with an input and an output, so that an answer leaves in the period of its note.

JACK calls `_process` once a period, in a thread of its own. What comes in is heard there, and what is sent, from any
thread, is written there; so no send can block, whatever becomes of the server. Events are stamped with their frames.

JACK without `-S` begins a new period whether all clients have ended the last one or not; what was written in that may
never be read. So what is ready only when a period is all but over leaves in the next; it is put off once at most. Two
signs of what may be lost are doubts among the `receipts`: a period that we were not called in (frames are missing), and
an xrun for which JACK names no new delay (it is a client's, and not its driver's, which loses nothing). With `-S`
neither means anything: there we may be called when our period is long over, and yet miss none.

PipeWire 0.3, after an xrun, often calls a client twice in one period, and those that hear it only after that. So what
was written in a period is written again when it comes again, and what was heard in it is passed over.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from improviser.core.addresses.port_choice import MOST_SHARED_NAME_BYTES, VIRTUAL, cut_name, own_names
from improviser.core.midi.stream import MidiStream
from improviser.errors import MidiSystemError, NotServedError
from improviser.ports.backends import BACKENDS, JACK
from improviser.ports.in_force import until_in_force
from improviser.ports.interface import Answered, Listener, Receipts
from improviser.ports.jack_period import FRAMES, period_of
from improviser.ports.pipewire_watch import ServerWatch
from improviser.threads import remember_this_thread

ACTIVE_SENSING = b"\xfe"
NOTE_BYTES = 3
CLOCK = b"\xf8"
MUTE_PERIODS, MUTE_SECONDS = 50, 1.0
"""A client that the server does not call for so many periods, and so long, is never called again (seen on JACK 1.9.21
where clients come and go while another one opens)."""
TEST_SECONDS, TEST_PERIODS, TESTS = 0.2, 4, 10
"""How long our own message may take from output to input, in seconds and in periods, and how often it may be lost."""
WAITING_SECONDS = 15.0
"""How long JACK may stand still: with `-S`, five seconds for each client that has crashed."""
POLL_SECONDS, APPEARING_SECONDS = 0.002, 10.0
REMEDY = next(backend.remedy for backend in BACKENDS if backend.name == JACK)
LOOK_PERIODS = 8
"""How often we look how late we are called where nothing comes in."""
LATE_SHARE = 0.75
"""How much of a period may be over when something is still to leave in it, on a server that loses events."""
BUSY_SHARE = 0.5
"""How much of a period may be over while we go on answering in it; the rest is for those that hear us."""


def _client_called(jack: ModuleType, name: str) -> Any:
    """Return a client of this name, as far as JACK has room for it; where it is taken, room for a number is needed."""
    longest, shorter = cut_name(name), cut_name(name, MOST_SHARED_NAME_BYTES)
    try:
        return jack.Client(longest, no_start_server=True)
    except jack.JackOpenError:
        if shorter == longest:
            raise
        return jack.Client(shorter, no_start_server=True)


def _messages(data: bytes) -> Sequence[bytes]:
    """Return the messages in one event: it is whole, since JACK mixes several sources."""
    if len(data) == NOTE_BYTES and 0x80 <= data[0] < 0xC0 and data[1] < 0x80 and data[2] < 0x80:
        return (data,)  # by far the most, and each waits to be answered
    return MidiStream().feed(data)


def _pass_over(*, heard: bool, again: bool = False) -> None:
    """Do nothing at the end of a period."""


class JackPorts:
    """Inputs `in`, `in_2` … and an output `out` of one JACK client.

    :param jack: JACK-Client's module.
    :param name: what the client is to be called; JACK adds a number if there is one of that name.
    :param inputs: how many inputs it is to have.
    :raises MidiSystemError: if there is no server, or it never calls us.
    """

    def __init__(self, jack: ModuleType, name: str, inputs: int = 1) -> None:
        self.api = JACK
        self.inputs: Sequence[str] = [VIRTUAL] * inputs
        self.outputs: Sequence[str] = [VIRTUAL]
        self.client = ""
        self.remarks: Sequence[str] = ()
        self._receipts = Receipts()
        self.receipts: Receipts | None = self._receipts
        self._jack = jack
        self._errors: tuple[type[Exception], ...] = (jack.JackError,)
        self._outgoing: deque[tuple[int, bytes]] = deque()
        self._listener: Listener = lambda _message, _age, _input: None
        self._answered: Answered = _pass_over
        self._heed_clock = False
        self._offset = 0
        self._number = 0
        """Of the input whose events are being heard."""
        self._periods = self._over = self._overdue = 0
        """How many periods we were called in, how many of these are over, and how many messages did not leave in
        theirs, since it was all but over."""
        self.period = self.left_in = -1
        """The first frames of the period that we are in, and of the one that something left in last."""
        self.left_at = 0.0
        """When we were called in that one (`time.perf_counter`)."""
        self._heard: list[tuple[int, int, bytes]] = []
        """The input, place and bytes of all that was heard in this period."""
        self._written: list[tuple[int, bytes]] = []
        """The place and bytes of all that was written in it."""
        self._due_frame: int | None = None
        self._seen_to_lose: bool | None = None
        """Whether this server loses events; None as long as there is no sign of either."""
        self._delay = -1.0
        self._ends_at = 0.0
        self._known = False
        self._shut_down = False
        self._watch = ServerWatch(jack)
        try:
            self._client: Any = _client_called(jack, name)
        except jack.JackOpenError as error:
            self._watch.close()
            problem = "no server answers" if error.status.server_failed else str(error)
            raise MidiSystemError(f"JACK does not work here ({problem}); {REMEDY}") from error
        try:
            self._open()
        except jack.JackError as error:
            self.close()
            raise NotServedError(f"JACK does not let us in ({error}); try again, or restart its server") from error
        except NotServedError:
            self.close()
            raise

    def _open(self) -> None:
        client = self._client
        self.client = str(client.name)
        self._ins = [client.midi_inports.register(name) for name in own_names("in", len(self.inputs))]
        self._out = client.midi_outports.register("out")
        first, *further = (period_of(self._jack, client, into, self._out) for into in self._ins)
        self._period, self._further = first, further
        self._rate = float(client.samplerate)
        client.set_process_callback(self._process)
        client.set_xrun_callback(self._on_xrun)
        client.set_shutdown_callback(self._on_shutdown)
        client.activate()
        self._await_periods()
        self._test()
        self._seen = self._look()

    def _on_shutdown(self, _status: object, _reason: str) -> None:
        self._shut_down = True

    @property
    def lost(self) -> bool:
        """Whether the server is known to have gone."""
        return self._shut_down or self._watch.gone

    def _on_xrun(self, delay: float) -> None:
        if delay == self._delay and self._seen_to_lose is not False:
            self._receipts.doubts.append(time.perf_counter())
        self._delay = delay

    def _look(self) -> tuple[int, int, float]:
        """Return how many periods we were called in, where the server is (frames), and the time."""
        return self._periods, int(self._client.last_frame_time), time.perf_counter()

    def _await_periods(self) -> None:
        """Wait until JACK calls us.

        :raises NotServedError: if it goes on without.
        """
        self._seen = self._look()
        end = time.perf_counter() + WAITING_SECONDS
        while not self._periods:
            if self.mute or self.lost or time.perf_counter() > end:
                raise NotServedError("JACK never calls our client; try again, or restart its server")
            time.sleep(POLL_SECONDS)

    @property
    def mute(self) -> bool:
        """Whether JACK goes on and does not call us any more."""
        periods, frame, moment = self._seen
        now = self._look()
        if now[0] != periods:
            self._seen = now
            return False
        passed = (now[1] - frame) % FRAMES
        return passed > MUTE_PERIODS * int(self._client.blocksize) and now[2] - moment > MUTE_SECONDS

    def _test(self) -> None:
        """Send ourselves a message that means nothing to others, through JACK, and wait until it is heard.

        :raises NotServedError: if it never is.
        """
        arrived = threading.Event()
        self._listener = lambda message, _age, _input: arrived.set() if message == ACTIVE_SENSING else None
        self._client.connect(self._out, self._ins[0])
        end, lost = time.perf_counter() + WAITING_SECONDS, 0
        while not arrived.is_set():
            start = self._periods
            self.send(ACTIVE_SENSING)
            arrived.wait(TEST_SECONDS)
            # One that JACK had periods enough to carry; on a busy machine it may lose some.
            lost += not arrived.is_set() and self._periods - start > TEST_PERIODS
            if not arrived.is_set() and (lost > TESTS or self.lost or time.perf_counter() > end):
                raise NotServedError("JACK does not carry what our client sends; try again, or restart its server")
        self._client.disconnect(self._out, self._ins[0])
        self._outgoing.clear()  # nobody else is to hear of it
        self._listener = lambda _message, _age, _input: None

    def _process(self, frames: int) -> None:
        """Hear what has come in, and write what is to go out; called by JACK."""
        if not self._known:
            self._known = True
            remember_this_thread()
        now = time.perf_counter()
        period = self._period
        start = period.start()
        count = period.count(frames)
        counts = [count, *(each.count(frames) for each in self._further)] if self._further else ()
        if counts:
            count = sum(counts)
        look = count > 0 or self._periods % LOOK_PERIODS == 0
        passed = period.passed() if look else 0
        if self._due_frame is not None and start != self._due_frame:
            self._seen_to_lose = True
            self._receipts.doubts.append(now)
        elif passed > frames and self._seen_to_lose is None:
            self._seen_to_lose = False
        self._due_frame = (start + frames) % FRAMES
        if start != self.period and (self._heard or self._written):
            self._heard, self._written = [], []
        heard_before = [*self._heard]
        self.period = start
        self._periods += 1
        if count:
            self._ends_at = now + (BUSY_SHARE * frames - passed) / self._rate
        incoming = self._in_order(counts) if counts else period.incoming(count)
        for offset, data in incoming if count else ():
            if not self._is_new((self._number, offset, data), heard_before):
                continue
            self._offset = offset
            # What JACK hands out in a period happened in the one before: so nothing is stamped later than now.
            age = max(0.0, (passed + frames - offset) / self._rate)
            for message in _messages(data):
                if message != CLOCK or self._heed_clock:
                    self._listener(message, age, self._number)
        self._offset = 0
        self._write(frames, now)
        self._answered(heard=count > 0, again=True)
        self._over = self._periods

    def _is_new(self, event: tuple[int, int, bytes], heard_before: list[tuple[int, int, bytes]]) -> bool:
        """Take in an event of this period; return whether it is none of those that were `heard_before` in it."""
        if event in heard_before:
            heard_before.remove(event)
            return False
        self._heard.append(event)
        return True

    def _in_order(self, counts: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield what several inputs have received in this period, in order of time; `_number` is the event's input.

        :param counts: how many events each has received.
        """
        events = [
            (offset, number, data)
            for number, (period, count) in enumerate(zip((self._period, *self._further), counts, strict=True))
            for offset, data in (period.incoming(count) if count else ())
        ]
        for offset, self._number, data in sorted(events, key=lambda event: event[:2]):
            yield offset, data

    def _write(self, frames: int, now: float) -> None:
        period, outgoing = self._period, self._outgoing
        period.clear(frames)
        position = written = 0
        for position, message in self._written:  # the period has come again
            period.write(position, message)
        if outgoing and not self._overdue and self._is_late(frames):
            self._overdue = len(outgoing)
            return
        while outgoing:
            offset, message = outgoing[0]
            if self._overdue:
                self._overdue, offset = self._overdue - 1, 0
            position = max(position, min(offset, frames - 1))
            if not period.write(position, message):  # no room in this period's buffer: the rest leaves with the next
                break
            outgoing.popleft()
            self._written.append((position, message))
            written += 1
        if written:
            self.left_in, self.left_at = self.period, now
            self._receipts.left.append((written, now))

    def _is_late(self, frames: int) -> bool:
        """Say whether those that hear us may have been called without waiting for us: what leaves now may be lost."""
        if self._seen_to_lose is False:
            return False
        return self._period.passed() > LATE_SHARE * frames or self._period.start() != self.period

    @property
    def loses(self) -> bool:
        """Whether this server is known to lose events."""
        return self._seen_to_lose is True

    @property
    def hurried(self) -> bool:
        """Whether so much of the period is over that others would be late if we went on answering in it."""
        return time.perf_counter() > self._ends_at

    def listen(self, listener: Listener, answered: Answered = _pass_over) -> None:
        """Call `listener` with every message that comes in and its age in seconds, from JACK's thread; no SysEx.

        `answered` is called at the end of each period, when what was sent in it has left.
        """
        self._answered = answered
        self._listener = listener

    def hand_over(self) -> None:
        """Wait until the period that we are in, if we are in one, is over: the listener has all that came in, then."""
        periods = self._periods
        while self._over < periods == self._periods:
            time.sleep(POLL_SECONDS)

    def heed_clock(self, *, heed: bool) -> None:
        """Let MIDI clock in, or keep it out (as it is at first)."""
        self._heed_clock = heed

    def send(self, message: bytes) -> None:
        """Send a raw message: it leaves in this period or the next. Never blocks."""
        self._outgoing.append((self._offset, message))

    def own(self, role: str) -> str:
        """Return the whole name of our port `role`, "in" or "out"."""
        return f"{self.client}:{role}"

    def find(self, client: str, role: str) -> str:
        """Return the whole name of the port `role` of the first client whose name begins so.

        PipeWire shows new ones after a while.

        :raises MidiSystemError: if there is none, for long.
        """
        end = time.monotonic() + APPEARING_SECONDS
        while time.monotonic() < end:
            for port in self._client.get_ports(is_midi=True):
                if port.name.startswith(client) and port.name.endswith(f":{role}"):
                    return str(port.name)
            time.sleep(POLL_SECONDS)
        raise MidiSystemError(f"JACK has no port {role!r} of a client {client!r}")

    def connect(self, source: str, destination: str) -> None:
        """Connect two ports, whosever they are; what is sent after that arrives, wherever JACK is not too late.

        :raises MidiSystemError: if JACK does not.
        """

        def in_force() -> bool:
            return destination in {port.name for port in self._client.get_all_connections(source)}

        try:
            self._client.connect(source, destination)
            until_in_force(in_force, lambda: self.lost)
        except self._errors as error:
            raise MidiSystemError(f"JACK does not connect {source!r} to {destination!r} ({error})") from error

    def close(self) -> None:
        """Leave the server."""
        with contextlib.suppress(*self._errors):
            self._client.deactivate()
        with contextlib.suppress(*self._errors):
            self._client.close()
        self._watch.close()
