"""Several ports through RtMidi, by a stand-in for its module: opened, sent to, failing, unplugged, and back."""

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from improviser.core.addresses.port_choice import ABSENT, VIRTUAL
from improviser.errors import PortError
from improviser.ports import hotplug
from improviser.ports.backends import BACKENDS, Backend
from improviser.ports.hotplug import Changes, NamedPorts
from improviser.ports.rtmidi_backend import RtMidiPorts

ALSA = next(backend for backend in BACKENDS if backend.name == "alsa")
ON = bytes((0x90, 60, 80))


class RtMidiError(Exception):
    pass


class Port:
    def __init__(self, system: "System") -> None:
        self._system = system
        self.opened: str | None = None
        self.hear: Any = None
        self.clock = False

    def get_ports(self, encoding: str | None = "auto") -> list[bytes]:
        return [name.encode() for name in self._system.there]

    def open_port(self, number: int, _name: str) -> None:
        self.opened = self._system.there[number]

    def open_virtual_port(self, name: str) -> None:
        self.opened = name

    def send_message(self, message: bytes) -> None:
        if self.opened in self._system.failing:
            raise RtMidiError("gone")
        self._system.sent.append((self.opened, message))

    def set_callback(self, hear: Any) -> None:
        self.hear = hear

    def ignore_types(self, *, sysex: bool, timing: bool, active_sense: bool) -> None:
        self.clock = not timing

    def cancel_callback(self) -> None:
        self.hear = None

    def close_port(self) -> None:
        self.opened = None

    delete = cancel_callback


class System:
    """What RtMidi's module offers."""

    RtMidiError = RtMidiError
    API_LINUX_ALSA = 1

    def get_compiled_api(self) -> list[int]:
        return [self.API_LINUX_ALSA]

    def __init__(self, *there: str) -> None:
        self.there, self.failing = list(there), set[str]()
        self.sent: list[tuple[str | None, bytes]] = []
        self.ports: list[Port] = []

    def MidiIn(self, _api: int, _name: str) -> Port:  # noqa: N802  the module's name
        self.ports.append(Port(self))
        return self.ports[-1]

    MidiOut = MidiIn


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    system = System("Keys 20:0", "Piano 24:0", "Organ 28:0")
    monkeypatch.setitem(sys.modules, "rtmidi", system)
    return system


def opened(inputs: list[str], outputs: list[str], *, patient: bool = False, backend: Backend = ALSA) -> RtMidiPorts:
    return RtMidiPorts(backend, "test", inputs, outputs, patient=patient)


def test_all_outputs_get_the_same_and_one_that_fails_stops_no_other(system: System) -> None:
    ports = opened(["virtual"], ["piano", "organ"])
    ports.send(ON)
    assert system.sent == [("Piano 24:0", ON), ("Organ 28:0", ON)]
    for failing in ("Piano 24:0", "Organ 28:0"):
        system.failing, system.sent = {failing}, []
        ports.send(ON)
        assert len(system.sent) == 1
    system.failing = {"Piano 24:0", "Organ 28:0"}
    with pytest.raises(RtMidiError):  # so that the engine is replaced, as where there is one output
        ports.send(ON)


def test_where_one_output_is_gone_the_others_are_opened_with_patience_alone(system: System) -> None:
    system.there.remove("Piano 24:0")
    with pytest.raises(PortError, match="'piano'"):
        opened(["virtual"], ["piano", "organ"])
    assert all(port.opened is None for port in system.ports)
    ports = opened(["virtual"], ["piano", "organ"], patient=True)
    assert (ports.inputs, ports.outputs) == ([VIRTUAL], [ABSENT, "Organ 28:0"])
    ports.send(ON)
    assert system.sent == [("Organ 28:0", ON)]


def test_several_virtual_ports_have_names_of_their_own(system: System) -> None:
    opened(["virtual", "keys"], ["virtual", "virtual"])
    assert [port.opened for port in system.ports] == ["in", "Keys 20:0", "out", "out_2"]


def test_each_input_tells_its_number_and_heeds_the_clock(system: System) -> None:
    ports = opened(["keys", "organ"], ["virtual"])
    heard: list[tuple[bytes, int]] = []
    ports.listen(lambda message, _age, number: heard.append((message, number)), lambda *, heard, again=False: None)
    ports.heed_clock(heed=True)
    for port in (system.ports[1], system.ports[0]):
        port.hear((list(ON), 0.0), None)
        assert port.clock
    assert heard == [(ON, 1), (ON, 0)]
    ports.close()
    assert all(port.hear is None and port.opened is None for port in system.ports)


def test_each_port_that_is_unplugged_is_told_once_and_that_one_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    there = SimpleNamespace(inputs=("Left 20:0", "Right 24:0"), outputs=("Piano 28:0", "Organ 32:0"))
    monkeypatch.setattr(hotplug, "ports_there", lambda _: (there.inputs, there.outputs))
    named = NamedPorts(["left", "right"], ["piano", "organ"])

    def look(*outputs: str) -> Changes:
        return asyncio.run(named.look("alsa", ["Left 20:0", "Right 24:0"], outputs or ("Piano 28:0", "Organ 32:0")))

    assert look() == Changes()
    there.inputs = ("Left 40:0",)  # the same one, with another number of ALSA's
    assert look() == Changes(inputs=((1, "Right 24:0"),))
    assert look() == Changes()
    there.outputs = ("Piano 28:0",)
    assert look() == Changes(outputs=((1, "Organ 32:0"),))
    there.outputs = ("Piano 28:0", "Organ 32:0")
    assert look() == Changes(back=True)
    assert look() == Changes()
    there.outputs = ("Piano 28:0",)
    assert look("Piano 28:0", ABSENT) == Changes()
    there.outputs = ("Piano 28:0", "Organ 99:0")
    assert look("Piano 28:0", ABSENT) == Changes(back=True)


def test_of_several_keyboards_auto_takes_none_and_says_how_to_take_them(system: System) -> None:
    ports = opened(["auto"], ["organ"])
    assert ports.inputs == ["virtual"]
    (remark,) = ports.remarks
    assert '--input "Keys 20:0" --input "Piano 24:0" --input "Organ 28:0"' in remark
    assert not opened(["keys"], ["organ"]).remarks
    assert opened(["keys", "auto"], ["organ"]).inputs == ["Keys 20:0", "virtual"]
