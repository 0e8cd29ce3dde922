"""MIDI ports through RtMidi: ALSA, CoreMIDI, Windows MM, and JACK where it is asked for by name.

ALSA is tested on real devices where there are any, WinMM under Wine on stand-ins for devices (`tests/on_windows`);
CoreMIDI is written to RtMidi's documentation and has not been tried on its system.
"""

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from improviser.core.addresses.devices import not_its_own_partner
from improviser.core.addresses.port_choice import (
    ABSENT,
    AUTO,
    MOST_SHARED_NAME_BYTES,
    VIRTUAL,
    cut_name,
    left_out,
    own_names,
    pick_each,
    read_name,
    told_apart,
)
from improviser.errors import MidiSystemError, PortError
from improviser.ports.backends import PLAY_WITHOUT, Backend
from improviser.ports.interface import JACK_APIS, Answered, Listener, Receipts
from improviser.ports.jack_library import load_jack
from improviser.ports.polled_input import QUEUE_MESSAGES, PolledInput
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


OWN_SYNTHESISER = re.compile("microsoft (gs|midi)", re.IGNORECASE)
"""The one that comes with Windows."""
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
    """Inputs and outputs of one RtMidi backend, which says nothing of what becomes of messages.

    On JACK they are always ports of our own, `in`, `in_2` … and one `out`: the daemon connects them, and can so restore
    any connection. Elsewhere a named port is opened directly.

    :param inputs, outputs: what was chosen for each.
    :param patient: if several are chosen, open the ports that exist.
    :param spare: the directions, "input" and "output", that may go without a port where the system has no virtual ones.
    :raises PortError: if a name matches nothing, or a virtual port is asked of a system that has none.
    :raises MidiSystemError: if the backend does not work here.
    """

    lost = hurried = mute = False

    def __init__(
        self,
        backend: Backend,
        client: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        patient: bool = False,
        spare: Collection[str] = (),
    ) -> None:
        rtmidi = load_rtmidi()
        if backend.name in JACK_APIS:
            load_jack()  # the daemon's patchbay needs it: without it nothing could be connected
            outputs = [VIRTUAL]
        self.api = backend.name
        self.client = ""
        self.loses = backend.name in JACK_APIS  # it may, and RtMidi does not tell
        self.receipts = Receipts() if self.loses else None
        self._errors: tuple[type[Exception], ...] = (rtmidi.RtMidiError, OSError)
        self.remarks: Sequence[str] = ()
        self._ins: list[Any] = []
        self._polled: list[PolledInput] = []
        self._outs: list[Any] = []
        constant = getattr(rtmidi, backend.constant)
        name = cut_name(client, MOST_SHARED_NAME_BYTES)  # all have it, so that JACK adds a number to one
        try:
            for _ in inputs:
                self._ins.append(open_input(rtmidi, backend, name))
            for _ in outputs:
                self._outs.append(rtmidi.MidiOut(constant, name))
            hears, others_in = _open(self._ins, self._outs, backend, inputs, "input", patient=patient, spare=spare)
            plays, others_out = _open(self._outs, self._ins, backend, outputs, "output", patient=patient, spare=spare)
        except rtmidi.RtMidiError as error:
            self.close()
            problem = " ".join(str(error).split())
            raise MidiSystemError(f"{backend.title} does not work here ({problem}); {backend.remedy}") from error
        except PortError:
            self.close()
            raise
        self.inputs: Sequence[str] = hears
        self.outputs: Sequence[str] = plays
        self.remarks = [line for line in (others_in, others_out) if line is not None]
        self._sending = [out for out, name in zip(self._outs, plays, strict=True) if name != ABSENT]

    def listen(self, listener: Listener, answered: Answered) -> None:
        """Call `listener` from RtMidi's threads, with all but SysEx (and, until it is asked for, the clock).

        On JACK, it is called from threads of ours: see `polled_input`.
        """
        for number, midi_in in enumerate(self._ins):
            hear = _hearing(listener, answered, number)
            if self.api in JACK_APIS:
                self._polled.append(PolledInput(midi_in, hear))
            else:
                midi_in.set_callback(_called_back(hear))

    def hand_over(self) -> None:
        """Do nothing: RtMidi hands over each message by itself."""

    def heed_clock(self, *, heed: bool) -> None:
        """Let MIDI clock in, or keep it out; SysEx stays out, and active sensing comes in."""
        for midi_in in self._ins:
            midi_in.ignore_types(sysex=True, timing=not heed, active_sense=False)

    def send(self, message: bytes) -> None:
        """Send a raw message; may block for ever once a JACK server is lost, so the daemon watches.

        Of several outputs one may fail: the others get it all the same.
        """
        failures: list[Exception] = []
        for midi_out in self._sending:
            try:
                midi_out.send_message(message)
            except self._errors as error:
                failures.append(error)
        if failures and len(failures) == len(self._sending):
            raise failures[0]
        if self.receipts is not None:
            self.receipts.left.append((1, time.perf_counter()))

    def close(self) -> None:
        """Close all ports; RtMidi lets go of what was sent first.

        The outputs go first: to close an input with a callback may take for ever (see `polled_input`), until the daemon
        ends us; by then all that was sent has left.
        """
        for polled in self._polled:
            polled.close()
        for midi_in in () if self._polled else self._ins:
            midi_in.cancel_callback()
        for port in (*self._outs, *self._ins):
            port.close_port()
            port.delete()
        self._ins, self._outs, self._sending, self._polled = [], [], [], []


