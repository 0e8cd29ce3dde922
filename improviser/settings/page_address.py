"""Where a session's page is served: `on`, `open` (in a browser, too) or `[HOST:]PORT`; on loopback by default."""

import ipaddress
import re
from dataclasses import dataclass

from improviser.errors import ConfigError

OFF, ON, OPEN = "off", "on", "open"
FORM = "off, on, open, or [HOST:]PORT"
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 6434
"""The letters M, I, D, I on a telephone's keys. The IANA has given it to nobody, and no browser refuses it."""
LAST_PORT = 65_535

_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_.-]{1,253}):)?(?P<port>[0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageAddress:
    """An address to listen on.

    :param host: a name or the literal of an IP address, without brackets.
    :param port: 1–65535, or None: the usual one, or one of the next if that is taken.
    :param opens: whether a browser is to be opened.
    """

    host: str = LOOPBACK
    port: int | None = None
    opens: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach it."""
        return self.host == "localhost" or is_loopback_literal(self.host)


def parse_page(text: str) -> PageAddress | None:
    """Return the address that `text` gives, None if it is "off".

    :raises ConfigError: if it gives none.
    """
    if text == OFF:
        return None
    if text in (ON, OPEN):
        return PageAddress(opens=text == OPEN)
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ConfigError(f"web must be {FORM}")
    port = int(found["port"])
    if not 1 <= port <= LAST_PORT:
        raise ConfigError(f"web must be at a port of 1–{LAST_PORT}; it is {port}")
    host = (found["host"] or LOOPBACK).strip("[]")
    if ":" in host and not is_literal(host):
        raise ConfigError(f"web must be {FORM}; what stands in brackets is no address of IPv6")
    return PageAddress(host, port)


def is_literal(host: str) -> bool:
    """Say whether a host is given by the literal of its IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback_literal(host: str) -> bool:
    """Say whether a host is the literal of a loopback address."""
    return is_literal(host) and ipaddress.ip_address(host).is_loopback
