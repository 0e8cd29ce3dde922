"""Which ports are devices of their own, by their names: one port for each keyboard, and none for software.

Most keyboards of today have several ports: one for the keys, others for a DAW, a control surface, a DIN socket. On ALSA
they are one client, and so they are through JACK's and PipeWire's bridges to it. CoreMIDI and Windows give names only:
there a port belongs to the device whose name is left when the words for its purpose are taken away.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SOFTWARE = re.compile(
    r"midi[ -_]?through|virmidi|virtual|\bIAC\b|network|\bsession \d+$|loopmidi|loopbe|\brtpmidi|midi[ -]?yoke"
    r"|midi mapper|microsoft (gs|midi)|pipewire|a2jmidid|\brtmidi|^(from|to) max \d|\b(fluid ?synth|timidity)\b",
    re.IGNORECASE,
)
"""Ports of systems and programs, on any system: Midi Through, VirMIDI, the IAC driver, Network Session 1, loopMIDI …"""
KERNEL_CLIENTS = range(16, 128)
"""ALSA's client numbers of devices (and of VirMIDI); programs have higher ones, 14 is Midi Through."""
SPECIAL = (
    "alv", "ctrl", "control", "controls", "daw", "din", "edit", "editor", "ext", "external", "hui", "incontrol",
    "knob", "mackie", "mcu", "mixer", "pad", "private", "remote", "scene", "script", "slider", "software", "thru",
    "through", "transport",
)  # fmt: skip
"""What the ports of a keyboard are for that are not its keys."""
ORDINARY = ("in", "input", "instrument", "internal", "keyboard", "keys", "main", "midi", "midiin", "midiout", "out",
            "output", "port", "public", "usb")  # fmt: skip
_PURPOSE = re.compile(rf"({'|'.join((*SPECIAL, *ORDINARY))})(\d{{0,2}})", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,2}|[a-h]", re.IGNORECASE)
_A2J = re.compile(r"a2j(?:-\d+)?:(?P<client>.*) \[(?P<number>\d+)\] \((?:capture|playback)\): (?P<port>.*)")
_PIPEWIRE = re.compile(r"Midi-Bridge:(?P<client>.*?):?\s*\((?:capture|playback)_\d+\)\s*(?P<port>.*)")
_PIPEWIRE_NUMBER = re.compile(r"client_(\d+)\b|^Midi-Bridge:\[(\d+):\d+\] ")
"""ALSA's client in a port's path; from PipeWire 1.2 on, also in its name."""
_JACK_SEQUENCER = re.compile(r"(?:alsa_pcm:|alsa_midi:)?(?P<client>.+)/midi_(?:capture|playback)_\d+")
_JACK_RAW = re.compile(r"(?:.*:)?(?:in|out)-hw-(?P<card>\d+)-\d+-\d+(?:-(?P<port>.*))?")
_WINDOWS_FURTHER = re.compile(r"MIDI(?:IN|OUT)(?P<number>\d+) \((?P<device>[^)]*)(?P<end>\)?)")
_TWIN = re.compile(r"(?P<text>.+) (?P<number>\([2-9]\))")
"""The name of a port after others of the same name, see `port_choice.told_apart`."""


@dataclass(frozen=True, slots=True)
class _Port:
    """One port: its name, what it is called on its device, which device that is, and how far from being its keys."""

    name: str
    text: str
    device: str
    rank: int
    is_software: bool = False
    is_cut: bool = False
    """Whether the end of the device's name is missing."""


def not_its_own_partner(
    names: Sequence[str],
    others: Sequence[str],
    api: str,
    known_as: Sequence[Sequence[str]] = (),
    others_known_as: Sequence[Sequence[str]] = (),
) -> list[str]:
    """Return, of the port `names`, one of each device, in order: that of its keys, as far as names tell, or its first.

    Two devices of the same name are two. Ports of software are left out. Of two devices, that one is left out which is
    all that there is for the other direction: of a keyboard that can receive as well, and a synthesiser that cannot
    send, the synthesiser is for the output.

    :param others: the ports for the other direction.
    :param api: the MIDI system's name, as in `--api`.
    :param known_as: on JACK, the other names that each port has (its aliases); `others_known_as` are those of `others`.
    """
    ports = _one_of_each(names, api, known_as)
    partners = {port.device for port in _one_of_each(others, api, others_known_as)}
    if len(ports) == 2 and len(partners) == 1:
        ports = [port for port in ports if port.device not in partners] or ports
    return [port.name for port in ports]


def _one_of_each(names: Sequence[str], api: str, known_as: Sequence[Sequence[str]]) -> list[_Port]:
    aliases = [*known_as, *([()] * (len(names) - len(known_as)))]
    ports = [_read(name, number, api, aliases[number]) for number, name in enumerate(names)]
    groups = _grouped(port for port in ports if not port.is_software)
    with_keys = [group for group in groups if min(port.rank for port in group) < len(SPECIAL)]
    firsts: list[_Port] = []
    for group in with_keys or groups:
        first = min(group, key=lambda port: port.rank)
        firsts += [port for port in group if port.text == first.text]
    order = {id(port): number for number, port in enumerate(ports)}
    return sorted(firsts, key=lambda port: order[id(port)])


