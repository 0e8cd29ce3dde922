"""A look at the MIDI systems of this machine and their ports, without opening any for playing."""

from dataclasses import dataclass

from improviser.core.addresses.port_choice import AUTO
from improviser.errors import MidiSystemError
from improviser.ports.backends import JACK, Backend, backends_for, rtmidi_backends
from improviser.ports.jack_choice import choose
from improviser.ports.jack_library import Missing, find_jack, server_of
from improviser.ports.rtmidi_backend import port_names, quiet
from improviser.ports.rtmidi_library import load_rtmidi, remedy

CLIENT = "improviser-ports"


@dataclass(frozen=True, slots=True)
class ApiReport:
    """What `improviser ports` tells of one API: its ports, or why there are none and what to do.

    :param reason: why it is spoken to in this way, where there is another.
    :param has_virtual_ports: whether we can open ports there that others connect to.
    """

    api: str
    title: str
    available: bool
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""
    reason: str = ""
    has_virtual_ports: bool = True


def survey() -> list[ApiReport]:
    """Look at every API that there is a library for, and list the ports one can play from (inputs) and to (outputs)."""
    reports = [_survey_one(backend) for backend in backends_for(AUTO)]
    try:
        rtmidi_backends()
    except MidiSystemError as error:
        problem = str(error).partition("; ")[0]
        reports.append(ApiReport("rtmidi", "RtMidi", available=False, problem=problem, remedy=remedy()))
    return reports


def _survey_one(backend: Backend) -> ApiReport:
    return _survey_jack(backend) if backend.name == JACK else _survey_rtmidi(backend)


def _survey_jack(backend: Backend) -> ApiReport:
    choice = choose()
    jack = find_jack(choice)
    if isinstance(jack, Missing):
        return ApiReport(
            JACK, backend.title, available=False, problem=jack.problem, remedy=jack.remedy, reason=choice.reason
        )
    try:
        client = jack.Client(CLIENT, no_start_server=True)
    except jack.JackError:
        problem, remedy = choice.reason or "no server answers", choice.remedy or backend.remedy
        return ApiReport(JACK, backend.title, available=False, problem=problem, remedy=remedy, reason=choice.reason)
    server = server_of(jack)
    title = f"{backend.title} ({server})" if server else backend.title
    try:
        inputs = tuple(port.name for port in client.get_ports(is_midi=True, is_output=True))
        outputs = tuple(port.name for port in client.get_ports(is_midi=True, is_input=True))
    except jack.JackError as error:
        return ApiReport(JACK, title, available=False, problem=str(error), remedy="look again", reason=choice.reason)
    finally:
        client.close()
    return ApiReport(JACK, title, available=True, inputs=inputs, outputs=outputs, reason=choice.reason)


def _survey_rtmidi(backend: Backend) -> ApiReport:
    rtmidi = load_rtmidi()
    constant = getattr(rtmidi, backend.constant)
    try:
        with quiet():
            midi_in = rtmidi.MidiIn(constant, CLIENT)
            midi_out = rtmidi.MidiOut(constant, CLIENT)
            inputs, outputs = tuple(port_names(midi_in)), tuple(port_names(midi_out))
            midi_in.delete()
            midi_out.delete()
    except rtmidi.RtMidiError as error:
        problem = " ".join(str(error).split())
        return ApiReport(backend.name, backend.title, available=False, problem=problem, remedy=backend.remedy)
    return ApiReport(
        backend.name,
        backend.title,
        available=True,
        inputs=inputs,
        outputs=outputs,
        has_virtual_ports=backend.has_virtual_ports,
    )


def ports_there(api: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the inputs and of the outputs of `api` that are there."""
    (report,) = [_survey_one(backend) for backend in backends_for(api)]
    return report.inputs, report.outputs
