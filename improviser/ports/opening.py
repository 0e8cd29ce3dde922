"""Opening an input and an output on the MIDI system that was asked for, or on the first that works."""

from improviser.core.addresses.port_choice import AUTO
from improviser.errors import MidiSystemError, NotServedError
from improviser.ports.backends import JACK, Backend, backends_for, rtmidi_backends
from improviser.ports.interface import JACK_APIS, LOOPBACK, LoopbackPorts, Ports
from improviser.ports.jack_client import JackPorts
from improviser.ports.jack_library import load_jack, share_library
from improviser.ports.rtmidi_backend import RtMidiPorts


def open_ports(api: str, client: str, input_choice: str, output_choice: str, jack_server: str = "") -> Ports:
    """Open an input and an output on `api`, or on the first that works if that is "auto".

    :param jack_server: which server of JACK's to speak to, "jackd" or "PipeWire"; whichever answers if not given.
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
            return _open(backend, client, input_choice, output_choice, jack_server)
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
    raise MidiSystemError(
        f"no MIDI system works here: {tried}. Without one, try: improviser play --web, or improviser demo"
    )


def _open(backend: Backend, client: str, input_choice: str, output_choice: str, jack_server: str) -> Ports:
    if backend.name == JACK:
        return JackPorts(load_jack(jack_server), client)
    return RtMidiPorts(backend, client, input_choice, output_choice)
