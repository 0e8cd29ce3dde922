"""MIDI messages and ports: what bytes say, and which port a user means."""

import re
import sys
from collections.abc import Callable, Sequence

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.addresses.devices import not_its_own_partner
from improviser.core.addresses.port_choice import ABSENT, left_out, pick, pick_each
from improviser.core.midi.codec import decode, encode
from improviser.core.midi.event import (
    ChannelPressure,
    ControlChange,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
)
from improviser.errors import MidiSystemError, PortError
from improviser.ports.backends import BACKENDS, backends_for, backends_here, rtmidi_backends
from improviser.ports.jack_library import Missing, find_jack
from improviser.ports.opening import open_ports
from improviser.ports.rtmidi_backend import RtMidiPorts, port_names
from improviser.ports.rtmidi_library import remedy
from improviser.ports.survey import survey
from tests.portable.sitecustomize import STAND_INS

channels = st.integers(0, 15)
values = st.integers(0, 127)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(NoteOn, channels, values, st.integers(1, 127)),
    st.builds(NoteOff, channels, values, values),
    st.builds(ControlChange, channels, values, values),
    st.builds(PitchBend, channels, st.integers(-8192, 8191)),
    st.builds(ChannelPressure, channels, values),
    st.builds(KeyPressure, channels, values, values),
    st.builds(ProgramChange, channels, values),
)


@given(events)
def test_an_event_survives_the_wire(event: Event) -> None:
    assert decode(encode(event)) == event


@given(events)
def test_strangers_read_what_we_write(event: Event) -> None:
    said = mido.Message.from_bytes(encode(event))
    facts = {name: value for name, value in vars(said).items() if name not in ("type", "time")}
    assert sorted(facts.values()) == sorted(getattr(event, name) for name in type(event).__slots__)


@given(st.binary(max_size=8) | st.tuples(st.sampled_from(range(0x80, 0x100)), values, values).map(bytes))
def test_what_is_no_message_to_strangers_is_none_to_us(message: bytes) -> None:
    decoded = decode(message)
    try:
        said = mido.Message.from_bytes(message)
    except (ValueError, IndexError, KeyError):
        assert decoded is None
    else:
        # mido passes over bytes that are too many for a pitch bend; a message of another length is none to us.
        whole = len(message) == len(said.bytes())
        assert (decoded is not None) == (whole and hasattr(said, "channel"))


def test_a_note_on_of_velocity_zero_is_a_note_off() -> None:
    assert decode((0x93, 60, 0)) == NoteOff(3, 60, 64)


PORTS = ["Midi Through Port-0 14:0", "nanoKEY2 KEYBOARD 20:0", "FLUID Synth (12) 128:0", "nanoKEY2 CTRL 20:1"]


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ("virtual", None),
        ("nanokey", "nanoKEY2 KEYBOARD 20:0"),
        ("CTRL", "nanoKEY2 CTRL 20:1"),
        ("fluid", "FLUID Synth (12) 128:0"),
        ("midi through port-0 14:0", "Midi Through Port-0 14:0"),
    ],
)
def test_a_port_is_picked_by_part_of_its_name(choice: str, name: str | None) -> None:
    assert pick(choice, PORTS, [], "input") == name


def test_auto_takes_the_only_device_and_else_a_virtual_port() -> None:
    assert pick("auto", PORTS, ["nanoKEY2 KEYBOARD 20:0"], "input") == "nanoKEY2 KEYBOARD 20:0"
    assert pick("auto", PORTS, ["one", "two"], "input") is None
    assert pick("auto", PORTS, [], "input") is None


def test_a_name_that_fits_nothing_is_an_error_that_lists_what_there_is() -> None:
    with pytest.raises(PortError, match=r"'oboe'.*'nanoKEY2 KEYBOARD 20:0'"):
        pick("oboe", PORTS, [], "input")
    with pytest.raises(PortError, match="no ports at all"):
        pick("oboe", [], [], "input")


def test_auto_takes_the_keys_of_a_keyboard_with_several_ports() -> None:
    assert pick("auto", PORTS, not_its_own_partner(PORTS, (), "alsa"), "input") == "nanoKEY2 KEYBOARD 20:0"


def test_each_of_several_choices_takes_a_port_of_its_own_and_auto_what_is_left() -> None:
    there = ["Keys 20:0", "Keys (2) 24:0", "Organ 28:0"]
    assert pick_each(["keys", "keys"], there, there, "input") == there[:2]
    assert pick_each(["auto", "keys", "keys"], there, there, "input") == [there[2], *there[:2]]
    assert pick_each(["virtual", "organ", "virtual"], there, there, "output") == [None, there[2], None]
    with pytest.raises(PortError, match="no other MIDI input matches 'organ'"):
        pick_each(["organ", "organ"], there, there, "input")


def test_between_what_auto_could_not_choose_is_said_with_how_to_take_it() -> None:
    there = ["My keys 20:0", "Organ", "Pads"]
    said = left_out(["auto"], [None], there, "input")
    assert said is not None
    assert said.endswith(': --input "My keys 20:0" --input "Organ" --input "Pads"')
    assert left_out(["auto"], ["Organ"], ["Organ"], "input") is None
    assert left_out(["Organ"], ["Organ"], there, "input") is None
    assert left_out(["auto"] * 3, there, there, "input") is None
    assert left_out(["auto"], [None], [], "input") is None


