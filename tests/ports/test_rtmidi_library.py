"""RtMidi by python-rtmidi or rtmidi2: which has wheels where, one face for both, no end of the process."""

import itertools
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from packaging.requirements import Requirement

from improviser.core.addresses.port_choice import VIRTUAL
from improviser.errors import MidiSystemError, PortError
from improviser.ports.backends import BACKENDS, Backend, rtmidi_backends
from improviser.ports.rtmidi_backend import RtMidiPorts
from improviser.ports.rtmidi_library import (
    PYTHON_RTMIDI,
    RTMIDI2,
    Rtmidi2,
    library_here,
    load_rtmidi,
    probe,
    remedy,
    said_by_rtmidi,
)
from tests.conftest import EMULATED

pytestmark = pytest.mark.skipif(EMULATED, reason="there another library stands in for both")

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
ALSA = next(backend for backend in BACKENDS if backend.name == "alsa")
API = 2
STUB = '''
"""Stands in for rtmidi2, as far as we use it."""

API_MACOSX_CORE, API_LINUX_ALSA, API_WINDOWS_MM = 1, 2, 4


class Port:
    """A port of a MIDI system that works."""

    ports = ["Keystation 49", None]

    def __init__(self, name, api):
        TROUBLE
        self.did = []

    def open_port(self, number):
        self.did.append(("open", number))

    def open_virtual_port(self, name):
        self.did.append(("virtual", name))

    def close_port(self):
        self.did.append("close")

    def ignore_types(self, midi_sysex, midi_time, midi_sense):
        self.did.append(("ignore", midi_sysex, midi_time, midi_sense))

    def send_message(self, message):
        if not isinstance(message, list | tuple):
            raise TypeError("msg must be a list or tuple of ints")
        self.did.append(("send", message))


MidiIn = MidiOut = Port
'''


@pytest.mark.parametrize(
    ("python", "system", "machine"),
    list(
        itertools.product(
            [(3, 11), (3, 12), (3, 13), (3, 14), (3, 15)],
            ["linux", "darwin", "win32", "freebsd14"],
            ["x86_64", "aarch64", "armv7l", "arm64", "AMD64", "ARM64"],
        )
    ),
)
def test_what_is_required_is_what_has_wheels(python: tuple[int, int], system: str, machine: str) -> None:
    requirements = map(Requirement, tomllib.loads(PROJECT.read_text("utf-8"))["project"]["dependencies"])
    said = {"python_version": ".".join(map(str, python)), "sys_platform": system, "platform_machine": machine}
    required = [
        one.name
        for one in requirements
        if one.name in {PYTHON_RTMIDI, RTMIDI2} and one.marker is not None and one.marker.evaluate(said)
    ]
    library = library_here(python, system, machine)
    if system == "darwin" and machine not in {"x86_64", "arm64"}:
        return  # there is no such Mac
    assert required == ([library] if library else [])


def test_the_remedy_names_what_has_wheels_here_or_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improviser.ports.rtmidi_library.library_here", lambda: RTMIDI2)
    assert "pip install --force-reinstall rtmidi2" in remedy()
    monkeypatch.setattr("improviser.ports.rtmidi_library.library_here", lambda: None)
    assert "uv tool install --python 3.12 ." in remedy()
    assert ("JACK" in remedy()) == (sys.platform == "linux")


class Stub:
    """Puts a module `rtmidi2` in place of python-rtmidi, here and in processes that are started."""

    ports: ClassVar[list[str]] = ["Keystation 49", ""]

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
        source = STUB.replace("TROUBLE", trouble)
        (folder / "rtmidi2.py").write_text(source, "utf-8")
        module = ModuleType("rtmidi2")
        exec(source, module.__dict__)  # noqa: S102  it is our own
        monkeypatch.setenv("PYTHONPATH", str(folder))
        monkeypatch.setitem(sys.modules, "rtmidi", None)
        monkeypatch.setitem(sys.modules, "rtmidi2", module)
        monkeypatch.setattr(sys, "platform", "linux")


