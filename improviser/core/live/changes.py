"""Changes: of live parameters and by commands, whoever asks for them: a caller, or the player's knobs and pedals.

What the player's other controls do (sustain pedal, wheels, messages to a whole channel) is carried out here as well.
"""

from dataclasses import replace
from typing import Any, Final

from improviser.core.live.answering.band import Band
from improviser.core.live.output.sounding import THRU, Sounding
from improviser.core.live.parameters.allowed import check, checked
from improviser.core.live.parameters.kinds import POSITIONS
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.hands import Hands
from improviser.core.live.player.knobs import MODEL, Knobs, Picked
from improviser.core.live.player.votes import COMMANDS, FORGET, GOOD
from improviser.core.live.playing import Playing
from improviser.core.midi.event import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    RESET_ALL_CONTROLLERS,
    ControlChange,
    Event,
    ProgramChange,
)


class Changes:
    """The parameters that are played with, and what changes them.

    :raises ConfigError: if a control that they bind cannot be bound.
    """

    def __init__(self, parameters: Parameters, band: Band, playing: Playing, hands: Hands, sounding: Sounding) -> None:
        self.parameters = parameters
        self._knobs = Knobs(parameters.controls)
        self._band: Final = band
        self._playing: Final = playing
        self._hands: Final = hands
        self._sounding: Final = sounding
        self.turned: tuple[str, Any] | None = None
        """The parameter that a control of the player's changed since `begin_call`, and its value (see `Outcome`)."""
        self.picked: Picked | None = None
        self.done: str | None = None

    def begin_call(self) -> None:
        """Forget what the player's controls changed, picked or did before this call."""
        self.turned = self.picked = self.done = None

    def changed(self, name: str, value: Any) -> tuple[Parameters, Knobs]:
        """Return what to `adopt` to change a parameter; changes nothing.

        :raises ConfigError: if there is no such parameter, or it cannot be this.
        """
        parameters = checked(replace(self.parameters, **{name: check(name, value)}))
        return parameters, Knobs(parameters.controls) if name == "controls" else self._knobs

    def adopt(self, changed: Parameters, knobs: Knobs, now: float) -> list[Event]:
        """Play with these parameters from `now` on; return what to send for it."""
        before, self.parameters, self._knobs = self.parameters, changed, knobs
        events = self._playing.adopt(changed, now)
        if not changed.thru:
            events += self._sounding.stop_all(THRU)
        elif changed.thru_inputs != before.thru_inputs:
            lanes = sorted({lane for lane, _ in self._sounding.keys if not changed.sends_on(lane)})
            events += [end for lane in lanes for end in self._sounding.stop_all(THRU, lane)]
        return events + self._hands.rearranged(changed)

    def obey(self, command: str) -> None:
        """Carry out one of `COMMANDS`: a vote, or to forget."""
        self._playing.think_again()
        if command == FORGET:
            self._band.forget()
        else:
            self._band.vote(good=command == GOOD)

    def control(self, event: Event, now: float) -> list[Event]:
        """Carry out what the player does besides striking and releasing keys; return what to send."""
        # A bound knob works on every channel, also on those that are not listened to.
        if isinstance(event, ControlChange) and (parameter := self._knobs.turned_by(event)) is not None:
            return self._turn_knob(parameter, event.value, now)
        if isinstance(event, ControlChange) and event.control == ALL_SOUND_OFF:
            return self._silence(event.channel, now)
        if isinstance(event, ControlChange) and event.control == RESET_ALL_CONTROLLERS:
            return self._hands.reset(event, now, self.parameters)
        if isinstance(event, ControlChange) and event.control >= ALL_NOTES_OFF:
            return self._hands.release_keys(event.channel, now)
        if isinstance(event, ProgramChange) and self.parameters.programs:
            self.picked = Picked(event.program) if self.parameters.hears_channel(event.channel) else None
            return []
        return self._hands.move(event, now, self.parameters)

    def _turn_knob(self, parameter: str, position: int, now: float) -> list[Event]:
        """Take in that the player moved the knob of a parameter, or the pedal of a command, to a position, 0–127."""
        if parameter in COMMANDS:
            if self._knobs.presses(parameter, position):
                self.done = parameter
                self.obey(parameter)
            return []
        if parameter == MODEL:
            self.picked = Picked(position, POSITIONS)
            return []
        if (value := self._knobs.turn(parameter, position, self.parameters)) is None:
            return []
        self.turned = (parameter, value)
        return self.adopt(replace(self.parameters, **{parameter: value}), self._knobs, now)

    def _silence(self, channel: int, now: float) -> list[Event]:
        """End all that sounds because of a channel of the player's, replies to it too; the phrase is not forgotten."""
        heard = self.parameters.hears_channel(channel)
        ended = self._playing.interrupt() if heard and self._playing.replies_to(channel) else []
        return ended + self._hands.silence(channel, now, self.parameters)
