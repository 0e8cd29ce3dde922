"""Where an MQTT broker is: `mqtt[s]://[user@]host[:port]`, taken apart. A password has no place in it."""

import re
from dataclasses import dataclass

from improviser.errors import ConfigError

OFF = "off"
FORM = "mqtt[s]://[user@]host[:port]"
PLAIN_PORT, SECURE_PORT = 1883, 8883
LAST_PORT = 65_535

_URL = re.compile(
    r"(?P<scheme>mqtts?)://"
    r"(?:(?P<user>[^@/?#\s]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%a-z]+\]|[^\[\]:/?#@\s]+)"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII,
)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker: `secure` is TLS, `port` 1–65535, `user` None if it is not asked who we are."""

    host: str
    port: int
    secure: bool = False
    user: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.secure else ''}://{host}:{self.port}"


def parse_broker(url: str) -> Broker | None:
    """Return the broker that `url` names, None if it is "off"; what `%40` and the like stand for is understood.

    :raises ConfigError: if it is none, or holds a password. The message never repeats the URL, which may hold one.
    """
    if url == OFF:
        return None
    address = url.partition("://")[2] or url
    if "@" in address and ":" in address.rpartition("@")[0]:
        raise ConfigError(
            "mqtt must be without a password, which others could read: give the user alone (user@host), and the "
            "password in IMPROVISER_MQTT_PASSWORD or in a file (mqtt_password_file)"
        )
    found = _URL.fullmatch(url)
    if found is None:
        raise ConfigError(f"mqtt must be {FORM}, or {OFF}")
    secure = found["scheme"] == "mqtts"
    port = int(found["port"]) if found["port"] else SECURE_PORT if secure else PLAIN_PORT
    if not 1 <= port <= LAST_PORT:
        raise ConfigError(f"mqtt must be at a port of 1–{LAST_PORT}; it is {port}")
    return Broker(found["host"].strip("[]"), port, secure, _unescaped(found["user"]) or None)


def _unescaped(text: str | None) -> str:
    """Undo the escapes of a URL."""
    if text is None:
        return ""
    data = b"".join(
        bytes([int(part, 16)]) if place % 2 else part.encode() for place, part in enumerate(_ESCAPE.split(text))
    )
    return data.decode(errors="replace")
