"""Which port a user means: "auto", "virtual", a name or a part of one."""

import re
from collections.abc import Sequence

from improviser.errors import PortError

AUTO, VIRTUAL = "auto", "virtual"


def pick(choice: str, names: Sequence[str], hardware: Sequence[str], direction: str) -> str | None:
    """Choose among the port `names`; None means a virtual port.

    `choice` is "auto" (the one in `hardware` if there is exactly one, else virtual), "virtual", or a name or a part of
    one, without regard to case: an exact name before a beginning before a part, the first that fits.

    :raises PortError: if nothing fits.
    """
    if choice == VIRTUAL:
        return None
    if choice == AUTO:
        return hardware[0] if len(hardware) == 1 else None
    wanted = choice.casefold()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for name in names:
            if fits(name.casefold(), wanted):
                return name
    there_are = ", ".join(repr(name) for name in names) or "no ports at all"
    raise PortError(f"no MIDI {direction} matches {choice!r}; there are: {there_are} (see improviser ports)")


def hardware_among(names: Sequence[str], api: str) -> list[str]:
    """Return those of RtMidi's port names that are devices, not software.

    ALSA ends a name with its client number, and gives 16–127 to kernel clients; 14 is "Midi Through". CoreMIDI and
    Windows do not tell: there the known software ports are left out.
    """
    if api == "alsa":
        clients = [(name, re.search(r" (\d+):\d+$", name)) for name in names]
        return [name for name, client in clients if client and 16 <= int(client[1]) < 128]
    software = re.compile(r"IAC|Network|loopMIDI|Microsoft GS|LoopBe|Virtual", re.IGNORECASE)
    return [name for name in names if not software.search(name)]


def without_client_number(name: str) -> str:
    """Return one of RtMidi's ALSA port names without the client and port number at its end."""
    return re.sub(r" \d+:\d+$", "", name)
