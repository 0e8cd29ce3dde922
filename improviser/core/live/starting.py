"""When notes start: now, at the next point of the grid, or after the delay that is asked for."""

from collections.abc import Sequence

from improviser.core.live.parameters import Parameters
from improviser.core.live.postponed import Owner
from improviser.core.live.sounding import ANSWER, Sounding
from improviser.core.midi.clock import GRIDS, Clock
from improviser.core.midi.event import Event, NoteOn


class Starting:
    """Starts notes of an owner; `parameters` say when."""

    def __init__(self, parameters: Parameters, sounding: Sounding, clock: Clock) -> None:
        self.parameters = parameters
        self._sounding = sounding
        self._clock = clock

    def __call__(self, owner: Owner, notes: Sequence[NoteOn], now: float) -> list[Event]:
        """Start notes as soon as may be; return what is to be sent at once."""
        parameters = self.parameters
        delay = self._clock.delay(now, GRIDS[parameters.quantise]) if parameters.quantise != "off" else 0.0
        if owner[0] == ANSWER:
            delay += parameters.delay
        return self._sounding.start(owner, notes, now, delay)
