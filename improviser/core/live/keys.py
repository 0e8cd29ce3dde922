"""The player's keys: what is sent on, answered or replied to when one is pressed, and ended when it is released."""

from typing import Final

from improviser.core.live.answering.drawing import Drawing
from improviser.core.live.guards.loops import Loops
from improviser.core.live.guards.returned import Returned
from improviser.core.live.output.sounding import THRU, Sounding
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.chords import Listener
from improviser.core.live.player.zones import LiveZones
from improviser.core.live.playing import Playing
from improviser.core.midi.event import Event, NoteOn
from improviser.core.midi.lanes import channel_of, to_send
from improviser.core.music.phrase import PhraseTracker


class Keys:
    """Takes in presses and releases of keys; callers send the messages that its methods return."""

    def __init__(
        self,
        playing: Playing,
        tracker: PhraseTracker,
        sounding: Sounding,
        zones: LiveZones,
        listener: Listener,
        loops: Loops,
        drawing: Drawing,
    ) -> None:
        self._playing: Final = playing
        self._tracker: Final = tracker
        self._sounding: Final = sounding
        self._zones: Final = zones
        self._listener: Final = listener
        self._loops: Final = loops
        self._drawing: Final = drawing
        self.returned: Final = Returned()
        """Keys that may be our own notes coming back."""
        self._pressed: list[tuple[NoteOn, float, bool]] = []

    def settle(self) -> None:
        """Learn what was pressed since the last call."""
        for note, now, interrupts in self._pressed:
            self._zones.play(note.channel)
            self._tracker.press(note, now, interrupts=interrupts)
        self._pressed.clear()

    def release(self, lane: int, pitch: int, now: float, velocity: int = 64) -> list[Event]:
        """Take in that a key is released."""
        self.returned.release((lane, pitch))
        self._tracker.release(lane, pitch, now)
        self._listener.held.release(lane, pitch)
        return self._sounding.release(lane, pitch, now, velocity)

    def press_usual(self, note: NoteOn, now: float) -> list[Event]:
        """Take in that a key is pressed of which nothing is unusual (`Foretelling`): what `press` does then."""
        self.returned.release((note.channel, note.pitch))
        self._listener.held.press(note.channel, note.pitch, now)
        events = self._playing.hear(note, now)
        self._pressed.append((note, now, False))
        return events

    def press(self, event: NoteOn, now: float, parameters: Parameters) -> list[Event]:
        """Take in that a key is pressed."""
        # A second note-on of a key without a note-off between is a retrigger: its first answer ends here.
        events = self._sounding.release(event.channel, event.pitch, now)
        if parameters.guard and self._loops.suspicious:
            self.returned.press((event.channel, event.pitch), now)
        else:
            self.returned.release((event.channel, event.pitch))
        drums = self._zones.is_drums(event.channel, parameters)
        heard = parameters.drums == "pulse" if drums else parameters.hears_key(event.pitch)
        if not (heard and parameters.hears_channel(event.channel)):
            return events
        sends_on, channel = parameters.sends_on(event.channel), channel_of(event.channel)
        if sends_on:
            events += self._sounding.start((THRU, event.channel, event.pitch), [to_send(event)], now)
        if drums:
            self._tracker.drums.strike(now)
            return events
        doubles = parameters.guard and self._loops.doubled
        if doubles:  # so was what was heard before: if they are our own, the player has shown no hands with them
            self._listener.forget_hands()
        else:
            self._listener.held.press(event.channel, event.pitch, now)
        if sends_on:
            self._drawing.take(channel, event.pitch, now)
        if not parameters.answers_key(event.pitch):
            return events
        interrupts = self._playing.is_replying
        events = self._playing.interrupt() + events
        events += self._playing.hear(event, now, doubles=doubles)
        self._pressed.append((event, now, interrupts))
        return events
