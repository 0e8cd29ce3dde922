"""MIDI ports of every backend behind one interface: JACK, ALSA, CoreMIDI, WinMM, and a loopback without any.

JACK and ALSA are tested on real servers and devices where there are any; CoreMIDI and WinMM are written to RtMidi's
documentation and have not been tried on their systems.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from improviser.core.addresses.port_choice import AUTO, VIRTUAL, hardware_among, pick, without_client_number
from improviser.errors import MidiSystemError, PortError
from improviser.ports.interface import JACK_APIS, Listener, Receipts
from improviser.ports.jack_library import Missing, find_jack, load_jack
from improviser.threads import remember_this_thread


@dataclass(frozen=True, slots=True)
class Backend:
    """One of RtMidi's backends: its name here, RtMidi's constant for it, and what its users need to know."""

    name: str
    title: str
    constant: str
    has_virtual_ports: bool
    remedy: str
    tried: bool = True
    """Whether `--api auto` tries it."""


BACKENDS = (
    Backend("jack", "JACK", "API_UNIX_JACK", True, "start a JACK server (jackd, or PipeWire's)"),
    Backend("alsa", "ALSA", "API_LINUX_ALSA", True, "load the kernel's sequencer: sudo modprobe snd-seq"),
    Backend("coremidi", "CoreMIDI", "API_MACOSX_CORE", True, "log in to a desktop session"),
    Backend("jack-rtmidi", "JACK through RtMidi", "API_UNIX_JACK", True, "choose --api jack", tried=False),
    Backend("winmm", "Windows MM", "API_WINDOWS_MM", False, "connect a MIDI device, or install loopMIDI"),
)
"""In the order in which `--api auto` tries them. JACK is looked at through RtMidi, but played on by `jack_ports`."""

_RTMIDI_REMEDY = "install it anew (pip install --force-reinstall python-rtmidi)" + (
    " and ALSA's library (on Debian: apt install libasound2)" if sys.platform == "linux" else ""
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what C libraries print, past Python, off the terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        for number, copy in enumerate(saved, start=1):
            os.dup2(copy, number)
            os.close(copy)


def compiled_backends() -> list[Backend]:
    """Return the backends that RtMidi was compiled with here, in the order in which they are tried.

    :raises MidiSystemError: if RtMidi cannot be loaded: its Linux build needs ALSA's library, even to speak JACK.
    """
    try:
        import rtmidi

        compiled = set(rtmidi.get_compiled_api())
    except (ImportError, OSError, AttributeError) as error:  # AttributeError: another module of this name
        problem = " ".join(str(error).split())
        raise MidiSystemError(f"RtMidi cannot be loaded ({problem}); {_RTMIDI_REMEDY}") from error

    return [backend for backend in BACKENDS if getattr(rtmidi, backend.constant) in compiled]


def backends_for(api: str) -> list[Backend]:
    """Return the backends to try for `--api` (a name, or "auto").

    :raises PortError: if there is no API of that name, or it is not for this system.
    """
    compiled = compiled_backends()
    if api == AUTO:
        return [backend for backend in compiled if backend.tried]
    chosen = [backend for backend in compiled if backend.name == api]
    if not chosen:
        there_are = ", ".join([AUTO, *(backend.name for backend in compiled)])
        raise PortError(f"MIDI API {api!r} is not available on this system; use one of {there_are}")
    return chosen


@dataclass(frozen=True, slots=True)
class ApiReport:
    """What `improviser ports` tells of one API: its ports, or why there are none and what to do."""

    api: str
    title: str
    available: bool
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""


def survey() -> list[ApiReport]:
    """Look at every API that is compiled in, and list the ports one can play from (inputs) and to (outputs)."""
    return [_survey_one(backend) for backend in backends_for(AUTO)]


def _survey_one(backend: Backend) -> ApiReport:
    import rtmidi

    if backend.name == "jack" and isinstance(missing := find_jack(), Missing):
        problem, remedy = missing.problem, missing.remedy
        return ApiReport(backend.name, backend.title, available=False, problem=problem, remedy=remedy)
    constant = getattr(rtmidi, backend.constant)
    try:
        with quiet():
            midi_in = rtmidi.MidiIn(constant, "improviser ports")
            midi_out = rtmidi.MidiOut(constant, "improviser ports")
            inputs, outputs = tuple(midi_in.get_ports()), tuple(midi_out.get_ports())
            midi_in.delete()
            midi_out.delete()
    except rtmidi.RtMidiError as error:
        problem = " ".join(str(error).split())
        return ApiReport(backend.name, backend.title, available=False, problem=problem, remedy=backend.remedy)
    return ApiReport(backend.name, backend.title, available=True, inputs=inputs, outputs=outputs)


def ports_present(api: str, input_name: str, output_name: str) -> tuple[bool, bool]:
    """Return whether a named input and output of `api` are there; a virtual port always is.

    ALSA's client numbers, at the end of a name, may be others after a device was plugged in again.
    """
    (report,) = [_survey_one(backend) for backend in backends_for(api)]

    def is_there(name: str, names: Sequence[str]) -> bool:
        return name == VIRTUAL or without_client_number(name) in map(without_client_number, names)

    return is_there(input_name, report.inputs), is_there(output_name, report.outputs)


class RtMidiPorts:
    """An input and an output of one RtMidi backend, which says nothing of what becomes of messages.

    On JACK both are always ports of our own, named `in` and `out`: the daemon connects them, and can so restore any
    connection. Elsewhere a named port is opened directly.

    :raises PortError: if a name matches nothing, or a virtual port is asked of a system that has none.
    :raises MidiSystemError: if the backend does not work here.
    """

    lost = hurried = mute = False

    def __init__(self, backend: Backend, client: str, input_choice: str, output_choice: str) -> None:
        import rtmidi

        if backend.name in JACK_APIS:
            load_jack()  # the daemon's wiring needs it: without it nothing could be connected
        self.api = backend.name
        self.client = ""
        self.loses = backend.name in JACK_APIS  # it may, and RtMidi does not tell
        self.receipts = Receipts() if self.loses else None
        self._midi_in: Any = None
        self._midi_out: Any = None
        constant = getattr(rtmidi, backend.constant)
        try:
            self._midi_in = rtmidi.MidiIn(constant, client)
            self._midi_out = rtmidi.MidiOut(constant, client)
            self.input = self._open(self._midi_in, backend, input_choice, "input")
            self.output = self._open(self._midi_out, backend, output_choice, "output")
        except rtmidi.RtMidiError as error:
            self.close()
            problem = " ".join(str(error).split())
            raise MidiSystemError(f"{backend.title} does not work here ({problem}); {backend.remedy}") from error
        except PortError:
            self.close()
            raise

    @staticmethod
    def _open(port: Any, backend: Backend, choice: str, direction: str) -> str:
        own_name = "in" if direction == "input" else "out"
        if backend.name in JACK_APIS:
            port.open_virtual_port(own_name)
            return VIRTUAL
        names = port.get_ports()
        name = pick(choice, names, hardware_among(names, backend.name), direction)
        if name is not None:
            port.open_port(names.index(name), own_name)
            return name
        if not backend.has_virtual_ports:
            raise PortError(
                f"{backend.title} has no virtual ports; install loopMIDI and name its port, or name one of: "
                f"{', '.join(map(repr, names)) or 'none'} (--{direction})"
            )
        port.open_virtual_port(own_name)
        return VIRTUAL

    def listen(self, listener: Listener) -> None:
        """Call `listener` from RtMidi's thread, with all but SysEx (and, until it is asked for, the clock)."""
        remembered: set[int] = set()

        def hear(timed: tuple[list[int], float], _: object) -> None:
            thread = threading.get_ident()
            if thread not in remembered:
                remembered.add(thread)
                remember_this_thread()
            listener(bytes(timed[0]), 0.0)

        self._midi_in.set_callback(hear)

    def heed_clock(self, *, heed: bool) -> None:
        """Let MIDI clock in, or keep it out; SysEx stays out, and active sensing comes in."""
        self._midi_in.ignore_types(sysex=True, timing=not heed, active_sense=False)

    def send(self, message: bytes) -> None:
        """Send a raw message; may block for ever once a JACK server is lost, so the daemon watches."""
        self._midi_out.send_message(message)
        if self.receipts is not None:
            self.receipts.left.append((1, time.perf_counter()))

    def close(self) -> None:
        """Close both ports; RtMidi lets go of what was sent first."""
        if self._midi_in is not None:
            self._midi_in.cancel_callback()
            self._midi_in.close_port()
            self._midi_in.delete()
        if self._midi_out is not None:
            self._midi_out.close_port()
            self._midi_out.delete()
        self._midi_in = self._midi_out = None
