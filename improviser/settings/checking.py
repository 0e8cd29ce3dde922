"""Checks values of settings, wherever they come from: as they are, or as text.

The same definitions check what changes a parameter while one plays.
"""

import collections.abc
import contextlib
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec

from improviser.core.addresses.broker import parse_broker
from improviser.core.live.parameters import allowed
from improviser.core.live.parameters.kinds import Bindings
from improviser.core.live.parameters.table import TABLE
from improviser.core.live.player.knobs import Knobs
from improviser.core.printable import LONGEST_SHOWN, shown
from improviser.errors import ConfigError
from improviser.settings.page_address import OFF as NO_PAGE
from improviser.settings.page_address import ON, parse_page
from improviser.settings.schema import KEYS, LIVE_KEYS

WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def check(name: str, value: Any, origin: str | None = None) -> Any:
    """Return `value` as the setting `name` holds it.

    :param origin: where it was set, for the message.
    :raises ConfigError: if there is no such setting, or it cannot be this; it says what is allowed.
    """
    prefix = f"{origin}: " if origin else ""
    key = KEYS.get(name)
    if key is None:
        raise ConfigError(f"{prefix}there is no setting {shown(name)}; {nearest(name, KEYS)}")
    try:
        if name in TABLE:
            return _check_live(name, value)
        if isinstance(value, str) and tuple in set(_flat(key.kind)):
            value = (value,)
        if name == "web":
            value = _page_address(value)
        if name == "mqtt" and isinstance(value, str):
            parse_broker(value)  # its message never shows the URL, since that may hold a password
        return msgspec.convert(value, key.kind)
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error}") from None
    except msgspec.ValidationError:
        raise ConfigError(
            f"{prefix}{name} must be {key.allowed}; it is {shown(list(value) if isinstance(value, tuple) else value)}"
        ) from None


def _page_address(value: Any) -> Any:
    """Check where the page is served: a port alone is a number in a file, and `true` is `on`.

    :raises ConfigError: if it is no address.
    """
    if isinstance(value, int):
        value = str(value) if not isinstance(value, bool) else ON if value else NO_PAGE
    if isinstance(value, str):
        parse_page(value)
    return value


def _check_live(name: str, value: Any) -> Any:
    """Check a live parameter as the performer does, which checks what knobs turn where it begins to follow them.

    :raises ConfigError: if it cannot be this.
    """
    checked = allowed.check(name, value)
    if isinstance(TABLE[name].kind, Bindings):
        try:
            Knobs(checked)
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None
    return checked


def check_text(name: str, text: str, origin: str | None = None) -> Any:
    """Like `check`, for a value that comes as text: from the environment, a flag, or a plain MQTT payload."""
    kinds = KEYS[name].kind if name in KEYS else None
    return check(name, _from_text(kinds, text) if kinds is not None else text, origin)


def validate(parameter: str, value: Any) -> Any:
    """Return `value` as the live parameter holds it; text is understood too ("0.5", "off").

    What MIDI controllers, MQTT and the keyboard change while one plays is checked here.

    :raises ConfigError: if it is no live parameter, or cannot be this.
    """
    if parameter not in LIVE_KEYS:
        if parameter in KEYS:
            raise ConfigError(f"{parameter} cannot change while one plays; what can: {', '.join(LIVE_KEYS)}")
        raise ConfigError(f"there is no parameter {shown(parameter)}; {nearest(parameter, LIVE_KEYS)}")
    return check_text(parameter, value) if isinstance(value, str) else check(parameter, value)


def _from_text(kind: Any, text: str) -> Any:
    """Return what `text` means where `kind` is wanted; the text itself if it means nothing there."""
    kinds = set(_flat(kind))
    word = text.strip().lower()
    if bool in kinds and word in WORDS:
        return WORDS[word]
    if tuple in kinds:
        with contextlib.suppress(ValueError, RecursionError):  # a list as in the file, for names with commas
            if isinstance(parts := tomllib.loads(f"list = {text}")["list"], list):
                return tuple(parts)
        return tuple(part.strip() for part in text.split(","))
    if collections.abc.Mapping in kinds:  # a table in one line, as in the file
        with contextlib.suppress(ValueError, RecursionError):
            return tomllib.loads(f"table = {text}")["table"]
    for number in (int, float):
        if number in kinds:
            with contextlib.suppress(ValueError):
                return number(word)
    return text


def _flat(kind: Any) -> Iterator[Any]:
    """Take a type apart into the plain types a value may have."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        yield from _flat(arguments[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in arguments:
            yield from _flat(argument)
    else:
        yield origin or kind


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of `names` that `name` may have been meant for, or all of them, for the end of a message."""
    near = difflib.get_close_matches(name[:LONGEST_SHOWN], names, 1, 0.5)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
