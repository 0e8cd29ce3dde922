"""Zones of MPE, live: each note of the player's has a channel of its own, whose bends are not for our answers.

Which channels belong to a zone is what the player's keyboard says (registered parameter 6 on a manager channel). An
answer to a note in a zone goes to the first channel outside of all zones, but not to the drums'; where zones take up
all channels, to the manager of the note's own zone: no bend, pressure or timbre of a single note touches it, and what
moves the whole zone is meant for all that sounds there.
"""

from improviser.core.live.parameters.table import Parameters
from improviser.core.midi.event import ControlChange, Event
from improviser.core.midi.lanes import channel_of, input_of, to_send
from improviser.core.midi.mpe import CONTROLS, LOWER_MANAGER, UPPER_MANAGER, ConfigurationReader, Layout
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.note import CHANNELS


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

    def take(self, event: Event) -> bool:
        """Take in an event of the player's; say whether it has changed the zones."""
        if not isinstance(event, ControlChange) or event.control not in CONTROLS:
            return False
        if event.channel not in (LOWER_MANAGER, UPPER_MANAGER):
            return False
        members = self._reader.read(event.channel, event.control, event.value)
        before = self._layout
        if members is not None:
            self._layout = before.configured(event.channel, members)
            outside = [channel for channel in range(CHANNELS) if self._layout.manager_of(channel) is None]
            self._outside = next((channel for channel in outside if channel != DRUM_CHANNEL), None)
        return self._layout != before

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