def _open(
    ports: Sequence[Any],
    opposite: Sequence[Any],
    backend: Backend,
    choices: Sequence[str],
    direction: str,
    *,
    patient: bool,
    spare: Collection[str],
) -> tuple[list[str], str | None]:
    """Open a port for each choice; return what each is connected to, and what else "auto" could have taken.

    :param opposite: those of the other direction.
    :param spare: the directions that may go without a port.
    :raises PortError: if a name matches nothing, or a virtual port is asked of a system that has none.
    """
    picked: Sequence[str | None] = [None] * len(ports)
    names: list[str] = []
    hardware: list[str] = []
    if backend.name not in JACK_APIS:
        names = port_names(ports[0])
        hardware = not_its_own_partner(names, port_names(opposite[0]), backend.name)
        picked = pick_each(choices, names, hardware, direction, patient=patient)
    if None in picked and not backend.has_virtual_ports:
        if direction in spare:
            picked = [ABSENT if name is None else name for name in picked]
        else:
            picked = instead_of_virtual(choices, names, hardware, direction, backend.title)
    own = own_names("in" if direction == "input" else "out", len(ports))
    for port, name, own_name in zip(ports, picked, own, strict=True):
        if name is None:
            port.open_virtual_port(own_name)
        elif name != ABSENT:
            port.open_port(names.index(name), own_name)
    return [VIRTUAL if name is None else name for name in picked], left_out(choices, picked, hardware, direction)


def instead_of_virtual(
    choices: Sequence[str],
    names: Sequence[str],
    hardware: Sequence[str],
    direction: str,
    title: str,
) -> list[str]:
    """Return what is taken on a system without virtual ports: its own synthesiser, if no device is there to play to.

    :raises PortError: if that is not what is wanted, or there is none; it says what to do.
    """
    synthesiser = next((name for name in names if OWN_SYNTHESISER.search(name)), None)
    if direction == "output" and synthesiser is not None and not hardware and [*choices] == [AUTO]:
        return [synthesiser]
    there_are = f", or name one of: {', '.join(map(repr, names))}" if names else ""
    lacks = "" if names or direction == "output" else ", and no keyboard is connected"
    without = f". {PLAY_WITHOUT}" if direction == "input" else ""
    raise PortError(
        f"{title} has no virtual ports{lacks}; install loopMIDI and name its port{there_are} (--{direction}){without}"
    )


def open_input(rtmidi: Any, backend: Backend, name: str) -> Any:
    """Return an input of a client, which on JACK has room for what is not heard at once."""
    constant = getattr(rtmidi, backend.constant)
    return rtmidi.MidiIn(constant, name, QUEUE_MESSAGES) if backend.name in JACK_APIS else rtmidi.MidiIn(constant, name)


def _hearing(listener: Listener, answered: Answered, number: int) -> Callable[[bytes], None]:
    """Return what is to be called with each message of input `number`."""

    def hear(message: bytes) -> None:
        listener(message, 0.0, number)
        answered(heard=True)

    return hear


def _called_back(hear: Callable[[bytes], None]) -> Callable[[tuple[list[int], float], object], None]:
    """Return what RtMidi is to call, from a thread of its own, so that `hear` is called with each message."""
    remembered: set[int] = set()

    def call(timed: tuple[list[int], float], _: object) -> None:
        thread = threading.get_ident()
        if thread not in remembered:
            remembered.add(thread)
            remember_this_thread()
        hear(bytes(timed[0]))

    return call
