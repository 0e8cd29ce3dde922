"""When notes start, and how: now, at the next point of the grid, or after a delay; on which channel, and how loud.

Where each part has a channel of its own, its program is sent before its first note there.
"""

from collections.abc import Sequence

from improviser.core.live.output.postponed import Owner
from improviser.core.live.output.sounding import ANSWER, Sounding
from improviser.core.live.parameters.table import Parameters
from improviser.core.midi.clock import GRIDS, Clock
from improviser.core.midi.event import Event, NoteOn, ProgramChange
from improviser.core.music.parts import Sung


class Starting:
    """Starts notes of an owner; parameters say when and how."""

    def __init__(self, parameters: Parameters, sounding: Sounding, clock: Clock) -> None:
        self._parameters = parameters
        self._is_as_loud = parameters.is_as_loud
        self._sounding = sounding
        self._clock = clock
        self._wanted: dict[int, int] = {}
        """The programs of channels that parts have to themselves."""
        self._sent: dict[int, int] = {}

    def adopt(self, parameters: Parameters) -> None:
        """Start notes as these parameters say from now on."""
        before, self._parameters = self._parameters, parameters
        self._is_as_loud = parameters.is_as_loud
        if (parameters.channel, parameters.channels, parameters.instruments) != (
            before.channel,
            before.channels,
            before.instruments,
        ):
            self.forget()

    def voiced(self, sung: Sung, channel: int, velocity: int) -> NoteOn:
        """Return the note of a part that answers one of the player's of this velocity; others answer on `channel`."""
        if self._is_as_loud:
            return NoteOn(channel, sung.pitch, velocity)
        parameters, part = self._parameters, sung.part
        own = parameters.channel_of_part(channel, part)
        if (program := parameters.program_of_part(part)) is not None:
            self._wanted[own] = program
        return NoteOn(own, sung.pitch, parameters.loudness(velocity, part))

    def lacks_program(self, notes: Sequence[NoteOn]) -> bool:
        """Say whether a program is to be sent before notes."""
        return bool(self._wanted) and any(
            self._wanted.get(note.channel) != self._sent.get(note.channel) for note in notes
        )

    def forget(self) -> None:
        """Forget which programs have been sent."""
        self._wanted, self._sent = {}, {}

    def __call__(self, owner: Owner, notes: Sequence[NoteOn], now: float) -> list[Event]:
        """Start notes as soon as may be; return what is to be sent at once."""
        parameters = self._parameters
        delay = self._clock.delay(now, GRIDS[parameters.quantise]) if parameters.quantise != "off" else 0.0
        if owner[0] == ANSWER:
            delay += parameters.delay
        return self._programs(notes) + self._sounding.start(owner, notes, now, delay)

    def _programs(self, notes: Sequence[NoteOn]) -> list[Event]:
        """Return the programs that are to be sent before notes."""
        events: list[Event] = []
        if self._wanted:
            for channel in dict.fromkeys(note.channel for note in notes):
                program = self._wanted.get(channel)
                if program is not None and self._sent.get(channel) != program:
                    self._sent[channel] = program
                    events.append(ProgramChange(channel, program))
        return events
