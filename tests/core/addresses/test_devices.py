"""Devices by the names of their ports: the lists that real keyboards, and the software around them, show up as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.addresses.devices import not_its_own_partner
from improviser.core.addresses.port_choice import AUTO, pick, told_apart

ALSA = {
    "nothing but Midi Through": (["Midi Through:Midi Through Port-0 14:0"], []),
    "MiniLab 3": (
        [
            "Midi Through:Midi Through Port-0 14:0",
            "Minilab3:Minilab3 Minilab3 MIDI 20:0",
            "Minilab3:Minilab3 Minilab3 DIN THRU 20:1",
            "Minilab3:Minilab3 Minilab3 MCU/HUI 20:2",
            "Minilab3:Minilab3 Minilab3 ALV 20:3",
        ],
        ["Minilab3:Minilab3 Minilab3 MIDI 20:0"],
    ),
    "Keystation": (
        [
            "Midi Through:Midi Through Port-0 14:0",
            "Keystation 61 MK3:Keystation 61 MK3 MIDI 1 24:0",
            "Keystation 61 MK3:Keystation 61 MK3 MIDI 2 24:1",
        ],
        ["Keystation 61 MK3:Keystation 61 MK3 MIDI 1 24:0"],
    ),
    "padKONTROL": (
        ["padKONTROL:padKONTROL MIDI 1 28:0", "padKONTROL:padKONTROL MIDI 2 28:1"],
        ["padKONTROL:padKONTROL MIDI 1 28:0"],
    ),
    "the DAW port comes first": (
        ["Launchkey MK3:Launchkey MK3 DAW 20:0", "Launchkey MK3:Launchkey MK3 MIDI 20:1"],
        ["Launchkey MK3:Launchkey MK3 MIDI 20:1"],
    ),
    "as RtMidi wrote names before": (
        ["nanoKEY2 KEYBOARD 20:0", "nanoKEY2 CTRL 20:1", "FLUID Synth (12) 128:0"],
        ["nanoKEY2 KEYBOARD 20:0"],
    ),
    "VirMIDI": (
        [f"Virtual Raw MIDI 2-{number}:VirMIDI 2-{number} {24 + number}:0" for number in range(4)]
        + ["MPK mini 3:MPK mini 3 MIDI 1 32:0"],
        ["MPK mini 3:MPK mini 3 MIDI 1 32:0"],
    ),
    "programs": (
        [
            "System:Timer 0:0",
            "PipeWire-RT-Event:input 129:0",
            "a2jmidid:port 130:0",
            "VMPK Output:out 131:0",
            "Impact LX61+:Impact LX61+ MIDI 1 20:0",
            "Impact LX61+:Impact LX61+ MIDI 2 20:1",
        ],
        ["Impact LX61+:Impact LX61+ MIDI 1 20:0"],
    ),
    "two of the same": (
        ["Keystation Mini 32:Keystation Mini 32 MIDI 1 20:0", "Keystation Mini 32:Keystation Mini 32 MIDI 1 24:0"],
        ["Keystation Mini 32:Keystation Mini 32 MIDI 1 20:0", "Keystation Mini 32:Keystation Mini 32 MIDI 1 24:0"],
    ),
}

JACK = {
    "a2jmidid": (
        [
            "a2j:Midi Through [14] (capture): Midi Through Port-0",
            "a2j:Minilab3 [20] (capture): Minilab3 Minilab3 MIDI",
            "a2j:Minilab3 [20] (capture): Minilab3 Minilab3 DIN THRU",
            "a2j:VMPK Output [130] (capture): out",
            "a2j:Virtual Raw MIDI 2-0 [24] (capture): VirMIDI 2-0",
        ],
        ["a2j:Minilab3 [20] (capture): Minilab3 Minilab3 MIDI"],
    ),
    "PipeWire's bridge": (
        [
            "Midi-Bridge:Midi Through:(capture_0) Midi Through Port-0",
            "Midi-Bridge:Keystation 61 MK3 2:(capture_0) Keystation 61 MK3 MIDI 1",
            "Midi-Bridge:Keystation 61 MK3 2:(capture_1) Keystation 61 MK3 MIDI 2",
            "Midi-Bridge:Virtual Raw MIDI 3-0 3:(capture_0) VirMIDI 3-0",
        ],
        ["Midi-Bridge:Keystation 61 MK3 2:(capture_0) Keystation 61 MK3 MIDI 1"],
    ),
    "PipeWire's bridge, the control port first": (
        [
            "Midi-Bridge:A-88MKII:(capture_0) A-88MKII DAW CTRL",
            "Midi-Bridge:A-88MKII:(capture_1) A-88MKII",
        ],
        ["Midi-Bridge:A-88MKII:(capture_1) A-88MKII"],
    ),
    "PipeWire without its brackets": (
        ["Midi-Bridge:Midi Through Port-0 (capture)", "Midi-Bridge:KeyStep 37 MIDI 1 (capture)"],
        ["Midi-Bridge:KeyStep 37 MIDI 1 (capture)"],
    ),
    "PipeWire 1.2 and newer, with ALSA's numbers": (
        [
            "Midi-Bridge:[14:0] Midi Through Port-0 (capture)",
            "Midi-Bridge:[24:0] A-88MKII DAW CTRL (capture)",
            "Midi-Bridge:[24:1] A-88MKII (capture)",
            "Midi-Bridge:[28:0] Virtual Raw MIDI 3-0 VirMIDI 3-0 (capture)",
            "Midi-Bridge:[128:0] FLUID Synth (4711) Synth input port (capture)",
        ],
        ["Midi-Bridge:[24:1] A-88MKII (capture)"],
    ),
    "one of each": (
        ["a2j:microKEY-37 [24] (capture): microKEY-37 KEYBOARD", "a2j:Launchpad X [28] (capture): Launchpad X MIDI 1"],
        ["a2j:microKEY-37 [24] (capture): microKEY-37 KEYBOARD", "a2j:Launchpad X [28] (capture): Launchpad X MIDI 1"],
    ),
}

BY_WORDS = {
    "MiniLab 3": (["Minilab3 MIDI", "Minilab3 DIN THRU", "Minilab3 MCU/HUI", "Minilab3 ALV"], ["Minilab3 MIDI"]),
    "MiniLab 3, short": (["Minilab3 ALV", "Minilab3 MCU", "Minilab3 MIDI"], ["Minilab3 MIDI"]),
    "KeyLab": (["KeyLab mkII 61 MIDI", "KeyLab mkII 61 DAW"], ["KeyLab mkII 61 MIDI"]),
    "Launchkey Mini": (
        ["Launchkey Mini MK3 DAW Port", "Launchkey Mini MK3 MIDI Port"], ["Launchkey Mini MK3 MIDI Port"],
    ),
    "Launchkey": (
        ["Launchkey MK3 61 LKMK3 MIDI In", "Launchkey MK3 61 LKMK3 DAW In"],
        ["Launchkey MK3 61 LKMK3 MIDI In"],
    ),
    "Launchkey 2": (
        ["Launchkey MK2 61 Launchkey MIDI", "Launchkey MK2 61 Launchkey InControl"],
        ["Launchkey MK2 61 Launchkey MIDI"],
    ),
    "nanoKEY": (["nanoKEY2 KEYBOARD", "nanoKEY2 CTRL"], ["nanoKEY2 KEYBOARD"]),
    "MPK249": (["MPK249 Port A", "MPK249 Port B", "MPK249 MIDI", "MPK249 Remote"], ["MPK249 Port A"]),
    "MPK mini IV": (
        ["MPK mini IV MIDI Port", "MPK mini IV DAW Port", "MPK mini IV Software Port", "MPK mini IV DIN Port"],
        ["MPK mini IV MIDI Port"],
    ),
    "APC Key": (["APC Key 25 mk2 Control", "APC Key 25 mk2 Keys"], ["APC Key 25 mk2 Keys"]),
    "Oxygen": (
        ["Oxygen Pro 61 USB MIDI", "Oxygen Pro 61 Mackie/HUI", "Oxygen Pro 61 Editor", "Oxygen Pro 61 MIDI DIN"],
        ["Oxygen Pro 61 USB MIDI"],
    ),
    "Roland": (["JUPITER-X DAW CTRL", "JUPITER-X"], ["JUPITER-X"]),
    "Edirol": (["EDIROL PCR 1", "EDIROL PCR 2", "EDIROL PCR MIDI"], ["EDIROL PCR 1"]),
    "Yamaha": ([f"Yamaha MODX-{number}" for number in (1, 2, 3)], ["Yamaha MODX-1"]),
    "Komplete Kontrol": (
        ["Komplete Kontrol DAW - 1", "KOMPLETE KONTROL S61 MK2"], ["KOMPLETE KONTROL S61 MK2"],
    ),
    "Panorama": (["Panorama P1 Internal", "Panorama P1 Instrument", "Panorama P1 Mixer"], ["Panorama P1 Internal"]),
    "two keyboards": (["Keystation 49", "Keystation 88"], ["Keystation 49", "Keystation 88"]),
    "two neighbours": (["RD-8", "RD-9"], ["RD-8", "RD-9"]),
    "only a control surface": (["X-TOUCH MINI", "Launch Control XL"], ["X-TOUCH MINI", "Launch Control XL"]),
    "Apple's software": (["IAC Driver Bus 1", "IAC-Treiber Bus 2", "Network Session 1", "Netzwerk Session 1"], []),
    "Windows' software": (
        ["loopMIDI Port 1", "Microsoft GS Wavetable Synth", "LoopBe Internal MIDI", "rtpMIDI", "Microsoft MIDI Mapper"],
        [],
    ),
    "programs": (["to Max 1", "from Max 2", "Traktor Virtual Input", "FluidSynth virtual port (4711)"], []),
}  # fmt: skip

WINDOWS = {
    "Roland": (["A-88MKII 0", "MIDIIN2 (A-88MKII) 1", "MIDIIN3 (A-88MKII) 2"], ["A-88MKII 0"]),
    "the further port first": (["MIDIIN2 (Minilab3) 0", "Minilab3 1"], ["Minilab3 1"]),
    "Launchkey": (["LKMK3 MIDI 0", "MIDIIN2 (LKMK3 DAW) 1"], ["LKMK3 MIDI 0"]),
    "a name that is cut": (
        ["Launchkey Mini MK3 37 MIDI 0", "MIDIIN2 (Launchkey Mini MK3 37 D 1"], ["Launchkey Mini MK3 37 MIDI 0"],
    ),
    "loopMIDI beside it": (["loopMIDI Port 0", "MPKmini2 1", "Microsoft GS Wavetable Synth 2"], ["MPKmini2 1"]),
    "a twin": (["Keystation 49 0", "2- Keystation 49 1"], ["Keystation 49 0", "2- Keystation 49 1"]),
    "outputs": (["Microsoft GS Wavetable Synth 0", "Minilab3 1", "MIDIOUT2 (Minilab3) 2"], ["Minilab3 1"]),
}  # fmt: skip


MINILAB = [
    f"Minilab3:Minilab3 Minilab3 {port} 20:{number}" for number, port in enumerate(("MIDI", "DIN THRU", "MCU/HUI"))
]
A2J_MINILAB = "a2j:Minilab3 [20] ({}): Minilab3 Minilab3 MIDI"
PAIRS = {
    "one can only send, the other only receive": (
        "alsa",
        ["Midi Through:Midi Through Port-0 14:0", *MINILAB],
        ["Midi Through:Midi Through Port-0 14:0", "MicroMonsta 2:MicroMonsta 2 MIDI 1 24:0"],
        MINILAB[0],
        "MicroMonsta 2:MicroMonsta 2 MIDI 1 24:0",
    ),
    "the keyboard can receive as well": (
        "alsa",
        ["padKONTROL:padKONTROL MIDI 1 28:0", "padKONTROL:padKONTROL MIDI 2 28:1"],
        ["padKONTROL:padKONTROL MIDI 1 28:0", "MicroMonsta 2:MicroMonsta 2 MIDI 1 24:0", "FLUID Synth (12):in 128:0"],
        "padKONTROL:padKONTROL MIDI 1 28:0",
        "MicroMonsta 2:MicroMonsta 2 MIDI 1 24:0",
    ),
    "the synthesiser can send as well": (
        "alsa",
        [*MINILAB, "MODX:MODX MIDI 1 24:0"],
        ["MODX:MODX MIDI 1 24:0", "MODX:MODX MIDI 2 24:1"],
        MINILAB[0],
        "MODX:MODX MIDI 1 24:0",
    ),
    "both can do both": (
        "alsa",
        [*MINILAB, "MODX:MODX MIDI 1 24:0"],
        [*MINILAB, "MODX:MODX MIDI 1 24:0"],
        None,
        None,
    ),
    "one keyboard that can receive, and programs": (
        "alsa",
        [*MINILAB, "VMPK Output:out 131:0"],
        [*MINILAB, "FLUID Synth (12):in 128:0"],
        MINILAB[0],
        MINILAB[0],
    ),
    "a keyboard and two others": (
        "alsa",
        MINILAB,
        [*MINILAB, "MODX:MODX MIDI 1 24:0", "MicroMonsta 2:MicroMonsta 2 MIDI 1 28:0"],
        MINILAB[0],
        None,
    ),
    "behind a2jmidid": (
        "jack",
        ["a2j:Midi Through [14] (capture): Midi Through Port-0", A2J_MINILAB.format("capture")],
        [A2J_MINILAB.format("playback"), "a2j:MicroMonsta 2 [24] (playback): MicroMonsta 2 MIDI 1"],
        A2J_MINILAB.format("capture"),
        "a2j:MicroMonsta 2 [24] (playback): MicroMonsta 2 MIDI 1",
    ),
    "behind PipeWire's bridge": (
        "jack",
        ["Midi-Bridge:Midi Through:(capture_0) Midi Through Port-0", "Midi-Bridge:KeyStep:(capture_0) KeyStep MIDI 1"],
        ["Midi-Bridge:KeyStep:(playback_0) KeyStep MIDI 1", "Midi-Bridge:Monsta:(playback_0) Monsta MIDI 1"],
        "Midi-Bridge:KeyStep:(capture_0) KeyStep MIDI 1",
        "Midi-Bridge:Monsta:(playback_0) Monsta MIDI 1",
    ),
    "on macOS": (
        "coremidi",
        ["IAC Driver Bus 1", "Keystation 61 MK3"],
        ["IAC Driver Bus 1", "Keystation 61 MK3", "MicroMonsta 2"],
        "Keystation 61 MK3",
        "MicroMonsta 2",
    ),
    "on Windows": (
        "winmm",
        ["Minilab3 0", "MIDIIN2 (Minilab3) 1"],
        ["Microsoft GS Wavetable Synth 0", "MicroMonsta 2 1", "Minilab3 2", "MIDIOUT2 (Minilab3) 3"],
        "Minilab3 0",
        "MicroMonsta 2 1",
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_auto_connects_a_keyboard_and_a_synthesiser_where_there_is_no_doubt_which_is_which(case: str) -> None:
    api, inputs, outputs, heard, played = PAIRS[case]
    assert pick(AUTO, inputs, not_its_own_partner(inputs, outputs, api), "input") == heard
    assert pick(AUTO, outputs, not_its_own_partner(outputs, inputs, api), "output") == played


@pytest.mark.parametrize("case", ALSA)
def test_devices_on_alsa(case: str) -> None:
    ports, devices = ALSA[case]
    assert not_its_own_partner(ports, (), "alsa") == devices


@pytest.mark.parametrize("case", JACK)
def test_devices_behind_the_bridges_of_jack(case: str) -> None:
    ports, devices = JACK[case]
    assert not_its_own_partner(ports, (), "jack") == devices


@pytest.mark.parametrize("case", BY_WORDS)
@pytest.mark.parametrize("api", ["coremidi", "winmm"])
def test_devices_where_only_words_tell(case: str, api: str) -> None:
    ports, devices = BY_WORDS[case]
    assert not_its_own_partner(ports, (), api) == devices


@pytest.mark.parametrize("case", WINDOWS)
def test_devices_on_windows(case: str) -> None:
    ports, devices = WINDOWS[case]
    assert not_its_own_partner(ports, (), "winmm") == devices


def test_devices_by_what_jackd_also_calls_its_numbered_ports() -> None:
    ports = [f"system:midi_capture_{number}" for number in (1, 2, 3)]
    sequencer = ["Midi-Through/midi_capture_1", "Keystation-61-MK3/midi_capture_1", "Keystation-61-MK3/midi_capture_2"]
    aliases = [[f"alsa_pcm:{name}"] for name in sequencer]
    assert not_its_own_partner(ports, (), "jack", aliases) == ["system:midi_capture_2"]
    raw = ["in-hw-1-0-0-Minilab3-DIN-THRU", "in-hw-1-0-1-Minilab3-MIDI", "in-hw-2-0-0-Virtual-Raw-MIDI"]
    assert not_its_own_partner(ports, (), "jack", [[name] for name in raw]) == ["system:midi_capture_2"]
    pipewire = ["alsa:seq:default:client_14:capture_0", "alsa:seq:default:client_28:capture_0"]
    assert not_its_own_partner(ports[:2], (), "jack", [[name] for name in pipewire]) == ["system:midi_capture_2"]


def test_numbered_ports_that_are_called_nothing_else_are_one_device_of_the_system() -> None:
    ports = [f"system:midi_capture_{number}" for number in (1, 2)]
    assert not_its_own_partner(ports, (), "jack") == ports


def test_two_keyboards_of_one_name_are_told_apart() -> None:
    ports = told_apart(["nanoKEY2 KEYBOARD", "nanoKEY2 CTRL", "nanoKEY2 KEYBOARD", "nanoKEY2 CTRL"])
    assert ports == ["nanoKEY2 KEYBOARD", "nanoKEY2 CTRL", "nanoKEY2 KEYBOARD (2)", "nanoKEY2 CTRL (2)"]
    assert not_its_own_partner(ports, (), "coremidi") == ["nanoKEY2 KEYBOARD", "nanoKEY2 KEYBOARD (2)"]


@given(st.lists(st.text(max_size=40)), st.sampled_from(["alsa", "jack", "coremidi", "winmm"]))
def test_whatever_ports_are_called_each_device_is_one_of_them(names: list[str], api: str) -> None:
    ports = told_apart(names)
    devices = not_its_own_partner(ports, (), api)
    assert len(set(devices)) == len(devices)
    assert set(devices) <= set(ports)
    assert devices == sorted(devices, key=ports.index)


@given(st.lists(st.sampled_from(["A", "A (2)", "A (3)", "B", ""])))
def test_names_that_are_told_apart_are_each_there_once(names: list[str]) -> None:
    apart = told_apart(names)
    assert len(set(apart)) == len(apart) == len(names)
    assert all(new.startswith(old) for new, old in zip(apart, names, strict=True))
