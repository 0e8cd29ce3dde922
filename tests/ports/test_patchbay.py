"""The patchbay on a stand-in for JACK-Client whose server makes connections some looks after it was asked to."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from improviser.ports import in_force, patchbay
from improviser.ports.jack_release import OUT
from improviser.ports.patchbay import Patchbay, RememberedConnections

KEYBOARD, OURS, OURS_OUT, SYNTH = "keyboard:out", "improviser:in", "improviser:out", "synth:in"


class Server:
    """What a server knows: ports, connections that are in force, and those that are asked for (`late` looks before)."""

    def __init__(self, late: float) -> None:
        self.ports = {name: SimpleNamespace(name=name) for name in (KEYBOARD, OURS, OURS_OUT, SYNTH)}
        self.asked: list[tuple[str, str]] = []
        self.late = late
        self.looks = 0

    @property
    def in_force(self) -> list[tuple[str, str]]:
        return self.asked if self.looks > self.late else []


class Client:
    """A client of that server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Callable[..., None]:
        assert name in {"activate", "deactivate", "close"} or name.startswith("set_"), name
        return lambda *_, **__: None

    def get_ports(self, **_: bool) -> list[Any]:
        return [*self._server.ports.values()]

    def get_port_by_name(self, name: str) -> Any:
        return self._server.ports[name]

    def get_all_connections(self, name: str) -> list[Any]:
        self._server.looks += 1
        pairs = self._server.in_force
        return [self._server.ports[other] for pair in pairs if name in pair for other in pair if other != name]

    def connect(self, source: str, destination: str) -> None:
        self._server.asked.append((source, destination))


def patchbay_of(server: Server, monkeypatch: pytest.MonkeyPatch) -> Patchbay:
    jack = SimpleNamespace(JackError=KeyError, Client=lambda *_, **__: Client(server))
    monkeypatch.setattr(patchbay, "load_jack", lambda: jack)
    monkeypatch.setattr(patchbay, "server_of", lambda _: "jackd")
    monkeypatch.setattr(patchbay, "ServerWatch", lambda _: SimpleNamespace(gone=False, close=lambda: None))
    monkeypatch.setattr(patchbay, "ReleaseClient", lambda *_, **__: SimpleNamespace(close=lambda: None))
    remembered = RememberedConnections()
    remembered.add("in", KEYBOARD)
    remembered.add(OUT, SYNTH)
    bay = Patchbay("improviser", remembered, lambda: None, lambda: None)
    bay.adopt("improviser")
    return bay


def test_a_connection_is_told_once_it_carries_what_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(late=9)
    assert patchbay_of(server, monkeypatch).refresh(0.0) == (KEYBOARD, SYNTH)
    assert server.in_force == [(KEYBOARD, OURS), (OURS_OUT, SYNTH)]


def test_a_connection_that_never_comes_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_force, "IN_FORCE_SECONDS", 0.02)
    server = Server(late=float("inf"))
    assert patchbay_of(server, monkeypatch).refresh(0.0) == (KEYBOARD, SYNTH)
    assert server.in_force == []


def test_a_port_that_goes_meanwhile_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_force, "IN_FORCE_SECONDS", 3600.0)
    server = Server(late=float("inf"))
    bay = patchbay_of(server, monkeypatch)
    monkeypatch.setattr("time.sleep", lambda _: server.ports.clear())
    assert bay.refresh(0.0) == (KEYBOARD, SYNTH)
