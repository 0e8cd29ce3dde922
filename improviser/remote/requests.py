"""Requests and commands that come over the network, checked, and the replies to them.

A payload is a plain value (`0.5`, `D minor`, `true`), or JSON (`"D minor"`, `["bach-bass"]`, `{"value": 0.5}`). What it
may be is defined where it is for files and flags: in `settings.schema`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from improviser.engine.protocol import MODEL
from improviser.errors import ConfigError
from improviser.settings.checking import validate
from improviser.settings.schema import KEYS, LIVE_KEYS

LARGEST_PAYLOAD = 4096
LONGEST_NAME = 80
JSON_STARTS = ('"', "[", "{")
COMMAND = "cmd"


class Reply(msgspec.Struct, frozen=True):
    """What every request and every command gets, exactly one: `value` is what holds now, whether `ok` or not."""

    ok: bool
    parameter: str
    value: Any = None
    error: str | None = None
    allowed: str | list[str] | None = None


def read_text(payload: bytes) -> str:
    """Return a payload as text.

    :raises ConfigError: if it is too large, or no UTF-8.
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise ConfigError(f"the payload is too large: {len(payload)} bytes; {LARGEST_PAYLOAD} are the most")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"the payload is not UTF-8 text at byte {error.start}") from error


def read_value(payload: bytes) -> Any:
    """Return the value that a payload gives, plain or as JSON.

    :raises ConfigError: if it gives none.
    """
    text = read_text(payload).strip()
    if not text.startswith(JSON_STARTS):
        return text
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise ConfigError(f"the payload begins like JSON, but is none: {type(error).__name__}: {error}") from error
    return value["value"] if isinstance(value, dict) and set(value) == {"value"} else value


def read_request(parameter: str, payload: bytes, models: Sequence[str]) -> Any:
    """Return what a message on `set/<parameter>` asks for: the checked value that the parameter is to have.

    :param models: the names of the library: over a network, models are chosen by these alone, never by a path.
    :raises ConfigError: if there is no such live parameter, or it cannot be this.
    """
    return checked(parameter, read_value(payload), models)


def checked(parameter: str, value: Any, models: Sequence[str]) -> Any:
    """Return the value that a live parameter is to have, as it holds it.

    :param models: the names of the library: over a network, models are chosen by these alone, never by a path.
    :raises ConfigError: if there is no such live parameter, or it cannot be this.
    """
    if parameter not in LIVE_KEYS:
        validate(parameter[:LONGEST_NAME], None)
    value = validate(parameter, value)
    if parameter == MODEL:
        for name in value:
            if name not in models:
                raise ConfigError(f"there is no model named {name[:LONGEST_NAME]!r} in the library")
    return value


def read_command(payload: bytes, commands: Sequence[str]) -> str:
    """Return the command that a message on `cmd` gives.

    :raises ConfigError: if it is none of `commands`.
    """
    command = read_value(payload)
    if not isinstance(command, str) or command.strip().lower() not in commands:
        raise ConfigError(f"there is no such command; there are: {', '.join(commands)}")
    return command.strip().lower()


def allowed_for(parameter: str, models: Sequence[str]) -> str | list[str]:
    """Return what a parameter may be, in words or as a list; for an unknown one, which parameters there are."""
    if parameter == MODEL:
        return list(models)
    return KEYS[parameter].allowed if parameter in LIVE_KEYS else list(LIVE_KEYS)


def plain(value: Any) -> Any:
    """Return a value as it is shown and can be set again: the names of models with commas between."""
    return ", ".join(value) if isinstance(value, tuple | list) else value


def encode(value: Reply | Mapping[str, Any]) -> bytes:
    """Return a reply or a state as JSON."""
    return msgspec.json.encode(value)
