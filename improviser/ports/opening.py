"""Opening an input and an output on the MIDI system that was asked for, or on the first that works."""

from collections.abc import Sequence

from improviser.core.addresses.port_choice import AUTO
from improviser.errors import MidiSystemError, NotServedError
from improviser.ports.backends import JACK, Backend, backends_for, rtmidi_backends
from improviser.ports.interface import LOOPBACK, LoopbackPorts, Ports
from improviser.ports.jack_client import JackPorts
from improviser.ports.jack_library import load_jack
from improviser.ports.rtmidi_backend import RtMidiPorts


def open_ports(api: str, client: str, inputs: Sequence[str], outputs: Sequence[str], *, patient: bool = False) -> Ports:
    """Open inputs and outputs on `api`, or on the first that works if that is "auto".

    :param inputs, outputs: what was chosen for each.
    :param patient: of several, open those that are there.
    :raises PortError: if a name matches nothing.
    :raises MidiSystemError: if no API works; it says for each what to do.
    """
    if api == LOOPBACK:
        return LoopbackPorts()
    problems: list[MidiSystemError] = []
    for backend in backends_for(api):
        try:
            return _open(backend, client, inputs, outputs, patient=patient)
        except NotServedError:
            raise  # it is there: another try, and no other system
        except MidiSystemError as error:
            problems.append(error)
    if api == AUTO:
        try:
            rtmidi_backends()
        except MidiSystemError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    tried = "; ".join(str(problem) for problem in problems) or "RtMidi was compiled without any"
    raise MidiSystemError(f"no MIDI system works here: {tried}. Without one, try: improviser demo")


def _open(backend: Backend, client: str, inputs: Sequence[str], outputs: Sequence[str], *, patient: bool) -> Ports:
    if backend.name == JACK:
        return JackPorts(load_jack(), client, len(inputs))
    return RtMidiPorts(backend, client, inputs, outputs, patient=patient)
