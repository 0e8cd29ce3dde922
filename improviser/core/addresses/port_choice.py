"""Which port a user means: "auto", "virtual", a name or a part of one; and the names of ports and clients."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from improviser.errors import PortError

AUTO, VIRTUAL = "auto", "virtual"
MOST_NAME_BYTES = 63
"""How long the name of a client may be on JACK and ALSA."""
MOST_SHARED_NAME_BYTES = MOST_NAME_BYTES - 3
"""The same, if JACK has to tell it from others by a number ("-01")."""
MOST_PORTS = 8
"""How many inputs, and how many outputs, a session may have."""
ABSENT = ""
"""The name of a port that was chosen and is not there."""
NO_PORT = "no port"
"""What people read where a session goes on without one."""


def pick(
    choice: str, names: Sequence[str], hardware: Sequence[str], direction: str, taken: Collection[str] = ()
) -> str | None:
    """Choose among the port `names`; None means a virtual port.

    `choice` is "auto" (the one in `hardware` if there is exactly one, else virtual), "virtual", or a name or a part of
    one, without regard to case: an exact name before a beginning before a part, the first that fits.

    :param hardware: one port of each device, see `devices.not_its_own_partner`.
    :param taken: ports that other choices have taken.
    :raises PortError: if nothing fits.
    """
    names, hardware = ([name for name in each if name not in taken] for each in (names, hardware))
    if choice == VIRTUAL:
        return None
    if choice == AUTO:
        return hardware[0] if len(hardware) == 1 else None
    wanted = _folded(choice)
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for name in names:
            if fits(_folded(name), wanted):
                return name
    there_are = ", ".join(repr(name) for name in names) or "no ports at all"
    other = "other " if taken else ""
    raise PortError(f"no {other}MIDI {direction} matches {choice!r}; there are: {there_are} (see improviser ports)")


def pick_each(
    choices: Sequence[str], names: Sequence[str], hardware: Sequence[str], direction: str, *, patient: bool = False
) -> list[str | None]:
    """Choose a port for each of `choices`, as `pick` does, and no port twice.

    :param patient: if several are chosen, take the ports that exist; the others are `ABSENT`.
    :raises PortError: if nothing fits one of them, or with patience any of them.
    """
    picked: dict[int, str | None] = {}
    for number in names_first(choices):
        taken = {name for name in picked.values() if name}
        try:
            picked[number] = pick(choices[number], names, hardware, direction, taken)
        except PortError:
            if not patient or len(choices) == 1:
                raise
            picked[number] = ABSENT
    if all(name == ABSENT for name in picked.values()):
        pick(choices[0], names, hardware, direction)
    return [picked[number] for number in range(len(choices))]


def left_out(
    choices: Sequence[str], picked: Collection[str | None], hardware: Sequence[str], direction: str
) -> str | None:
    """Return a line that says between which devices "auto" could not choose, and what to do; None if there are none.

    :param picked: the ports that `choices` have taken.
    """
    others = [name for name in hardware if name not in picked]
    if AUTO not in choices or len(others) < 2:
        return None
    taken = [name for name in picked if name in hardware]
    options = " ".join(f'--{direction} "{name}"' for name in [*taken, *others][:MOST_PORTS])
    return f"--{direction} auto takes none of several devices; choose one, or take several: {options}"


def names_first(choices: Sequence[str]) -> list[int]:
    """Return the numbers of choices in the order in which they choose: "auto" has what is named by no other."""
    return sorted(range(len(choices)), key=lambda number: choices[number] == AUTO)


def _folded(text: str) -> str:
    """Return text in which the same letters are the same: without case, and an é of one sign or of two alike."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def own_names(role: str, count: int) -> list[str]:
    """Return the names of so many ports of ours: `role` ("in" or "out"), and with a number from the second on."""
    return [role, *(f"{role}_{number}" for number in range(2, count + 1))]


def without_client_number(name: str) -> str:
    """Return one of RtMidi's ALSA port names without the client and port number at its end."""
    return re.sub(r" \d+:\d+$", "", name)


def cut_name(name: str, most_bytes: int = MOST_NAME_BYTES) -> str:
    """Return `name` cut to so many bytes of UTF-8, between characters."""
    return name.encode("utf-8", "ignore")[:most_bytes].decode("utf-8", "ignore")


def read_name(raw: bytes | str | None, number: int, legacy: str) -> str:
    """Return the name of a system's port `number`, counted from 0, as text; one that has none gets one.

    Systems give UTF-8, which may have been cut within a character; some old drivers give what the machine wrote before.

    :param legacy: the encoding for what is no UTF-8.
    """
    if isinstance(raw, bytes):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            is_cut = error.reason == "unexpected end of data"
            text = raw[: error.start].decode("utf-8") if is_cut else raw.decode(legacy, "replace")
    else:
        text = raw or ""
    text = text.strip("\0")
    return text if text.strip() else f"port {number + 1} without a name"


def told_apart(names: Sequence[str]) -> list[str]:
    """Return port names of which each is there once: further ones of the same name get a number, such as "Key (2)"."""
    apart: list[str] = []
    for name in names:
        number, other = 1, name
        while other in apart:
            number += 1
            other = f"{name} ({number})"
        apart.append(other)
    return apart