def alsa_over(folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: str = "pass") -> Backend:
    Stub(folder, monkeypatch, trouble)
    (backend,) = rtmidi_backends()
    assert backend is ALSA
    return backend


def opened(backend: Backend, choice: str) -> tuple[RtMidiPorts, list[Any], list[Any]]:
    ports = RtMidiPorts(backend, "test", [choice], [choice])
    return ports, ports._ins[0]._port.did, ports._outs[0]._port.did


def test_rtmidi2_opens_hears_and_plays_like_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, into, out_of = opened(alsa_over(tmp_path, monkeypatch), "keystation")
    assert (ports.inputs, ports.outputs) == (["Keystation 49"], ["Keystation 49"])
    heard: list[bytes] = []
    ports.listen(lambda message, _age, _input: heard.append(message), lambda *, heard, again=False: None)
    ports._ins[0]._port.callback([0x90, 60, 64], 0.1)
    assert heard == [b"\x90\x3c\x40"]
    ports.heed_clock(heed=True)
    ports.send(b"\x80\x3c\x40")
    ports.close()
    assert into == [("open", 0), ("ignore", True, False, False), "close"]
    assert out_of == [("open", 0), ("send", (0x80, 60, 64)), "close"]


def test_rtmidi2_has_virtual_ports_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports, into, out_of = opened(alsa_over(tmp_path, monkeypatch), VIRTUAL)
    assert (ports.inputs, ports.outputs) == ([VIRTUAL], [VIRTUAL])
    assert (into, out_of) == ([("virtual", "in")], [("virtual", "out")])


def test_a_name_that_rtmidi2_does_not_know_is_an_error_that_lists_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PortError, match=r"'oboe'.*'Keystation 49'"):
        RtMidiPorts(alsa_over(tmp_path, monkeypatch), "test", ["oboe"], ["virtual"])


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("import os; os.abort()", "its test ended with"),
        ("import sys; sys.stderr.write('No MIDI here.'); sys.stderr.flush(); import os; os.abort()", "No MIDI here."),
        ("raise RuntimeError('no sequencer')", "no sequencer"),
    ],
)
def test_where_rtmidi2_would_end_the_process_it_is_a_child_that_ends(
    trouble: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = alsa_over(tmp_path, monkeypatch, trouble)
    with pytest.raises(MidiSystemError, match=rf"ALSA does not work here \({said}.*modprobe snd-seq"):
        RtMidiPorts(backend, "test", ["virtual"], ["virtual"])


def test_a_child_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Stub(tmp_path, monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr("improviser.ports.rtmidi_library.PROBE_SECONDS", 1.0)
    with pytest.raises(RuntimeError, match="did not answer"):
        probe(API, has_virtual_ports=True)


def test_what_works_is_tried_once_and_what_does_not_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Stub(tmp_path, monkeypatch, "pass")
    tries: list[int] = []

    def fail_once(api: int, *, has_virtual_ports: bool) -> None:
        tries.append(api)
        assert has_virtual_ports
        if len(tries) == 1:
            raise RuntimeError("not yet")

    monkeypatch.setattr("improviser.ports.rtmidi_library.probe", fail_once)
    library = load_rtmidi()
    assert isinstance(library, Rtmidi2)
    with pytest.raises(library.RtMidiError):
        library.MidiIn(API, "test")
    library.MidiIn(API, "test")
    library.MidiOut(API, "test")
    assert tries == [API, API]


def test_python_rtmidi_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    both = ModuleType("rtmidi"), ModuleType("rtmidi2")
    monkeypatch.setattr(both[0], "get_compiled_api", list, raising=False)
    for module in both:
        monkeypatch.setitem(sys.modules, module.__name__, module)
    assert load_rtmidi() is both[0]


def test_what_rtmidi_says_is_told_without_the_name_of_its_function() -> None:
    error = RuntimeError("MidiInAlsa::initialize: error creating ALSA sequencer client object.\n")
    assert said_by_rtmidi(error) == "error creating ALSA sequencer client object"
    assert said_by_rtmidi(RuntimeError("no such port")) == "no such port"
