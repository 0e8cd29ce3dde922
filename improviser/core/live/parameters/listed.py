"""The live parameters, listed for programs: what each is, may be and begins as."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from improviser.core.live.parameters.kinds import Range
from improviser.core.live.parameters.table import TABLE, Parameters, allowed_words


@dataclass(frozen=True, slots=True)
class Parameter:
    """One live parameter.

    :param name: as `Performer` takes it, as a keyword and in `change`.
    :param default: what it is where nothing is said.
    :param help: what it is for, in one sentence.
    :param unit: of its numbers, such as "seconds"; empty where there is none.
    :param low, high: the range of a number, ends included; None for others.
    :param whole: whether it is a whole number.
    :param choices: all it can be, where these can be listed; else empty.
    :param allowed: what it may be, in words.
    """

    name: str
    default: Any
    help: str
    unit: str
    low: float | None
    high: float | None
    whole: bool
    choices: tuple[str | bool, ...]
    allowed: str


def parameters() -> Mapping[str, Parameter]:
    """Return every live parameter by its name, in the order of the README's table.

    >>> import improviser
    >>> temperature = improviser.parameters()["temperature"]
    >>> temperature.low, temperature.high
    (0, 4)
    >>> improviser.parameters()["mode"].choices
    ('shadow', 'answer', 'solo', 'mute')
    """
    defaults = Parameters()
    return {field.name: _parameter(field.name, getattr(defaults, field.name)) for field in fields(Parameters)}


def _parameter(name: str, default: object) -> Parameter:
    described = TABLE[name]
    kind = described.kind
    span = kind if isinstance(kind, Range) else None
    choices = kind if isinstance(kind, tuple) else ()
    return Parameter(
        name=name,
        default=default,
        help=described.help,
        unit=described.unit,
        low=span.low if span else None,
        high=span.high if span else None,
        whole=span is not None and span.whole,
        choices=choices,
        allowed=allowed_words(name),
    )
