"""Zones of MPE, live: each note of the player's has a channel of its own, whose bends are not for our answers.

Which channels belong to a zone is what the player's keyboard says (registered parameter 6 on a manager channel). Where
it says nothing, and yet gives its notes channels of their own, it is known by that: notes come on several channels, and
single ones of them are bent or pressed. An
answer to a note in a zone goes to the first channel outside of all zones, but not to the drums'; where zones take up
all channels, to the manager of the note's own zone: no bend, pressure or timbre of a single note touches it, and what
moves the whole zone is meant for all that sounds there.
"""

from improviser.core.live.parameters.table import Parameters
from improviser.core.midi.event import ChannelPressure, ControlChange, Event, PitchBend
from improviser.core.midi.lanes import channel_of, input_of, to_send
from improviser.core.midi.mpe import CONTROLS, LOWER_MANAGER, MOST_MEMBERS, UPPER_MANAGER, ConfigurationReader, Layout
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.note import CHANNELS

PLAYED, TOUCHED = 3, 2
"""Notes on so many channels, so many of which are bent or pressed, are MPE without its configuration."""


class LiveZones:
    """The zones that the player's keyboards have configured, each of them its own; see `lanes`."""

    def __init__(self) -> None:
        self._inputs = [InputZones()]
        self._configured = False
        """Whether there has been any zone."""

    def _of(self, lane: int) -> "InputZones":
        number = input_of(lane)
        if number < len(self._inputs):
            return self._inputs[number]
        while len(self._inputs) <= number:
            self._inputs.append(InputZones())
        return self._inputs[number]

    def take(self, event: Event) -> bool:
        """Take in an event of the player's; say whether it has changed the zones."""
        changed = self._of(event.channel).take(to_send(event))
        self._configured = self._configured or changed
        return changed

    def play(self, lane: int) -> None:
        """Take in that the player has struck a key."""
        self._of(lane).play(channel_of(lane))

    def holds(self, lane: int) -> bool:
        """Say whether a lane's channel is part of a zone, its manager included."""
        return self._of(lane).holds(channel_of(lane))

    def is_drums(self, lane: int, parameters: Parameters) -> bool:
        """Say whether a lane's channel is the drums', and they are not to be answered."""
        channel = channel_of(lane)
        return channel == DRUM_CHANNEL and self._of(lane).is_drums(channel, parameters)

    def output_channel(self, lane: int, parameters: Parameters) -> int:
        """Return the channel, 0-15, of answers to notes on the player's `lane`."""
        if not self._configured:
            return parameters.output_channel(lane)
        return self._of(lane).output_channel(channel_of(lane), parameters)


class InputZones:
    """The zones of one input."""

    def __init__(self) -> None:
        self._reader = ConfigurationReader()
        self._layout = Layout()
        self._outside: int | None = None
        self._is_configured = False
        """Whether the keyboard has said, or shown, which zones there are."""
        self._played: set[int] = set()
        self._touched: set[int] = set()

    def take(self, event: Event) -> bool:
        """Take in an event of the player's; say whether it has changed the zones."""
        if isinstance(event, PitchBend | ChannelPressure):
            return event.value != 0 and self._touch(event.channel)
        if not isinstance(event, ControlChange) or event.control not in CONTROLS:
            return False
        if event.channel not in (LOWER_MANAGER, UPPER_MANAGER):
            return False
        members = self._reader.read(event.channel, event.control, event.value)
        return members is not None and self._configure(event.channel, members)

    def _configure(self, manager: int, members: int) -> bool:
        before, self._is_configured = self._layout, True
        self._layout = before.configured(manager, members)
        outside = [channel for channel in range(CHANNELS) if self._layout.manager_of(channel) is None]
        self._outside = next((channel for channel in outside if channel != DRUM_CHANNEL), None)
        return self._layout != before

    def play(self, channel: int) -> None:
        """Take in that the player has struck a key on a channel, 0-15."""
        if not self._is_configured:
            self._played.add(channel)

    def _touch(self, channel: int) -> bool:
        """Take in that a channel is bent or pressed; say whether that shows that each note has its own."""
        if self._is_configured:
            return False
        self._touched.add(channel)
        if len(self._played) < PLAYED or len(self._touched & self._played) < TOUCHED:
            return False
        manager = LOWER_MANAGER if LOWER_MANAGER not in self._played else UPPER_MANAGER
        return self._configure(manager, MOST_MEMBERS)

    def holds(self, channel: int) -> bool:
        """Say whether a channel, 0-15, is part of a zone, its manager included."""
        return self._layout.manager_of(channel) is not None

    def is_drums(self, channel: int, parameters: Parameters) -> bool:
        """Say whether a channel, 0-15, is the drums', and they are not to be answered."""
        return channel == DRUM_CHANNEL and parameters.drums != "notes" and not self.holds(channel)

    def output_channel(self, channel: int, parameters: Parameters) -> int:
        """Return the channel, 0-15, of answers to notes on the player's `channel`."""
        manager = self._layout.manager_of(channel)
        if parameters.channel or manager is None:
            return parameters.output_channel(channel)
        return manager if self._outside is None else self._outside
