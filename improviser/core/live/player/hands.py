"""The keys, pedals and wheels that the player holds, by channel, and the messages that release all of them at once.

Messages to a whole channel (MIDI 1.0) mean here:

* CC 123, all notes off: every key of the channel counts as released; pedals still sustain. CC 124-127 (omni, mono,
  poly) do the same. None of them is passed on: each of our notes gets its own note-off, and the player's messages must
  not end replies that sound on the same channel, or make it mono.
* CC 120, all sound off: in addition, notes held by a pedal end, and scheduled notes are cancelled.
* CC 121, reset all controllers: pedals, bend and pressure return to rest.
"""

from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.output.sounding import ANSWER, THRU, Sounding
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.controls import Controls, Part, Routes, part_of
from improviser.core.live.player.held import Held
from improviser.core.live.player.zones import LiveZones
from improviser.core.midi.event import QUESTION, SUSTAIN, ChannelPressure, ControlChange, Event, KeyPressure, PitchBend
from improviser.core.midi.lanes import channel_of, input_of, lanes_of, to_send
from improviser.core.midi.pairing import PEDAL_DOWN
from improviser.core.music.phrase import PhraseTracker


class Hands:
    """Tracks what the player holds and releases it; each method returns the events to send.

    The keys that are down are known by what sounds for them, and by the phrase that they are part of.
    """

    def __init__(self, tracker: PhraseTracker, sounding: Sounding, zones: LiveZones, held: Held) -> None:
        self._tracker = tracker
        self._zones = zones
        self._held = held
        self._sounding = sounding
        self._controls = Controls()
        self._pressed_harder: dict[int, set[int]] = {}
        """The output channels that have had aftertouch of single keys, by the player's channel."""

    def hold(self, number: int) -> bool:
        """Whether anything is held on input `number`: a key is down, or a pedal or wheel not at rest."""
        held = {lane for lane, _ in self._sounding.keys} | self._tracker.held_on | self._controls.held_on
        return any(input_of(lane) == number for lane in held)

    def move(self, event: Event, now: float, parameters: Parameters) -> list[Event]:
        """Process a move of a pedal, a wheel, or a key that is down. Other events are passed on if `thru` is on."""
        heard = parameters.hears_channel(event.channel)
        drums = self._zones.is_drums(event.channel, parameters)
        if isinstance(event, ControlChange) and event.control == SUSTAIN:
            self._pedal(event.channel, down=heard and not drums and event.value >= PEDAL_DOWN, now=now)
        if isinstance(event, KeyPressure):
            return self._press_harder(event) if parameters.aftertouch else []
        # Where zones change, answers move to other channels, and so do pedals.
        moved = self.rearranged(parameters) if self._zones.take(event) else []
        if part_of(event) is not None:
            return moved + self._controls.move(event, self._routes(parameters))
        passed = heard and parameters.sends_on(event.channel) and not (drums and parameters.drums == "ignore")
        return [*moved, to_send(event)] if passed else moved

    def _pedal(self, channel: int, *, down: bool, now: float) -> None:
        self._tracker.pedal(channel, down=down, now=now)
        self._held.pedal(channel, down=down)

    def _press_harder(self, event: KeyPressure) -> list[Event]:
        pressed = self._sounding.press_harder(event.channel, event.pitch, event.value)
        if pressed:
            self._pressed_harder.setdefault(event.channel, set()).update(each.channel for each in pressed)
        return [*pressed]

    def question(self, output: int) -> int:
        """Return the present value, 0-127, of the controller that detects rings, on an output channel."""
        return self._controls.at_output(output, QUESTION)

    def rearranged(self, parameters: Parameters) -> list[Event]:
        """Move pedals and wheels at our output to where these parameters require them."""
        return self._controls.rearranged(self._routes(parameters))

    def release_keys(self, channel: int, now: float) -> list[Event]:
        """Release all keys of a channel."""
        down = {pitch for on, pitch in self._sounding.keys if on == channel} | set(self._tracker.down(channel))
        down |= self._held.down_on(channel)
        events: list[Event] = []
        for pitch in sorted(down):
            self._tracker.release(channel, pitch, now)
            self._held.release(channel, pitch)
            events += self._sounding.release(channel, pitch, now)
        return events

    def silence(self, channel: int, now: float, parameters: Parameters) -> list[Event]:
        """End everything that sounds for a channel, notes held by a pedal and scheduled ones too; pedals stay down."""
        events = self.release_keys(channel, now)
        if not parameters.hears_channel(channel):
            return events
        for kind in (THRU, ANSWER):
            self._sounding.drop(kind, channel)
            events += self._sounding.stop_all(kind, channel)
        if self._controls.is_down(channel, SUSTAIN):
            for down in (False, True):
                self._pedal(channel, down=down, now=now)
        return events + self._controls.cut(channel, self._routes(parameters))

    def reset(self, event: ControlChange, now: float, parameters: Parameters) -> list[Event]:
        """Return the pedals and wheels of a channel to rest.

        Each gets a message of its own, since some synthesisers do not know CC 121 (so the ledger need not know it
        either). CC 121 itself follows, except on outputs where another channel of the player still holds something.
        """
        channel = event.channel
        self._pedal(channel, down=False, now=now)
        events = self._controls.rest(channel, self._routes(parameters))
        if not parameters.hears_channel(channel):
            return events
        outputs = {moved.channel for moved in events} | self._pressed_harder.pop(channel, set())
        if parameters.sends_on(channel):
            outputs.add(channel_of(channel))
        resets = [ControlChange(output, event.control, event.value) for output in sorted(outputs)]
        return events + [reset for reset in resets if self._controls.is_at_rest(reset.channel)]

    def let_go(self, number: int, now: float, parameters: Parameters) -> list[Event]:
        """Release everything of input `number`, because the player is gone: all keys, pedals and wheels."""
        events: list[Event] = []
        for channel in lanes_of(number):
            events += self.release_keys(channel, now)
            self._pedal(channel, down=False, now=now)
            events += self._controls.rest(channel, self._routes(parameters))
        return events

    def forget(self) -> None:
        """Assume that all pedals and wheels are at rest, at the player's side and at our output."""
        self._controls.forget()
        self._held.clear()
        self._pressed_harder.clear()

    def _routes(self, parameters: Parameters) -> Routes:
        """Return which output channels a pedal or wheel of a channel of the player's goes to."""

        def routes(channel: int, part: Part) -> set[int]:
            wheel = part is PitchBend or part is ChannelPressure
            passed = (part is not PitchBend or parameters.bend) and (
                part is not ChannelPressure or parameters.aftertouch
            )
            drums = self._zones.is_drums(channel, parameters)
            if not passed or not parameters.hears_channel(channel) or (drums and parameters.drums == "ignore"):
                return set()
            own = {channel_of(channel)} if parameters.sends_on(channel) else set()
            # What bends a note of a zone is that note's alone, and there are no answers to drums.
            if MODES_BY_NAME[parameters.mode].silent or drums or (wheel and self._zones.holds(channel)):
                return own
            return own | {self._zones.output_channel(channel, parameters)}

        return routes