def _grouped(ports: Iterable[_Port]) -> list[list[_Port]]:
    groups: dict[str, list[_Port]] = {}
    for port in ports:
        groups.setdefault(port.device, []).append(port)
    # "MODX-1" and "MODX-2" are ports of one device, and so are "PCR", "PCR 1" and "PCR 2"; "RD-8" and "RD-9" are two.
    for device in list(groups):
        base = re.sub(r"[- ][2-9]$", "", device)
        first = next((f"{base}{sign}1" for sign in "- " if f"{base}{sign}1" in groups), device)
        if first != device:
            groups[first] += groups.pop(device)
    for device in [device for device, its in groups.items() if any(port.is_cut for port in its)]:
        whole = next((other for other in groups if other != device and other.startswith(device)), None)
        if whole is not None:
            groups[whole] += groups.pop(device)
    return list(groups.values())


def _read(name: str, number: int, api: str, aliases: Sequence[str]) -> _Port:
    if api == "alsa":
        return _of_alsa(name)
    if api in ("jack", "jack-rtmidi"):
        return _of_jack(name, aliases)
    text = re.sub(rf"\s{number}$", "", name) if api == "winmm" else name  # RtMidi adds its own count there
    return _of_words(name, text)


def _of_alsa(name: str) -> _Port:
    client = re.search(r" (\d+):\d+$", name)
    if client is None:
        return _Port(name, name, name, 0, is_software=True)
    return _of_client(name, name[: client.start()], name, int(client[1]))


def _of_client(name: str, words: str, text: str, number: int) -> _Port:
    is_software = number not in KERNEL_CLIENTS or SOFTWARE.search(words) is not None
    return _Port(name, text, f"client {number}", _taken_apart(words)[1], is_software)


def _of_jack(name: str, aliases: Sequence[str]) -> _Port:
    for text in (name, *aliases):
        if (found := _A2J.fullmatch(text)) is not None:
            return _of_client(name, f"{found['client']} {found['port']}", name, int(found["number"]))
        if (client := _PIPEWIRE_NUMBER.search(text)) is not None:
            words = re.sub(r"^Midi-Bridge:(?:\[\d+:\d+\] )?|(?<=.) \((?:capture|playback)\)$", "", name)
            return _of_client(name, words, name, int(client[1] or client[2]))
        if (found := _JACK_RAW.fullmatch(text)) is not None:
            words = found["port"] or name
            rank = _taken_apart(words.replace("-", " "))[1]
            return _Port(name, name, f"card {found['card']}", rank, SOFTWARE.search(words) is not None)
    for text in (name, *aliases):
        if (found := _PIPEWIRE.fullmatch(text)) is not None:
            rank = _taken_apart(found["port"])[1]
            return _Port(name, name, found["client"], rank, SOFTWARE.search(text[len("Midi-Bridge:") :]) is not None)
        if (found := _JACK_SEQUENCER.fullmatch(text)) is not None:
            return _Port(name, name, found["client"], 0, SOFTWARE.search(found["client"]) is not None)
    if name.startswith("system:"):  # a number, and nothing that tells whose
        return _Port(name, name, name, 0)
    text = re.sub(r" \((?:in|out|capture|playback)\)$", "", re.sub(r"^(?:Midi-Bridge|alsa_midi):", "", name))
    return _of_words(name, text)


def _of_words(name: str, text: str) -> _Port:
    is_software = SOFTWARE.search(text) is not None
    if (twin := _TWIN.fullmatch(text)) is not None:
        device, rank = _taken_apart(twin["text"])
        return _Port(name, text, f"{device} {twin['number']}", rank, is_software)
    further = _WINDOWS_FURTHER.fullmatch(text)
    if further is None:
        device, rank = _taken_apart(text)
        return _Port(name, text, device, rank, is_software)
    words, is_cut = further["device"], not further["end"]  # Windows has room for 31 characters
    if is_cut:
        words = words.rpartition(" ")[0] or words
    device, rank = _taken_apart(words)
    return _Port(name, text, device, rank + int(further["number"]), is_software, is_cut)


def _taken_apart(text: str) -> tuple[str, int]:
    """Return a port's name without the words for its purpose, and how far from being a device's keys it is."""
    words = [word for word in re.split(r"[\s_:/]+", text) if word]
    rank = 0
    while len(words) > 1:
        last, before = words[-1].strip("-()"), words[-2].strip("-()")
        purpose = _PURPOSE.fullmatch(last)
        if purpose is not None:
            rank += len(SPECIAL) * (purpose[1].casefold() in SPECIAL)
        elif last and not (_NUMBER.fullmatch(last) and (not before or _PURPOSE.fullmatch(before))):
            break
        words.pop()
    return " ".join(words), rank
