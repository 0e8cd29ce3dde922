"""What each live parameter may be: one table, by which the performer refuses whatever cannot be, and knobs travel."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from improviser.core.live.parameters import MODES, SIDES, Parameters
from improviser.core.midi.clock import GRIDS
from improviser.core.music.note import CHANNELS, PITCHES
from improviser.core.music.scales import pitches_of
from improviser.core.printable import shown
from improviser.errors import ConfigError

POSITIONS = 128
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Range:
    """What a parameter may be, from `low` to `high`; `whole` numbers alone, or any."""

    low: float
    high: float
    whole: bool = False

    def at(self, position: int) -> float:
        """Return the value at a position of a knob, 0–127: the ends are the ends."""
        value = self.low + (self.high - self.low) * position / (POSITIONS - 1)
        return round(value) if self.whole else round(value, 3)

    def place_of(self, value: float) -> float:
        """Return the position, a fraction too, where the value is `value`."""
        return (value - self.low) / (self.high - self.low) * (POSITIONS - 1)

    def __str__(self) -> str:
        return f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Scale:
    """A parameter that is the name of a scale, see `core.music.scales`."""

    def __str__(self) -> str:
        return "off, auto, or a key such as 'D minor'"


@dataclass(frozen=True, slots=True)
class Bindings:
    """A parameter that says which controls turn which parameters, see `knobs`."""

    def __str__(self) -> str:
        return "a table of parameters, each with a control 0–127, or with its control and channel (1–16)"


Choice = tuple[str | bool, ...]
Kind = Range | Choice | Scale | Bindings


@dataclass(frozen=True, slots=True)
class Described:
    """One parameter: what it may be, what for, and in which unit (empty: it has none)."""

    kind: Kind
    help: str
    unit: str = ""


_KEY = Range(0, PITCHES - 1, whole=True)
_CHANNEL = Range(0, CHANNELS, whole=True)
_SWITCH = (False, True)

TABLE: Mapping[str, Described] = {
    "mode": Described(MODES, "How it plays."),
    "temperature": Described(Range(0, 4), "How adventurous it is: 0 is sure of itself, 1 free."),
    "density": Described(Range(0, 1), "The share of notes that are answered."),
    "scale": Described(Scale(), "The key that answers keep to; auto is the key you play in."),
    "low": Described(_KEY, "The lowest pitch of an answer.", "MIDI pitch"),
    "high": Described(_KEY, "The highest pitch of an answer.", "MIDI pitch"),
    "thru": Described(_SWITCH, "Send the player's own notes on as well."),
    "transpose": Described(Range(-48, 48, whole=True), "Added to every answer.", "semitones"),
    "velocity_scale": Described(Range(0, 2), "How loud answers are against you: 1 is as loud."),
    "velocity_curve": Described(
        Range(0.25, 4), "How answers follow your touch: 1 is as played, less lifts soft notes, more lowers them."
    ),
    "channel": Described(_CHANNEL, "The channel of answers; 0 is that of your note."),
    "bend": Described(_SWITCH, "Pass pitch bend on."),
    "aftertouch": Described(_SWITCH, "Pass aftertouch on."),
    "input_channel": Described(_CHANNEL, "The only channel that is heard; 0 is every channel."),
    "input_low": Described(_KEY, "The lowest key that is heard.", "MIDI pitch"),
    "input_high": Described(_KEY, "The highest key that is heard.", "MIDI pitch"),
    "side": Described(SIDES, "Which side of the split is answered."),
    "split": Described(_KEY, "The lowest key above the split.", "MIDI pitch"),
    "delay": Described(Range(0, 2), "How long answers come after your notes.", "seconds"),
    "release_after": Described(
        Range(0, 3600), "After how long without a sign of life of yours held notes are released; 0 is never.", "seconds"
    ),
    "quantise": Described(tuple(GRIDS), "Where answers start while a MIDI clock runs."),
    "guard": Described(_SWITCH, "Pass over our own notes where they come back in."),
    "programs": Described(_SWITCH, "Program changes pick the model; else they go where thru sends them."),
    "pickup": Described(_SWITCH, "A knob turns nothing before it comes to where things are, so that nothing jumps."),
    "controls": Described(Bindings(), "Knobs, and what they turn."),
}
"""Every live parameter, by its name in `Parameters`."""

ORDERED = (("low", "high"), ("input_low", "input_high"))
"""Pairs of parameters of which the first must not be above the second."""


def check(name: object, value: Any) -> Any:
    """Return `value` as the parameter `name` holds it.

    :raises ConfigError: if there is no such parameter, or it cannot be this.
    """
    described = TABLE.get(name) if isinstance(name, str) else None
    if described is None:
        raise ConfigError(f"there is no parameter {shown(name)}; there are: {', '.join(TABLE)}")
    kind = described.kind
    if isinstance(kind, Range) and _is_in(kind, value):
        return int(value) if kind.whole else value if isinstance(value, int) else float(value)
    if isinstance(kind, Scale) and isinstance(value, str) and len(value) <= LONGEST_NAME:
        pitches_of(value)
        return value
    if isinstance(kind, Bindings) and (bindings := _bindings(value)) is not None:
        return bindings
    if isinstance(kind, tuple) and isinstance(value, type(kind[0])) and value in kind:
        return value
    allowed = " or ".join(str(choice).lower() for choice in kind) if isinstance(kind, tuple) else str(kind)
    raise ConfigError(f"{name} must be {allowed}; it is {shown(value)}")


def checked(parameters: Parameters) -> Parameters:
    """Return `parameters` as they are held.

    :raises ConfigError: if one of them cannot be, or two cannot be together.
    """
    known = Parameters(**{field.name: check(field.name, getattr(parameters, field.name)) for field in _FIELDS})
    for low, high in ORDERED:
        if getattr(known, low) > getattr(known, high):
            raise ConfigError(
                f"{low} must not be above {high}; they are {getattr(known, low)} and {getattr(known, high)}"
            )
    return known


_FIELDS = fields(Parameters)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_in(span: Range, value: Any) -> bool:
    """Say whether `value` is a number that can be; where whole ones are wanted, 60.0 is one."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return is_number and bool(span.low <= value <= span.high and not (span.whole and value % 1))


def _bindings(value: Any) -> dict[str, Any] | None:
    """Return a copy of a table of bindings, None if it is none; `knobs` knows which can be."""
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
