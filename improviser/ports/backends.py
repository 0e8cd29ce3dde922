"""The MIDI systems there may be: their names for `--api`, which of them there is a library for here, and remedies."""

import sys
from dataclasses import dataclass

from improviser.core.addresses.port_choice import AUTO
from improviser.errors import MidiSystemError, PortError
from improviser.ports.rtmidi_library import load_rtmidi

JACK = "jack"
PLAY_WITHOUT = (
    "To play without one: improviser play --web open (in a browser), or improviser play --input computer --sound (the "
    "computer's keys)"
)
"""What is left where there is no MIDI system, or no keyboard."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One MIDI system: its name here, RtMidi's constant for it, and what its users need to know."""

    name: str
    title: str
    constant: str
    """Empty where RtMidi has no part in it."""
    has_virtual_ports: bool
    remedy: str
    tried: bool = True
    """Whether `--api auto` tries it."""


BACKENDS = (
    Backend(JACK, "JACK", "", True, "start a JACK server (jackd, or PipeWire)"),
    Backend("alsa", "ALSA", "API_LINUX_ALSA", True, "load the kernel's sequencer: sudo modprobe snd-seq"),
    Backend("coremidi", "CoreMIDI", "API_MACOSX_CORE", True, "log in to a desktop session"),
    Backend("winmm", "Windows MM", "API_WINDOWS_MM", False, "connect a MIDI device, or install loopMIDI"),
    Backend("jack-rtmidi", "JACK through RtMidi", "API_UNIX_JACK", True, "choose --api jack", tried=False),
)
"""In the order in which `--api auto` tries them."""


def rtmidi_backends() -> list[Backend]:
    """Return the backends that RtMidi was compiled with here.

    :raises MidiSystemError: if RtMidi cannot be loaded: its Linux build needs ALSA's library, whatever it speaks to.
    """
    rtmidi = load_rtmidi()
    compiled = set(rtmidi.get_compiled_api())
    return [backend for backend in BACKENDS if backend.constant and getattr(rtmidi, backend.constant) in compiled]


def backends_here() -> list[Backend]:
    """Return the backends that there is a library for, in the order in which they are tried.

    :raises MidiSystemError: if there is none.
    """
    own = [backend for backend in BACKENDS if backend.name == JACK and sys.platform == "linux"]
    try:
        return own + rtmidi_backends()
    except MidiSystemError:
        if not own:
            raise
        return own


def backends_for(api: str) -> list[Backend]:
    """Return the backends to try for `--api` (a name, or "auto").

    :raises PortError: if there is no API of that name, or it is not for this system.
    :raises MidiSystemError: if its library cannot be loaded.
    """
    here = backends_here()
    if api == AUTO:
        return [backend for backend in here if backend.tried]
    chosen = [backend for backend in here if backend.name == api]
    if not chosen:
        if any(backend.name == api for backend in BACKENDS):
            rtmidi_backends()
        there_are = ", ".join([AUTO, *(backend.name for backend in here)])
        raise PortError(f"MIDI API {api!r} is not available on this system; use one of {there_are}")
    return chosen
