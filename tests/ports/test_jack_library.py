"""JACK's library is found, or it is said what is missing; and then the next MIDI system is tried."""

import ctypes.util
import sys
from types import ModuleType
from typing import Any

import pytest

from improviser.errors import MidiSystemError
from improviser.ports.backends import BACKENDS
from improviser.ports.jack_library import Missing, find_jack, load_jack
from improviser.ports.opening import open_ports
from improviser.ports.patchbay import Patchbay, RememberedConnections


@pytest.fixture
def without_libjack(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("_jack", reason="JACK-Client is not installed")
    monkeypatch.delitem(sys.modules, "jack", raising=False)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)


@pytest.mark.usefixtures("without_libjack")
@pytest.mark.unix
def test_without_libjack_the_message_says_what_to_install() -> None:
    with pytest.raises(MidiSystemError, match=r"JACK cannot be used here \(.+\); install JACK's library"):
        load_jack()


@pytest.mark.usefixtures("without_libjack")
@pytest.mark.unix
def test_without_libjack_the_patchbay_fails_as_without_a_server() -> None:
    with pytest.raises(MidiSystemError, match="install JACK's library"):
        Patchbay("test", RememberedConnections(), lambda: None, lambda: None)


def test_without_the_module_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jack", None)
    with pytest.raises(MidiSystemError, match=r"'jack' is not installed\); install it with: pip install JACK-Client"):
        load_jack()


def test_another_module_of_that_name_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jack", ModuleType("jack"))
    assert isinstance(find_jack(), Missing)


class FakePort:
    """A port of RtMidi's, on a MIDI system that works."""

    opened: list[tuple[int, str]] = []  # noqa: RUF012  shared on purpose

    def __init__(self, api: int, _client: str) -> None:
        self.api = api

    def get_ports(self, encoding: str | None = "auto") -> list[bytes]:
        return []

    def open_virtual_port(self, name: str) -> None:
        self.opened.append((self.api, name))

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


@pytest.mark.unix
def test_without_jack_the_next_system_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    rtmidi = ModuleType("rtmidi")
    constants = {backend.constant: number for number, backend in enumerate(BACKENDS)}
    for name, number in constants.items():
        monkeypatch.setattr(rtmidi, name, number, raising=False)
    numbers = [constants["API_UNIX_JACK"], constants["API_LINUX_ALSA"]]
    for name, value in {"MidiIn": FakePort, "MidiOut": FakePort, "RtMidiError": OSError}.items():
        monkeypatch.setattr(rtmidi, name, value, raising=False)
    monkeypatch.setattr(rtmidi, "get_compiled_api", lambda: numbers, raising=False)
    monkeypatch.setattr(FakePort, "opened", [])
    monkeypatch.setitem(sys.modules, "rtmidi", rtmidi)
    monkeypatch.setitem(sys.modules, "jack", None)
    ports = open_ports("auto", "test", ["auto"], ["auto"])
    assert ports.api == "alsa"
    assert FakePort.opened == [(constants["API_LINUX_ALSA"], "in"), (constants["API_LINUX_ALSA"], "out")]
    ports.close()
