"""Which port a user means: "auto", "virtual", a name or a part of one; and the names of ports and clients."""

import re
import unicodedata
from collections.abc import Sequence

from improviser.errors import PortError

AUTO, VIRTUAL = "auto", "virtual"
MOST_NAME_BYTES = 63
"""How long the name of a client may be on JACK and ALSA."""
MOST_SHARED_NAME_BYTES = MOST_NAME_BYTES - 3
"""The same, if JACK has to tell it from others by a number ("-01")."""


def pick(choice: str, names: Sequence[str], hardware: Sequence[str], direction: str) -> str | None:
    """Choose among the port `names`; None means a virtual port.

    `choice` is "auto" (the one in `hardware` if there is exactly one, else virtual), "virtual", or a name or a part of
    one, without regard to case: an exact name before a beginning before a part, the first that fits.

    :param hardware: one port of each device, see `devices.one_of_each_device`.
    :raises PortError: if nothing fits.
    """
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
    raise PortError(f"no MIDI {direction} matches {choice!r}; there are: {there_are} (see improviser ports)")


def _folded(text: str) -> str:
    """Return text in which the same letters are the same: without case, and an é of one sign or of two alike."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


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
