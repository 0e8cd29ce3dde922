"""Our JACK client where the server does not serve it: a stand-in for JACK-Client with the faults seen on JACK."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

from improviser.errors import NotServedError
from improviser.ports import jack_client
from improviser.ports.jack_client import ACTIVE_SENSING, JackPorts

if TYPE_CHECKING:
    from types import ModuleType

PERIOD, RATE = 64, 48_000


class Port:
    def __init__(self) -> None:
        self.events: list[tuple[int, bytes]] = []

    def clear_buffer(self) -> None:
        self.events = []

    def write_midi_event(self, offset: int, message: bytes) -> None:
        self.events.append((offset, message))


class Input(Port):
    source: Port | None = None

    def incoming_midi_events(self) -> list[tuple[int, bytes]]:
        return [] if self.source is None else self.source.events


class Ports:
    def __init__(self, kind: type[Port]) -> None:
        self._kind = kind

    def register(self, _name: str) -> Port:
        return self._kind()


class Client:
    """A client of a server that goes on by itself; it is `called` and its messages are `carried`, or not."""

    def __init__(self, *, called: bool, carried: bool) -> None:
        self.name, self.samplerate, self.blocksize = "improviser", RATE, PERIOD
        self.midi_inports, self.midi_outports = Ports(Input), Ports(Port)
        self.called, self.carried = called, carried
        self.last_frame_time = self.frames_since_cycle_start = 0
        self.goes_on = True
        self.is_open = True
        self._process: Callable[[int], None] = lambda _frames: None
        self._shutdown: Callable[[object, str], None] = lambda _status, _reason: None
        self._thread = threading.Thread(target=self._run)

    def set_process_callback(self, process: Callable[[int], None]) -> None:
        self._process = process

    def set_xrun_callback(self, _xrun: object) -> None:
        """None comes."""

    def set_shutdown_callback(self, shutdown: Callable[[object, str], None]) -> None:
        self._shutdown = shutdown

    def shut_down(self) -> None:
        self._shutdown(None, "")

    def activate(self) -> None:
        self._thread.start()

    def connect(self, source: Port, destination: Input) -> None:
        destination.source = source if self.carried else None

    def disconnect(self, _source: Port, destination: Input) -> None:
        destination.source = None

    def _run(self) -> None:
        while self.is_open:
            if self.goes_on:
                self.last_frame_time += PERIOD
                if self.called:
                    self._process(PERIOD)
            time.sleep(PERIOD / RATE)

    def deactivate(self) -> None:
        self.is_open = False

    def close(self) -> None:
        self.is_open = False
        if self._thread.is_alive():
            self._thread.join()


class Jack:
    """What `JackPorts` uses of JACK-Client's module."""

    JackError = type("JackError", (Exception,), {})

    def __init__(self, *, called: bool = True, carried: bool = True) -> None:
        self.client = Client(called=called, carried=carried)

    def Client(self, _name: str, **_options: Any) -> Client:  # noqa: N802  the module's name
        return self.client


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jack_client, "MUTE_SECONDS", 0.2)
    monkeypatch.setattr(jack_client, "TEST_SECONDS", 0.2)
    monkeypatch.setattr(jack_client, "MUTE_PERIODS", 10)


def open_on(jack: Jack) -> JackPorts:
    return JackPorts(cast("ModuleType", jack), "improviser")


@pytest.fixture
def jack() -> Iterator[Jack]:
    jack = Jack()
    yield jack
    jack.client.close()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_client_that_is_never_called_is_given_up() -> None:
    jack = Jack(called=False)
    with pytest.raises(NotServedError, match="never calls"):
        open_on(jack)
    assert not jack.client.is_open


def test_a_client_whose_messages_are_not_carried_is_given_up() -> None:
    jack = Jack(carried=False)
    with pytest.raises(NotServedError, match="does not carry"):
        open_on(jack)
    assert not jack.client.is_open


def test_a_server_that_ends_while_a_client_opens_is_not_waited_for() -> None:
    jack = Jack(called=False)
    jack.client.goes_on = False
    jack.client.activate = jack.client.shut_down  # type: ignore[method-assign]
    with pytest.raises(NotServedError):
        open_on(jack)


def test_a_client_that_is_served_is_heard_and_hears_nothing_of_its_own_test(jack: Jack) -> None:
    ports = open_on(jack)
    heard: list[bytes] = []
    ports.listen(lambda message, _age, _input: heard.append(message))
    periods = jack.client.last_frame_time
    until(lambda: jack.client.last_frame_time > periods + 5 * PERIOD)
    assert ACTIVE_SENSING not in heard
    assert not ports.mute
    assert not ports.lost


def test_a_client_that_is_not_called_any_more_is_mute(jack: Jack) -> None:
    ports = open_on(jack)
    jack.client.called = False
    until(lambda: ports.mute)


