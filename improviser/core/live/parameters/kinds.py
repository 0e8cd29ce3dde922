"""The kinds of live parameters: what each may be, said in words, and how knobs and keys move through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from improviser.core.addresses.port_choice import MOST_PORTS
from improviser.core.music.pitch import AUTO, OFF, key_name

POSITIONS = 128
"""How many positions a knob has."""

ALL = "all"
DIGITS = 3
"""Decimals to which knobs and keys set numbers."""


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`.

    :param whole: whether it must be a whole number.
    :param step: by how much a key, or a step of a slider, changes it.
    """

    low: float
    high: float
    whole: bool = False
    step: float = 1

    def at(self, position: int) -> float:
        """Return the value at a position of a knob, 0–127: the ends are the ends."""
        return self._rounded(self.low + (self.high - self.low) * position / (POSITIONS - 1))

    def place_of(self, value: float) -> float:
        """Return the position, a fraction too, where the value is `value`."""
        return (value - self.low) / (self.high - self.low) * (POSITIONS - 1)

    def stepped(self, value: float, steps: int) -> float:
        """Return what is so many steps above `value` (below, if negative), within the range."""
        return min(self.high, max(self.low, self._rounded(value + steps * self.step)))

    def _rounded(self, value: float) -> float:
        return round(value) if self.whole else round(value, DIGITS)

    @property
    def span(self) -> str:
        """From where to where it goes, in words."""
        return f"{self.low:g}–{self.high:g}" if self.low >= 0 else f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Scale:
    """The name of a scale, see `core.music.scales`."""

    def __str__(self) -> str:
        return "off, auto (the key and mode you play in), or a key such as 'D minor'"


@dataclass(frozen=True, slots=True)
class Inputs:
    """All inputs of a session, or the numbers of some of them, counted from 1: "all", or "1,3"."""

    def __str__(self) -> str:
        return f"all, or numbers of inputs from 1 to {MOST_PORTS}, such as '1,2'"


@dataclass(frozen=True, slots=True)
class OfParts:
    """Numbers of some of the parts of a choir, in one line, see `core.music.parts`.

    :param span: what they may be.
    :param example: such a line.
    :param pair: whether there are two for each part, the lower first.
    """

    span: Range
    example: str
    pair: bool = False

    def __str__(self) -> str:
        return f"off, or numbers {self.span.span} of some parts, such as '{self.example}'"


@dataclass(frozen=True, slots=True)
class Bindings:
    """A table that says which control changes turn which parameters, see `knobs`."""

    def __str__(self) -> str:
        return "a table of parameters, each with the number 0–127 of a control change, or with { control, channel }"


Choice = tuple[str | bool, ...]
SWITCH: Choice = (False, True)
Kind = Range | Choice | Scale | Inputs | OfParts | Bindings

SCALES = (OFF, AUTO, *(key_name(tonic, minor=minor) for minor in (False, True) for tonic in range(12)))
"""The usual scales: those that a knob goes through, and a shell completes. There are more."""


@dataclass(frozen=True, slots=True)
class Described:
    """What there is to say of one live parameter; its name and its default are the field's that it describes.

    :param kind: what it may be.
    :param help: what it is for, in one line.
    :param note: what its special values mean, if it has any.
    :param unit: of a number, if it has one.
    :param main: whether it is one of the few that most people turn, which are shown first.
    :param always: whether the display names it at its default, too.
    :param knob: whether a control change can turn it.
    :param option: whether `play` has an option for it.
    :param not_above: the parameter that it must not be above, if there is one.
    """

    kind: Kind
    help: str
    note: str = ""
    unit: str = ""
    main: bool = False
    always: bool = False
    knob: bool = True
    option: bool = True
    not_above: str = ""

    @property
    def type(self) -> Any:
        """The plain type of its values."""
        if isinstance(self.kind, Range):
            return int if self.kind.whole else float
        return dict if isinstance(self.kind, Bindings) else bool if self.kind == SWITCH else str

    @property
    def choices(self) -> tuple[str, ...]:
        """The words to choose from; of scales, the usual ones; none for numbers, switches and tables."""
        if isinstance(self.kind, Scale):
            return SCALES
        return tuple(choice for choice in self.kind if isinstance(choice, str)) if isinstance(self.kind, tuple) else ()

    @property
    def way(self) -> Range | Choice:
        """What knobs and keys move it through: its range, or its choices in turn."""
        return self.kind if isinstance(self.kind, Range) else self.choices or SWITCH

    def stepped(self, value: Any, steps: int) -> Any:
        """Return what is so many steps above `value`; of choices, the one that comes so many after it, in a circle."""
        if isinstance(self.way, Range):
            return self.way.stepped(value, steps)
        return after(self.way, value, steps)


def named(name: str, value: Any, unit: str = "") -> str:
    """Return a parameter and its value as a display names them: "density 0.5", "delay 0.2 seconds", "bend off"."""
    said = ("off", "on")[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
    return f"{name.replace('_', ' ')} {said}{f' {unit}' if unit else ''}"


def words(kind: Kind, unit: str = "") -> str:
    """Return what a parameter of this kind, and of this unit if it has one, may be."""
    if isinstance(kind, Range):
        return f"a {'whole ' if kind.whole else ''}number {f'of {unit} ' if unit else ''}{kind.span}"
    if not isinstance(kind, tuple):
        return str(kind)
    if kind == SWITCH:
        return "true or false"
    *most, last = map(str, kind)
    return f"{', '.join(most)} or {last}"


def after(choices: Sequence[Any], now: Any, steps: int = 1) -> Any:
    """Return the one of `choices` that comes so many after `now`, in a circle; the first, if `now` is none of them."""
    return choices[(choices.index(now) + steps) % len(choices)] if now in choices else choices[0]
