"""Opening an input and an output on the MIDI system that was asked for, or on the first that works."""

from collections.abc import Collection, Sequence

from improviser.core.addresses.port_choice import AUTO
from improviser.errors import MidiSystemError, NotServedError
from improviser.ports.backends import JACK, PLAY_WITHOUT, backends_for, rtmidi_backends
from improviser.ports.interface import JACK_APIS, LOOPBACK, LoopbackPorts, Ports
from improviser.ports.jack_client import JackPorts
from improviser.ports.jack_library import load_jack, share_library
from improviser.ports.rtmidi_backend import RtMidiPorts


def open_ports(
    api: str,
    client: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    jack_server: str = "",
    *,
    patient: bool = False,
    spare: Collection[str] = (),
) -> Ports:
    """Open inputs and outputs on `api`, or on the first that works if that is "auto".

    :param inputs, outputs: what was chosen for each.
    :param jack_server: which server of JACK's to speak to, "jackd" or "PipeWire"; whichever answers if not given.
    :param patient: of several, open those that are there.
    :param spare: which directions may go without a port on a system without virtual ones, see `RtMidiPorts`.
    :raises PortError: if a name matches nothing.
    :raises MidiSystemError: if no API works; it says for each what to do.
    """
    if api == LOOPBACK:
        return LoopbackPorts()
    if api in JACK_APIS and api != JACK:
        share_library(jack_server)
    problems: list[MidiSystemError] = []
    for backend in backends_for(api):
        try:
            if backend.name == JACK:
                return JackPorts(load_jack(jack_server), client, len(inputs))
            return RtMidiPorts(backend, client, inputs, outputs, patient=patient, spare=spare)
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
    raise MidiSystemError(f"no MIDI system works here: {tried}. {PLAY_WITHOUT}")
