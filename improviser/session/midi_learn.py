"""MIDI learn: the user moves a knob, and it turns the parameter that is to be learned, now and in sessions to come.

The engine reports every message it hears, so what moves is known here, beside the note path; from then on the performer
itself obeys the knob (see `core.live.player.knobs`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from improviser.core.live.player.knobs import LEARNABLE, check_control, rebound
from improviser.core.live.player.movement import FINE, SELECTING, judge
from improviser.core.midi.event import ControlChange
from improviser.engine.events import SessionEvent
from improviser.engine.service import Service
from improviser.errors import ConfigError, ImproviserError
from improviser.settings.checking import nearest
from improviser.waiting import within

PAUSE_SECONDS = 0.25
"""Without a message for so long a movement is over."""


class Learning:
    """Learns controls for `parameters`, one after the other.

    :param keep: writes all controls to the user's settings and returns where they are.
    :raises ConfigError: if there is no such parameter.
    """

    def __init__(self, parameters: Sequence[str], keep: Callable[[Mapping[str, Any]], Path]) -> None:
        for parameter in parameters:
            if parameter not in LEARNABLE:
                raise ConfigError(f"--learn: no control can turn {parameter[:40]!r}; {nearest(parameter, LEARNABLE)}")
        self._parameters = tuple(dict.fromkeys(parameters))
        self._keep = keep
        self._moved: asyncio.Queue[ControlChange] = asyncio.Queue()
        self._known: set[tuple[int, int]] = set()
        self._numbered: set[int] = set()
        """The channels on which an NRPN or RPN has been selected: what data comes there is its value."""
        self._waiting: str | None = None
        """What a control is waited for."""

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""
        moved = event.heard
        if not isinstance(moved, ControlChange):
            return
        if moved.control in SELECTING:
            self._numbered.add(moved.channel)
        elif self._waiting is not None and self._may_be_meant(moved, self._waiting):
            self._moved.put_nowait(moved)

    def _may_be_meant(self, event: ControlChange, parameter: str) -> bool:
        """Say whether a control change can be bound, and is not still the knob that was learned before."""
        try:
            check_control(event.control, parameter)
        except ConfigError:
            return False
        return (event.channel, event.control) not in self._known

    async def run(self, service: Service, say: Callable[[str], None]) -> None:
        """Learn them all; `say` gets a line for each thing there is to say."""
        await service.opened()
        for parameter in self._parameters:
            say(f"to learn {parameter}: move the knob, slider or button that is to turn it")
            moved = await self._movement(parameter, say)
            self._known |= {(moved.channel, moved.control), (moved.channel, moved.control + FINE)}
            binding = {"control": moved.control, "channel": moved.channel + 1}
            before = service.parameters.controls
            controls = rebound(before, parameter, binding)
            service.request("controls", controls, "learning")
            lost = [name for name in before if name not in controls]
            instead = f", and {', '.join(lost)} no more" if lost else ""
            what = f"control {moved.control} on channel {moved.channel + 1} turns {parameter}{instead}"
            say(f"{what}; {await self._kept(controls)}")

    async def _movement(self, parameter: str, say: Callable[[str], None]) -> ControlChange:
        """Wait until a control is moved that can be bound; `say` why another cannot."""
        self._waiting = parameter
        while True:
            moves = [await self._moved.get()]
            judged = None
            while judged is None:
                numbered = moves[0].channel in self._numbered
                judged = judge(moves, numbered=numbered)
                if judged is None and (next_one := await self._next()) is not None:
                    moves.append(next_one)
                elif judged is None:
                    judged = judge(moves, numbered=numbered, over=True)
            if isinstance(judged, ControlChange):
                break
            say(judged)
            while await self._next() is not None:  # the same movement goes on
                pass
        self._waiting = None
        while not self._moved.empty():
            self._moved.get_nowait()
        return judged

    async def _next(self) -> ControlChange | None:
        """Return the next message of the movement, None if it is over."""
        try:
            return await within(PAUSE_SECONDS, self._moved.get())
        except TimeoutError:
            return None

    async def _kept(self, controls: Mapping[str, Any]) -> str:
        """Keep what was learned; return where, or why that is not possible."""
        try:
            return f"kept in {await asyncio.to_thread(self._keep, controls)}"
        except ImproviserError as error:
            return f"in this session alone: {error}"
