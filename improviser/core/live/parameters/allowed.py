"""Checks new values of live parameters against the table: a value that is not allowed is refused, nothing changes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from improviser.core.addresses.port_choice import MOST_PORTS
from improviser.core.live.parameters.kinds import ALL, Bindings, Inputs, OfParts, Range, Scale
from improviser.core.live.parameters.table import ORDERED, TABLE, Parameters, allowed_words
from improviser.core.music.note import CHANNELS
from improviser.core.music.parts import LONGEST, in_one_line, said_of_parts
from improviser.core.music.scales import pitches_of
from improviser.core.printable import shown
from improviser.errors import ConfigError

LONGEST_NAME = 40
BOUNDED = {name for pair in ORDERED for name in pair}


def check(name: object, value: Any) -> Any:
    """Return `value`, checked, in the type that the parameter `name` has.

    :raises ConfigError: if there is no such parameter, or the value is not allowed.
    """
    described = TABLE.get(name) if isinstance(name, str) else None
    if described is None:
        raise ConfigError(f"there is no parameter {shown(name)}; there are: {', '.join(TABLE)}")
    kind = described.kind
    if isinstance(kind, Range) and _is_in(kind, value):
        return int(value) if kind.whole else float(value)
    if isinstance(kind, Scale) and _is_scale(value):
        return value
    if isinstance(kind, Inputs) and (inputs := _inputs(value)) is not None:
        return inputs
    if isinstance(kind, OfParts) and (of_parts := _of_parts(kind, value)) is not None:
        return of_parts
    if isinstance(kind, Bindings) and (bindings := _bindings(value)) is not None:
        return bindings
    if isinstance(kind, tuple) and isinstance(value, type(kind[0])) and value in kind:
        return value
    raise ConfigError(f"{name} must be {allowed_words(str(name))}; it is {shown(value)}")


def checked(parameters: Parameters) -> Parameters:
    """Return `parameters`, each checked and in its type.

    :raises ConfigError: if one of them is not allowed, or a low bound is above its high one.
    """
    known = Parameters(**{name: check(name, getattr(parameters, name)) for name in TABLE})
    for _, _, said in crossed(known):
        raise ConfigError(said)
    return known


def crossed(parameters: Parameters) -> Iterator[tuple[str, str, str]]:
    """Yield each pair of bounds whose low one is above its high one, with the message for an error."""
    for low, high in ORDERED:
        lowest, highest = getattr(parameters, low), getattr(parameters, high)
        if lowest > highest:
            yield low, high, f"{low} must not be above {high}; they are {lowest} and {highest}"


def check_order(parameter: str, value: Any, playing: Parameters) -> None:
    """Check that the new `value` of a bound keeps low below high, with the other bound as it is in `playing`.

    :raises ConfigError: if it would put low above high.
    """
    if parameter in BOUNDED:
        for *pair, said in crossed(replace(playing, **{parameter: value})):
            if parameter in pair:
                raise ConfigError(said)


def in_order(changes: Mapping[str, Any], playing: Parameters) -> list[str]:
    """Return the live parameters among `changes` in an order in which they can be applied one by one.

    It is the order of the table, except that of two bounds that move up, the high one moves first.
    """
    order = [name for name in TABLE if name in changes]
    for low, high in ORDERED:
        if low in changes and high in changes and changes[low] > getattr(playing, high):
            order.remove(high)
            order.insert(order.index(low), high)
    return order


def _is_scale(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        return False
    try:
        pitches_of(value)
    except ConfigError:
        return False
    return True


def _inputs(value: Any) -> str | None:
    """Return inputs as a parameter has them; also numbers, and lists of them, mean some. None if they mean nothing."""
    if isinstance(value, str):
        value = [word.strip() for word in value[:LONGEST_NAME].split(",")]
        if value == [ALL]:
            return ALL
        numbers = [int(word) if word.isascii() and word.isdecimal() else 0 for word in value]
    else:
        numbers = [value] if _is_whole(value) else list(value) if isinstance(value, list | tuple) else []
    if not numbers or not all(_is_whole(number) and 1 <= number <= MOST_PORTS for number in numbers):
        return None
    return ",".join(str(int(number)) for number in sorted(set(numbers)))


def _of_parts(kind: OfParts, value: Any) -> str | None:
    """Return what a line says of parts as a parameter has it; None if it means nothing."""
    found = said_of_parts(value) if isinstance(value, str) and len(value) <= LONGEST else None
    if found is None or any(len(numbers) != 1 + kind.pair for numbers in found.values()):
        return None
    if not all(_is_in(kind.span, number) for numbers in found.values() for number in numbers):
        return None
    return in_one_line(found) if all(numbers[0] <= numbers[-1] for numbers in found.values()) else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_in(span: Range, value: Any) -> bool:
    """Say whether `value` is a number in the range; where whole numbers are wanted, 60.0 is one."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return is_number and bool(span.low <= value <= span.high and not (span.whole and value % 1))


def _bindings(value: Any) -> dict[str, Any] | None:
    """Return a copy of a table of bindings, or None if it is malformed; `knobs` checks which controls it names."""
    if not isinstance(value, Mapping):
        return None
    copy: dict[str, Any] = {}
    for name, binding in value.items():
        if not isinstance(name, str):
            return None
        if isinstance(binding, Mapping):
            if "control" not in binding or not set(binding) <= {"control", "channel"}:
                return None
            if not all(map(_is_whole, binding.values())) or not 1 <= binding.get("channel", 1) <= CHANNELS:
                return None
            copy[name] = {key: int(number) for key, number in binding.items()}
        elif _is_whole(binding):
            copy[name] = int(binding)
        else:
            return None
    return copy
