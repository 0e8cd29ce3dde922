"""Pedals, the bend wheel and channel pressure: where the player has them, and where they are at our output.

What is passed on depends on parameters that change under held pedals (another channel, thru, mute). So both sides are
known, and after a change the output is brought to where it should be: nothing stays down that nobody holds.
"""

from collections.abc import Callable, Iterable

from improviser.core.midi.event import (
    HELD_PEDALS,
    QUESTION,
    SOFT,
    SOSTENUTO,
    SUSTAIN,
    ChannelPressure,
    ControlChange,
    Event,
    PitchBend,
)
from improviser.core.midi.lanes import input_of
from improviser.core.midi.pairing import PEDAL_DOWN

PASSED_ON = (*HELD_PEDALS, SOFT, QUESTION)
"""The pedals, and what improvisers ask each other with."""

Wheel = type[PitchBend] | type[ChannelPressure]
Part = int | Wheel
"""A control number, or the class of events of a wheel."""

Routes = Callable[[int, Part], Iterable[int]]
"""The output channels that a control of a channel of the player goes to."""


class Controls:
    """The positions of all controls that stay where they are put."""

    def __init__(self) -> None:
        self._player: dict[tuple[int, Part], int] = {}
        self._output: dict[tuple[int, Part], int] = {}

    def move(self, event: Event, routes: Routes) -> list[Event]:
        """Take in a move of the player's; return what to pass on. An event of another kind is nothing."""
        part = part_of(event)
        if part is None or not isinstance(event, ControlChange | PitchBend | ChannelPressure):
            return []
        self._player[event.channel, part] = event.value
        moved: list[Event] = []
        for channel in routes(event.channel, part):
            # A pedal that another channel of the player holds at the same output stays down.
            value = event.value or self._held(channel, part, routes, but=input_of(event.channel))
            if self._output.get((channel, part)) != value:  # else it would go round for ever where our output comes in
                moved.append(_event(channel, part, value))
                self._output[channel, part] = value
        return moved

    def rest(self, channel: int, routes: Routes) -> list[Event]:
        """Take in that all controls of a channel of the player's are at rest now; return what to pass on."""
        away = [part for (on, part), value in self._player.items() if on == channel and value]
        return [moved for part in away for moved in self.move(_event(channel, part, 0), routes)]

    def cut(self, channel: int, routes: Routes) -> list[Event]:
        """Return what ends the notes that only a pedal of a channel of the player's keeps; it may stay down.

        The sostenuto pedal does not: it keeps what it caught as it went down, and that is nothing any more.
        """
        caught = self._player.get((channel, SOSTENUTO))
        moved = self.move(ControlChange(channel, SOSTENUTO, 0), routes) if caught else []
        for output in routes(channel, SUSTAIN):  # whoever's pedal it is: in an MPE zone that of its manager
            if value := self._output.get((output, SUSTAIN), 0):
                moved += [ControlChange(output, SUSTAIN, 0), ControlChange(output, SUSTAIN, value)]
        return moved

    def at_output(self, output: int, part: Part) -> int:
        """Return where a control is at a channel of our output."""
        return self._output.get((output, part), 0)

    def is_at_rest(self, output: int) -> bool:
        """Say whether nothing is held at a channel of our output."""
        return not any(value for (channel, _), value in self._output.items() if channel == output)

    @property
    def held_on(self) -> set[int]:
        """The channels of the player's on which any control is away from its rest."""
        return {channel for (channel, _), value in self._player.items() if value}

    def is_down(self, channel: int, pedal: int) -> bool:
        """Say whether the player holds a pedal of a channel."""
        return self._player.get((channel, pedal), 0) >= PEDAL_DOWN

    def _held(self, output: int, part: Part, routes: Routes, but: int) -> int:
        """Return where the player holds a control of an output; a wheel, on another input than `but`."""
        held = [
            value
            for (channel, kind), value in self._player.items()
            if kind == part
            and value
            and (isinstance(part, int) or input_of(channel) != but)
            and output in routes(channel, kind)
        ]
        return max(held, key=abs, default=0)

    def rearranged(self, routes: Routes) -> list[Event]:
        """Return what brings the output to where `routes` want it."""
        wanted: dict[tuple[int, Part], int] = {}
        for (channel, part), value in self._player.items():
            for output in routes(channel, part):
                wanted[output, part] = wanted.get((output, part), 0) or value
        moved = []
        for channel, part in sorted({*wanted, *self._output}, key=str):
            value = wanted.get((channel, part), 0)
            if self._output.get((channel, part), 0) != value:
                moved.append(_event(channel, part, value))
        self._output = wanted
        return moved

    def forget(self) -> None:
        """Take everything for at rest, on both sides."""
        self._player.clear()
        self._output.clear()


def part_of(event: Event) -> Part | None:
    """Return which control an event moves, if it is one that stays where it is put."""
    if isinstance(event, ControlChange):
        return event.control if event.control in PASSED_ON else None
    if isinstance(event, PitchBend | ChannelPressure):
        return type(event)
    return None


def _event(channel: int, part: Part, value: int) -> Event:
    return ControlChange(channel, part, value) if isinstance(part, int) else part(channel, value)
