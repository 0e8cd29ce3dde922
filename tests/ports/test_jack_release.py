"""The release of notes by a client of our own, on a stand-in for JACK whose connections carry nothing at first."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from improviser.ports import jack_sending
from improviser.ports.jack_release import LATE_ROUNDS, ROUNDS, ReleaseClient

SYNTHS = ("synth:in", "sampler:in")
END = b"\x80\x3c\x40"


class Client:
    """A client that is called whenever somebody sleeps; each synth hears what leaves once its connection is in force.

    :param late: for how many periods the connections to each synth carry nothing.
    """

    def __init__(self, late: tuple[float, float]) -> None:
        self.late = dict(zip(SYNTHS, late, strict=True))
        self.heard: dict[str, list[bytes]] = {synth: [] for synth in SYNTHS}
        self.midi_outports = SimpleNamespace(register=lambda _: self)
        self.periods = 0
        self._process: Callable[[int], None] = lambda _: None

    def set_process_callback(self, process: Callable[[int], None]) -> None:
        self._process = process

    def __getattr__(self, name: str) -> Callable[..., None]:
        assert name in {
            *("activate", "deactivate", "close", "connect", "unregister", "clear_buffer", "set_shutdown_callback")
        }, name
        return lambda *_: None

    def get_all_connections(self, _port: object) -> list[Any]:
        return [SimpleNamespace(name=synth) for synth in SYNTHS if self.periods >= self.late[synth]]

    def write_midi_event(self, _offset: int, message: bytes) -> None:
        for port in self.get_all_connections(self):
            self.heard[port.name].append(message)

    def pass_time(self, _seconds: float) -> None:
        self.periods += 1
        self._process(64)


def release(late: tuple[float, float], monkeypatch: pytest.MonkeyPatch) -> Client:
    client = Client(late)
    monkeypatch.setattr("time.sleep", client.pass_time)
    monkeypatch.setattr(jack_sending, "BufferSending", jack_sending.CalledSending)  # this JACK calls what it is told to
    jack = SimpleNamespace(JackError=KeyError, Client=lambda *_, **__: client)
    began: list[bool] = []
    assert ReleaseClient(jack, "release").release(SYNTHS, [END], lambda: began.append(True)) == list(SYNTHS)  # type: ignore[arg-type]
    assert began
    return client


def test_who_is_connected_late_hears_a_release_as_often_as_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    client = release((0, 12), monkeypatch)
    assert client.heard["sampler:in"] == [END] * ROUNDS
    assert len(client.heard["synth:in"]) > ROUNDS  # it did not have to wait


def test_a_connection_that_never_comes_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    client = release((0, float("inf")), monkeypatch)
    assert client.heard["sampler:in"] == []
    assert len(client.heard["synth:in"]) == LATE_ROUNDS + ROUNDS
