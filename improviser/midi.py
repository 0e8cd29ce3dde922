"""MIDI ports of every backend behind one interface: JACK, ALSA, CoreMIDI, WinMM, and a loopback without any.

JACK and ALSA are tested on real servers and devices where there are any; CoreMIDI and WinMM are written to RtMidi's
documentation and have not been tried on their systems.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import mido

from improviser.core.event import (
    ChannelPressure,
    ControlChange,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
)
from improviser.core.port_choice import AUTO, VIRTUAL, hardware_among, pick, without_client_number
from improviser.errors import MidiSystemError, PortError

LOOPBACK = "loopback"

Listener = Callable[[Sequence[int]], None]


def decode(message: Sequence[int]) -> Event | None:
    """Return what a raw MIDI message says, or None if it says nothing the performer listens to.

    A note-on of velocity 0 is a note-off (MIDI 1.0).
    """
    try:
        said = mido.Message.from_bytes(message)
    except (ValueError, TypeError, IndexError, KeyError):
        return None
    match said.type:
        case "note_on" if said.velocity:
            return NoteOn(said.channel, said.note, said.velocity)
        case "note_on":
            return NoteOff(said.channel, said.note)
        case "note_off":
            return NoteOff(said.channel, said.note, said.velocity)
        case "control_change":
            return ControlChange(said.channel, said.control, said.value)
        case "pitchwheel":
            return PitchBend(said.channel, said.pitch)
        case "aftertouch":
            return ChannelPressure(said.channel, said.value)
        case "polytouch":
            return KeyPressure(said.channel, said.note, said.value)
        case "program_change":
            return ProgramChange(said.channel, said.program)
        case _:
            return None


def encode(event: Event) -> bytes:
    """Return `event` as a raw MIDI message."""
    match event:
        case NoteOn(channel, pitch, velocity):
            said = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
        case NoteOff(channel, pitch, velocity):
            said = mido.Message("note_off", channel=channel, note=pitch, velocity=velocity)
        case ControlChange(channel, control, value):
            said = mido.Message("control_change", channel=channel, control=control, value=value)
        case PitchBend(channel, value):
            said = mido.Message("pitchwheel", channel=channel, pitch=value)
        case ChannelPressure(channel, value):
            said = mido.Message("aftertouch", channel=channel, value=value)
        case KeyPressure(channel, pitch, value):
            said = mido.Message("polytouch", channel=channel, note=pitch, value=value)
        case ProgramChange(channel, program):
            said = mido.Message("program_change", channel=channel, program=program)
    return bytes(said.bytes())


class Ports(Protocol):
    """An open input and an open output."""

    api: str
    input: str
    output: str

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every message that comes in, from a thread of the backend's own."""

    def send(self, message: bytes) -> None:
        """Send a raw message."""

    def close(self) -> None:
        """Close both, after what was sent has left."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One of RtMidi's backends: its name here, RtMidi's constant for it, and what its users need to know."""

    name: str
    title: str
    constant: str
    has_virtual_ports: bool
    remedy: str


BACKENDS = (
    Backend("jack", "JACK", "API_UNIX_JACK", True, "start a JACK server (jackd, or PipeWire's)"),
    Backend("alsa", "ALSA", "API_LINUX_ALSA", True, "load the kernel's sequencer: sudo modprobe snd-seq"),
    Backend("coremidi", "CoreMIDI", "API_MACOSX_CORE", True, "log in to a desktop session"),
    Backend("winmm", "Windows MM", "API_WINDOWS_MM", False, "connect a MIDI device, or install loopMIDI"),
)
"""In the order in which `--api auto` tries them."""


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
    except ImportError as error:
        raise MidiSystemError(
            f"RtMidi cannot be loaded ({error}); install ALSA's library (on Debian: apt install libasound2)"
        ) from error

    compiled = set(rtmidi.get_compiled_api())
    return [backend for backend in BACKENDS if getattr(rtmidi, backend.constant) in compiled]


def backends_for(api: str) -> list[Backend]:
    """Return the backends to try for `--api` (a name, or "auto").

    :raises PortError: if there is no API of that name, or it is not for this system.
    """
    compiled = compiled_backends()
    if api == AUTO:
        return compiled
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
    return [_survey_one(backend) for backend in compiled_backends()]


def _survey_one(backend: Backend) -> ApiReport:
    import rtmidi

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


class LoopbackPorts:
    """Ports without a MIDI system: what goes in comes from the daemon, what goes out is what the engine reports."""

    def __init__(self) -> None:
        self.api = self.input = self.output = LOOPBACK

    def listen(self, listener: Listener) -> None:
        """Nothing comes in but what the daemon sends as commands."""

    def send(self, message: bytes) -> None:
        """Do nothing: the engine reports what it played."""

    def close(self) -> None:
        """Nothing is open."""


class RtMidiPorts:
    """An input and an output of one RtMidi backend.

    On JACK both are always ports of our own, named `in` and `out`: the daemon connects them, and can so restore any
    connection. Elsewhere a named port is opened directly.

    :raises PortError: if a name matches nothing, or a virtual port is asked of a system that has none.
    :raises MidiSystemError: if the backend does not work here.
    """

    def __init__(self, backend: Backend, client: str, input_choice: str, output_choice: str) -> None:
        import rtmidi

        self.api = backend.name
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
        if backend.name == "jack":
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
        """Call `listener` from RtMidi's thread; SysEx, clock and active sensing stay out."""
        self._midi_in.set_callback(lambda timed, _: listener(timed[0]))

    def send(self, message: bytes) -> None:
        """Send a raw message; may block for ever once a JACK server is lost, so the daemon watches."""
        self._midi_out.send_message(message)

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


def open_ports(api: str, client: str, input_choice: str, output_choice: str) -> Ports:
    """Open an input and an output on `api`, or on the first that works if that is "auto".

    :raises PortError: if a name matches nothing.
    :raises MidiSystemError: if no API works; it says for each what to do.
    """
    if api == LOOPBACK:
        return LoopbackPorts()
    problems: list[MidiSystemError] = []
    for backend in backends_for(api):
        try:
            return RtMidiPorts(backend, client, input_choice, output_choice)
        except MidiSystemError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    tried = "; ".join(str(problem) for problem in problems) or "RtMidi was compiled without any"
    raise MidiSystemError(f"no MIDI system works here: {tried}. Without one, try: improviser demo")