def test_a_server_that_stands_still_makes_no_client_mute(jack: Jack) -> None:
    ports = open_on(jack)
    jack.client.goes_on = False
    looks = [ports.mute for _ in range(60) if not time.sleep(0.01)]  # type: ignore[func-returns-value]
    assert not any(looks)
    jack.client.goes_on = True
    until(lambda: not ports.mute)


def test_what_several_inputs_receive_in_a_period_is_heard_in_order_of_time() -> None:
    jack = Jack()
    ports = JackPorts(cast("ModuleType", jack), "improviser", 2)
    heard: list[tuple[bytes, int]] = []
    ports.listen(lambda message, _age, number: heard.append((message, number)))
    jack.client.close()
    for number, offsets in enumerate(((40,), (10, 40))):
        ports._ins[number].source = source = Port()
        source.events = [(offset, bytes((0x90, offset, number + 1))) for offset in offsets]
    ports._process(PERIOD)
    assert heard == [(b"\x90\x0a\x02", 1), (b"\x90\x28\x01", 0), (b"\x90\x28\x02", 1)]


def test_what_is_handed_over_was_heard_to_the_end_of_its_period(jack: Jack) -> None:
    ports = open_on(jack)
    ports.hand_over()  # no period is gone through just now, or it soon ends
    jack.client.close()
    ports.hand_over()  # and JACK may stand still
    hearing, goes_on, heard = threading.Event(), threading.Event(), list[bytes]()

    def listen(message: bytes, _age: float, _input: int) -> None:
        heard.append(message)
        hearing.set()
        assert goes_on.wait(20)

    ports.listen(listen)
    ports._ins[0].source = source = Port()
    source.events = [(0, b"\x90\x3c\x50"), (1, b"\x90\x40\x50")]
    period = threading.Thread(target=ports._process, args=(PERIOD,))
    period.start()
    assert hearing.wait(20)
    handed_over = list[int]()

    def hand_over() -> None:
        ports.hand_over()
        handed_over.append(len(heard))

    waiting = threading.Thread(target=hand_over)
    waiting.start()
    waiting.join(0.05)
    assert handed_over == []
    goes_on.set()
    for thread in (period, waiting):
        thread.join(20)
    assert handed_over == [2]


def test_what_is_written_in_a_period_that_comes_again_is_written_again_and_what_was_heard_is_passed_over() -> None:
    jack = Jack()
    ports = open_on(jack)
    heard: list[bytes] = []

    def answer(message: bytes, _age: float, _input: int) -> None:
        heard.append(message)
        ports.send(bytes((message[0], message[1] + 12, message[2])))

    ports.listen(answer)
    jack.client.close()
    source = ports._ins[0].source = Port()
    out = ports._out
    ons = [(offset, bytes((0x90, 60 + offset, 80))) for offset in (5, 7)]
    answers = [(offset, bytes((0x90, 72 + offset, 80))) for offset in (5, 7)]
    jack.client.last_frame_time += PERIOD
    source.events = ons[:1]
    ports._process(PERIOD)
    assert out.events == answers[:1]
    source.events = ons  # whoever plays to us was called again as well
    ports._process(PERIOD)
    assert (out.events, heard) == (answers, [message for _, message in ons])
    jack.client.last_frame_time += PERIOD
    ports._process(PERIOD)  # another period, in which the same comes
    assert (out.events, len(heard)) == (answers, 4)
    source.events = []
    jack.client.last_frame_time += PERIOD
    ports._process(PERIOD)
    assert out.events == []


def test_what_is_ready_when_its_period_is_over_leaves_in_the_next_and_is_put_off_once_at_most() -> None:
    jack = Jack()
    ports = open_on(jack)
    jack.client.close()
    client, out = jack.client, ports._out
    ports._seen_to_lose = None
    ports._ins[0].source = source = Port()

    def period(*, passed: int, over: bool = False) -> list[tuple[int, bytes]]:
        """Go through a period in which a note is heard, and an answer is ready when so many frames have passed."""
        client.last_frame_time += PERIOD
        client.frames_since_cycle_start = 0
        source.events = [(30, b"\x90\x3c\x50")]

        def answer(message: bytes, _age: float, _input: int) -> None:
            ports.send(bytes((0x90, 40 + len(sent), 80)))
            client.frames_since_cycle_start = passed
            client.last_frame_time += PERIOD * over

        ports.listen(answer)
        ports._process(PERIOD)
        client.last_frame_time -= PERIOD * over
        sent.extend(out.events)
        return [*out.events]

    sent: list[tuple[int, bytes]] = []
    assert period(passed=20) == [(30, b"\x90\x28\x50")]
    assert period(passed=60) == []
    assert len(period(passed=60)) == 2  # late again: but it is not put off for ever
    assert period(passed=2, over=True) == []
    client.last_frame_time += PERIOD
    client.frames_since_cycle_start, source.events = 0, []
    ports._process(PERIOD)
    assert out.events == [(0, b"\x90\x2b\x50")]  # it is overdue
    ports._seen_to_lose = False  # with `-S` nobody goes on without us
    assert len(period(passed=60)) == 1
