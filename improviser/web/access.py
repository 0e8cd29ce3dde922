"""Who may come in: tokens in the address, and the `Host` and `Origin` that a browser sends.

A token is the first part of the path, so it is checked with every request, and needs no cookie. Where only this machine
can reach us there is none, unless a file gives one: the page is at `/`, and what an audience may see at `/audience/`.

Against other sites that the browser has open: a site that steers us from outside has another `Origin` than our `Host`
(Cross-Site WebSocket Hijacking), and one whose name was made to lead to us (DNS rebinding) has a `Host` that is no
name of ours. Numbers cannot be made to lead elsewhere, so any literal of an address is a name of ours.
"""

import hmac
import os
import re
import secrets
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from improviser.errors import ConfigError
from improviser.files import open_regular
from improviser.settings.page_address import PageAddress, is_literal, is_loopback_literal

Role = Literal["player", "audience"]
"""A player plays and steers; an audience sees and hears."""

AUDIENCE = "audience"
LARGEST_FILE = 1 << 12
_TOKEN = re.compile(r"[A-Za-z0-9_-]{12,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Access:
    """What lets one in.

    :param player: the token of those who play and steer, empty if they need none.
    :param audience: that of those who only see and hear.
    :param names: the names under which browsers reach us, in lower case.
    :param only_loopback: whether nobody but this machine can.
    """

    player: str
    audience: str
    names: frozenset[str]
    only_loopback: bool

    def role(self, path: str) -> tuple[Role, str] | None:
        """Return as whom one comes in by a path, and what is left of it; None if by none."""
        first, slash, rest = path.removeprefix("/").partition("/")
        if slash and matches(first, self.audience):
            return "audience", rest
        if not self.player:
            return "player", path.removeprefix("/")
        return ("player", rest) if slash and matches(first, self.player) else None

    def knows_host(self, host: str) -> bool:
        """Say whether a browser that sends this `Host` was not led to us by a name that is another's."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if is_literal(name):
            return is_loopback_literal(name) or not self.only_loopback
        return name in self.names

    def is_own(self, origin: str, host: str) -> bool:
        """Say whether a page of this `Origin` is ours."""
        scheme, _, rest = origin.partition("://")
        return scheme in ("http", "https") and rest.lower() == host.lower()


def matches(given: str, token: str) -> bool:
    """Say whether a token is right, in a time that tells nothing of it."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode())


def access_of(address: PageAddress, names: tuple[str, ...], tokens: tuple[str, str] | None) -> Access:
    """Return what lets one in at an address.

    :param names: names that browsers reach it by, beside the usual ones.
    :param tokens: the player's and the audience's; if None, new ones where others than this machine can reach it.
    """
    own = {"localhost"} if address.is_loopback else {"localhost", _machine_name(), f"{_machine_name()}.local"}
    known = frozenset(name.lower() for name in (*own, address.host, *names) if name)
    if tokens is None:
        tokens = ("", AUDIENCE) if address.is_loopback else (secrets.token_urlsafe(16), secrets.token_urlsafe(16))
    return Access(*tokens, known, address.is_loopback)


def _machine_name() -> str:
    return socket.gethostname()


def read_tokens(path: Path) -> tuple[str, str]:
    """Return the tokens that a file gives: the player's in its first line, the audience's in the second.

    Without a second line, nobody is told the audience's: it is a new one.

    :raises ConfigError: if it cannot be read, or gives none, or others may read it.
    """
    try:
        with open_regular(path, LARGEST_FILE) as file:
            mode = os.fstat(file.fileno()).st_mode
            lines = file.read(LARGEST_FILE).decode().split()
    except OSError as error:
        raise ConfigError(f"web_token_file: cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"web_token_file: {path} is not UTF-8 text") from error
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        raise ConfigError(f"web_token_file: others can read {path}; keep it to yourself with chmod 600")
    if not lines or not all(_TOKEN.fullmatch(line) for line in lines[:2]):
        raise ConfigError(
            f"web_token_file: a line of {path} must be a token: 12–128 letters, digits, - or _; "
            "`openssl rand -hex 16` makes one"
        )
    player, audience = lines[0], lines[1] if len(lines) > 1 else secrets.token_urlsafe(16)
    if player == audience:
        raise ConfigError(f"web_token_file: the two tokens in {path} must differ: an audience may not play")
    return player, audience
