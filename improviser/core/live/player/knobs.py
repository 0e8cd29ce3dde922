"""Knobs: which control change turns which live parameter, and what a position of it means there.

They are turned by the performer itself, like any other event it hears: so a knob needs no way through the daemon, takes
effect between the same two notes each time, and a log of what was heard replays it. Which model plays is the one thing
that the performer cannot know by itself (models come from files): it says what was picked, and is told in time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from improviser.core.live.parameters.kinds import POSITIONS, Range
from improviser.core.live.parameters.table import ORDERED, TABLE, Parameters
from improviser.core.live.player.votes import COMMANDS
from improviser.core.midi.event import QUESTION, SOFT, SOSTENUTO, SUSTAIN, ControlChange
from improviser.core.midi.lanes import channel_of
from improviser.core.midi.pairing import PEDAL_DOWN
from improviser.errors import ConfigError

MODEL = "model"
BOUNDS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    **{low: (high, min) for low, high in ORDERED},
    **{high: (low, max) for low, high in ORDERED},
}
"""A knob stops where its counterpart is."""

Value = str | int | float | bool
Binding = int | Mapping[str, int]
"""A control number, 0–127, heard on any channel, or {"control": 0–127, "channel": 1–16}."""

_RESERVED = {
    0: "bank select",
    32: "bank select",
    SUSTAIN: "the sustain pedal",
    SOSTENUTO: "the sostenuto pedal",
    SOFT: "the soft pedal",
    QUESTION: "what improvisers find rings of connections with",
    88: "the fine part of a velocity",
    **dict.fromkeys(range(98, 102), "the number of another parameter"),
    **dict.fromkeys(range(120, 128), "a message to a whole channel"),
}
"""Control changes that mean something else to instruments (MIDI 1.0, table of controllers), or to us."""

RANGES: Mapping[str, Range | tuple[Value, ...]] = {
    name: described.way for name, described in TABLE.items() if described.knob
}
"""What a knob goes through between its ends: a range, or choices, each with an equal part of the way."""

SPARE = (SOSTENUTO, SOFT)
"""Pedals that may be given up for a command."""

LEARNABLE = (MODEL, *RANGES, *COMMANDS)


@dataclass(frozen=True, slots=True)
class Picked:
    """Which model the player wants: number `number` of them all, or the one at that of `positions` along a knob."""

    number: int
    positions: int = 0

    def among(self, count: int) -> int:
        """Return which of `count` models that is, 0 for the first; a number beyond the last stays so."""
        return self.number * count // self.positions if self.positions else self.number


class Knobs:
    """The controls that turn parameters.

    :param controls: a `Binding` for each parameter that has one.
    :raises ConfigError: if a parameter or a control cannot be bound, or one control is bound twice.
    """

    def __init__(self, controls: Mapping[str, Any]) -> None:
        self._bound: dict[tuple[int, int], str] = {}
        self._positions: dict[str, int] = {}
        for parameter, binding in controls.items():
            if parameter not in LEARNABLE:
                raise ConfigError(f"no control can turn {parameter[:40]!r}; what one can turn: {', '.join(LEARNABLE)}")
            control, channel = place_of(binding)
            check_control(control, parameter)
            rival = next((its for place, its in self._bound.items() if _meet(place, (control, channel))), None)
            if rival is not None:
                raise ConfigError(f"control {control} is bound to both {rival} and {parameter}; give one another")
            self._bound[control, channel] = parameter

    def turn(self, parameter: str, position: int, playing: Parameters) -> Any:
        """Take in that the knob of a parameter was moved; return what that is to be, None if it stays."""
        if not self.reaches(parameter, position, playing) and playing.pickup:
            return None
        value = value_at(parameter, position, playing)
        return None if value == getattr(playing, parameter) else value

    def reaches(self, parameter: str, position: int, playing: Parameters) -> bool:
        """Say whether a knob, moved to `position`, has hold of its parameter; it is remembered where the knob is.

        It has if the parameter is where the knob has put it, or as soon as it comes by there. One of a choice always
        has: buttons come by nowhere.
        """
        before = self._positions.get(parameter)
        self._positions[parameter] = position
        span = RANGES[parameter]
        if not isinstance(span, Range) or before is None:
            return not isinstance(span, Range) or abs(span.place_of(getattr(playing, parameter)) - position) <= 1
        if value_at(parameter, before, playing) == getattr(playing, parameter):
            return True
        low, high = sorted((before, position))
        return low - 1 <= span.place_of(getattr(playing, parameter)) <= high + 1

    def presses(self, command: str, position: int) -> bool:
        """Take in that the pedal of a command was moved to `position`; say whether it goes down with that."""
        before = self._positions.get(command, 0)
        self._positions[command] = position
        return before < PEDAL_DOWN <= position

    def turned_by(self, event: ControlChange) -> str | None:
        """Return the parameter that a control change turns, None if it is bound to none."""
        if not self._bound:
            return None
        own = self._bound.get((event.control, channel_of(event.channel) + 1))
        return own if own is not None else self._bound.get((event.control, 0))


def place_of(binding: Binding) -> tuple[int, int]:
    """Return control and channel of a binding; channel 0 is any."""
    return (binding, 0) if isinstance(binding, int) else (binding["control"], binding.get("channel", 0))


def check_control(control: int, parameter: str = "") -> None:
    """Check that a control change may be bound, to a parameter or command of this name.

    :raises ConfigError: if there is none of this number, or it has a meaning of its own.
    """
    if not 0 <= control < POSITIONS:
        raise ConfigError(f"there is no control {control}; they are numbered 0–127")
    if control in _RESERVED and not (parameter in COMMANDS and control in SPARE):
        raise ConfigError(f"control {control} is {_RESERVED[control]} and cannot be bound; use another")


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Say whether two places can be meant by the same event."""
    return one[0] == other[0] and (one[1] == other[1] or not one[1] or not other[1])


def rebound(controls: Mapping[str, Any], parameter: str, binding: Binding) -> dict[str, Any]:
    """Return `controls` with `parameter` bound anew; who had that control has none any more."""
    place = place_of(binding)
    kept = {name: its for name, its in controls.items() if name != parameter and not _meet(place_of(its), place)}
    return {**kept, parameter: binding}


def value_at(parameter: str, position: int, playing: Parameters) -> Any:
    """Return what `parameter` is when its knob is at `position`, 0–127, the other parameters being as they are."""
    span = RANGES[parameter]
    if not isinstance(span, Range):
        return span[position * len(span) // POSITIONS]
    value = span.at(position)
    if parameter in BOUNDS:
        other, nearer = BOUNDS[parameter]
        return nearer(value, getattr(playing, other))
    return value
