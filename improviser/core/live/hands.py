"""What the player's hands and feet hold, by channel, and the messages that let go of all of it at once.

Messages to a whole channel (MIDI 1.0) mean here:

* CC 123, all notes off: all keys of the channel are up, as if each had been released; pedals go on sustaining.
  CC 124-127 (omni, mono, poly) end its notes as well. None of them is passed on: our notes get note-offs of their own,
  and replies that sound on the same channel are not the player's to end or to make mono.
* CC 120, all sound off: in addition, nothing is to sound on that was kept by a pedal, or was to come.
* CC 121, reset all controllers: pedals, bend and pressure are at rest.
"""

from improviser.core.live.controls import Controls, Part, Routes, part_of
from improviser.core.live.held import Held
from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.parameters import Parameters
from improviser.core.live.sounding import ANSWER, THRU, Sounding
from improviser.core.midi.event import QUESTION, SUSTAIN, ChannelPressure, ControlChange, Event, KeyPressure, PitchBend
from improviser.core.midi.pairing import PEDAL_DOWN
from improviser.core.music.note import CHANNELS
from improviser.core.music.phrase import PhraseTracker


class Hands:
    """Lets go of keys, pedals and wheels; what each method returns is to be sent.

    The keys that are down are known by what sounds for them, and by the phrase that they are part of.
    """

    def __init__(self, tracker: PhraseTracker, sounding: Sounding, held: Held) -> None:
        self._tracker = tracker
        self._held = held
        self._sounding = sounding
        self._controls = Controls()
        self._pressed_harder: dict[int, set[int]] = {}
        """The output channels that have had aftertouch of single keys, by the player's channel."""

    def hold(self) -> bool:
        """Whether anything is held: a key is down, or a pedal or wheel not at rest."""
        return bool(self._sounding.keys) or self._tracker.holds or self._controls.player_holds

    def move(self, event: Event, now: float, parameters: Parameters) -> list[Event]:
        """Take in a move of a pedal, a wheel, or of a key that is down. Others are passed on if `thru` wants it."""
        heard = parameters.hears_channel(event.channel)
        if isinstance(event, ControlChange) and event.control == SUSTAIN:
            self._pedal(event.channel, down=heard and event.value >= PEDAL_DOWN, now=now)
        if isinstance(event, KeyPressure):
            return self._press_harder(event) if parameters.aftertouch else []
        if part_of(event) is not None:
            return self._controls.move(event, routes_of(parameters))
        return [event] if heard and parameters.thru else []

    def _pedal(self, channel: int, *, down: bool, now: float) -> None:
        self._tracker.pedal(channel, down=down, now=now)
        self._held.pedal(channel, down=down)

    def _press_harder(self, event: KeyPressure) -> list[Event]:
        pressed = self._sounding.press_harder(event.channel, event.pitch, event.value)
        if pressed:
            self._pressed_harder.setdefault(event.channel, set()).update(each.channel for each in pressed)
        return [*pressed]

    def question(self, output: int) -> int:
        """Return where the controller that asks for rings is, 0-127, at a channel of our output."""
        return self._controls.at_output(output, QUESTION)

    def rearranged(self, parameters: Parameters) -> list[Event]:
        """Bring pedals and wheels at our output to where these parameters want them."""
        return self._controls.rearranged(routes_of(parameters))

    def release_keys(self, channel: int, now: float) -> list[Event]:
        """Take in that all keys of a channel are up."""
        down = {pitch for on, pitch in self._sounding.keys if on == channel} | set(self._tracker.down(channel))
        down |= self._held.down_on(channel)
        events: list[Event] = []
        for pitch in sorted(down):
            self._tracker.release(channel, pitch, now)
            self._held.release(channel, pitch)
            events += self._sounding.release(channel, pitch, now)
        return events

    def silence(self, channel: int, now: float, parameters: Parameters) -> list[Event]:
        """End all that sounds for a channel's keys, also what a pedal keeps or what was to come; pedals stay down."""
        events = self.release_keys(channel, now)
        if not parameters.hears_channel(channel):
            return events
        for kind in (THRU, ANSWER):
            self._sounding.drop(kind, channel)
            events += self._sounding.stop_all(kind, channel)
        if self._controls.is_down(channel, SUSTAIN):
            for down in (False, True):
                self._pedal(channel, down=down, now=now)
        return events + self._controls.cut(channel, routes_of(parameters))

    def reset(self, event: ControlChange, now: float, parameters: Parameters) -> list[Event]:
        """Bring pedals and wheels of a channel to rest.

        Each says so by itself, since some synths do not know the message (so the ledger need not know it either); it is
        passed on behind that, where it ends nothing that another channel of the player holds.
        """
        channel = event.channel
        self._pedal(channel, down=False, now=now)
        events = self._controls.rest(channel, routes_of(parameters))
        if not parameters.hears_channel(channel):
            return events
        outputs = {moved.channel for moved in events} | self._pressed_harder.pop(channel, set())
        if parameters.thru:
            outputs.add(channel)
        resets = [ControlChange(output, event.control, event.value) for output in sorted(outputs)]
        return events + [reset for reset in resets if self._controls.is_at_rest(reset.channel)]

    def let_go(self, now: float, parameters: Parameters) -> list[Event]:
        """Take in that there is nobody any more: all keys are up, and all pedals and wheels at rest."""
        events: list[Event] = []
        for channel in range(CHANNELS):
            events += self.release_keys(channel, now)
            self._pedal(channel, down=False, now=now)
            events += self._controls.rest(channel, routes_of(parameters))
        return events

    def forget(self) -> None:
        """Take all pedals and wheels for at rest, on both sides."""
        self._controls.forget()
        self._held.clear()
        self._pressed_harder.clear()


def routes_of(parameters: Parameters) -> Routes:
    """Return which output channels a pedal or wheel of a channel of the player's goes to."""

    def routes(channel: int, part: Part) -> set[int]:
        passed = (part is not PitchBend or parameters.bend) and (part is not ChannelPressure or parameters.aftertouch)
        if not passed or not parameters.hears_channel(channel):
            return set()
        own = {channel} if parameters.thru else set()
        return own if MODES_BY_NAME[parameters.mode].silent else own | {parameters.output_channel(channel)}

    return routes
