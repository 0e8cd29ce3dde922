"""MIDI ports through RtMidi: ALSA, CoreMIDI, Windows MM, and JACK where it is asked for by name.

ALSA is tested on real devices where there are any; CoreMIDI and WinMM are written to RtMidi's documentation and have
not been tried on their systems.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from improviser.core.addresses.devices import one_of_each_device
from improviser.core.addresses.port_choice import MOST_SHARED_NAME_BYTES, VIRTUAL, cut_name, pick, read_name, told_apart
from improviser.errors import MidiSystemError, PortError
from improviser.ports.backends import Backend
from improviser.ports.interface import JACK_APIS, Answered, Listener, Receipts
from improviser.ports.jack_library import load_jack
from improviser.ports.rtmidi_library import load_rtmidi
from improviser.threads import remember_this_thread


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


LEGACY = {"win32": "cp1252", "darwin": "mac_roman"}.get(sys.platform, "latin-1")
"""How names are read that are no UTF-8."""


def port_names(port: Any) -> list[str]:
    """Return the names of the ports that an RtMidi object sees, in its order: each has one, and none is there twice.

    RtMidi gives UTF-8 everywhere; python-rtmidi by itself reads it as Latin-1 on Windows and as Mac Roman on macOS, and
    gives None for a port without a name.
    """
    raw = port.get_ports(encoding=None)
    return told_apart([read_name(name, number, LEGACY) for number, name in enumerate(raw)])


class RtMidiPorts:
    """An input and an output of one RtMidi backend, which says nothing of what becomes of messages.

    On JACK both are always ports of our own, named `in` and `out`: the daemon connects them, and can so restore any
    connection. Elsewhere a named port is opened directly.

    :raises PortError: if a name matches nothing, or a virtual port is asked of a system that has none.
    :raises MidiSystemError: if the backend does not work here.
    """

    lost = hurried = mute = False

    def __init__(self, backend: Backend, client: str, input_choice: str, output_choice: str) -> None:
        rtmidi = load_rtmidi()
        if backend.name in JACK_APIS:
            load_jack()  # the daemon's patchbay needs it: without it nothing could be connected
        self.api = backend.name
        self.client = ""
        self.loses = backend.name in JACK_APIS  # it may, and RtMidi does not tell
        self.receipts = Receipts() if self.loses else None
        self._midi_in: Any = None
        self._midi_out: Any = None
        constant = getattr(rtmidi, backend.constant)
        try:
            name = cut_name(client, MOST_SHARED_NAME_BYTES)  # both have it, so that JACK adds a number to one
            self._midi_in = rtmidi.MidiIn(constant, name)
            self._midi_out = rtmidi.MidiOut(constant, name)
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
        names = port_names(port)
        name = pick(choice, names, one_of_each_device(names, backend.name), direction)
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

    def listen(self, listener: Listener, answered: Answered) -> None:
        """Call `listener` from RtMidi's thread, with all but SysEx (and, until it is asked for, the clock)."""
        remembered: set[int] = set()

        def hear(timed: tuple[list[int], float], _: object) -> None:
            thread = threading.get_ident()
            if thread not in remembered:
                remembered.add(thread)
                remember_this_thread()
            listener(bytes(timed[0]), 0.0)
            answered(heard=True)

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