def test_with_patience_what_is_there_is_taken_but_something_must_be() -> None:
    assert pick_each(["keys", "oboe"], ["Keys 20:0"], [], "input", patient=True) == ["Keys 20:0", ""]
    for choices in (["oboe"], ["oboe", "viola"]):
        with pytest.raises(PortError, match="'oboe'"):
            pick_each(choices, ["Keys 20:0"], [], "input", patient=True)


class NamedPorts:
    """What RtMidi sees: names as bytes, None where there is none."""

    def __init__(self, *names: bytes | None) -> None:
        self._names = names

    def get_ports(self, encoding: str | None = "auto") -> list[bytes | None]:
        assert encoding is None
        return list(self._names)


def test_names_in_any_script_are_read_and_a_port_without_one_gets_one() -> None:
    ports = NamedPorts("ピアノ".encode(), None, b"", "Clavier é".encode(), "ピアノ".encode(), "ピ".encode()[:-1])
    names = port_names(ports)
    assert names == [
        "ピアノ", "port 2 without a name", "port 3 without a name", "Clavier é", "ピアノ (2)", "port 6 without a name",
    ]  # fmt: skip
    assert pick("port 2", names, [], "input") == names[1]


@pytest.fixture
def rtmidi_loads() -> None:
    try:
        rtmidi_backends()
    except MidiSystemError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("rtmidi_loads")
def test_an_unknown_api_is_an_error_that_lists_what_there_is() -> None:
    with pytest.raises(PortError, match=r"'oss'.*auto"):
        backends_for("oss")


@pytest.mark.usefixtures("rtmidi_loads")
def test_where_no_server_runs_the_message_says_what_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    if "jack" not in [backend.name for backend in backends_here()]:
        pytest.skip("RtMidi has no JACK here")
    if isinstance(missing := find_jack(), Missing):
        pytest.skip(f"there is no JACK here: {missing.problem}")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "improviser-no-such-server")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    with pytest.raises(MidiSystemError, match=r"JACK.*start a JACK server"):
        open_ports("jack", "test", ["virtual"], ["virtual"])
    (report,) = [report for report in survey() if report.api == "jack"]
    assert not report.available
    assert "start a JACK server" in report.remedy


@pytest.mark.unix
def test_where_rtmidi_cannot_be_loaded_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("rtmidi", "rtmidi2"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MidiSystemError, match=re.escape(remedy())):
        rtmidi_backends()


class TestWithoutVirtualPorts:
    """Windows has none: who plays a file, in a browser or on the computer's keys goes on without a port."""

    SYNTHESISER, KEYBOARD = "Microsoft GS Wavetable Synth 0", "Keystation 0"

    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RtMidiPorts]:
        """Return what opens ports there, by a stand-in for RtMidi."""
        rtmidi = STAND_INS["rtmidi"]
        monkeypatch.setattr("improviser.ports.rtmidi_backend.load_rtmidi", lambda: rtmidi)
        (winmm,) = (backend for backend in BACKENDS if backend.name == "winmm")

        def open_them(
            inputs: Sequence[str], outputs: Sequence[str], choices: tuple[str, str], *spare: str
        ) -> RtMidiPorts:
            for kind, names in (("MidiIn", inputs), ("MidiOut", outputs)):
                listed = [name.encode() for name in names]
                monkeypatch.setattr(getattr(rtmidi, kind), "get_ports", lambda _, encoding, listed=listed: listed)
            return RtMidiPorts(winmm, "test", [choices[0]], [choices[1]], spare=spare)

        return open_them

    def test_who_needs_none_goes_on_without(self, opened: Callable[..., RtMidiPorts]) -> None:
        ports = opened([], [], ("virtual", "auto"), "input", "output")
        assert (ports.inputs, ports.outputs) == ([ABSENT], [ABSENT])
        ports.send(b"\x90<@")
        ports.close()

    def test_a_device_that_is_there_is_taken_all_the_same(self, opened: Callable[..., RtMidiPorts]) -> None:
        ports = opened([self.KEYBOARD], [self.SYNTHESISER, "Organ 1"], ("auto", "auto"), "input", "output")
        assert (ports.inputs, ports.outputs) == ([self.KEYBOARD], ["Organ 1"])
        ports.close()

    def test_a_keyboard_alone_is_heard_on_the_system_s_own_synthesiser(
        self, opened: Callable[..., RtMidiPorts]
    ) -> None:
        ports = opened([self.KEYBOARD], [self.SYNTHESISER], ("auto", "auto"))
        assert (ports.inputs, ports.outputs) == ([self.KEYBOARD], [self.SYNTHESISER])
        ports.close()

    def test_without_a_keyboard_the_line_says_what_else_there_is(self, opened: Callable[..., RtMidiPorts]) -> None:
        with pytest.raises(PortError, match=r"no keyboard is connected; install loopMIDI.*--web open"):
            opened([], [self.SYNTHESISER], ("auto", "auto"))
        with pytest.raises(PortError, match=r"no virtual ports; .*'Organ 1' \(--output\)"):
            opened([self.KEYBOARD], [self.SYNTHESISER, "Organ 1"], ("auto", "virtual"))
