"""The live parameters: everything about the playing that can be changed while one plays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from improviser.core.live.decoding import Mask
from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.music.note import PITCHES
from improviser.core.music.scales import OFF, pitches_of

MODES = tuple(MODES_BY_NAME)
SIDES = ("both", "below", "above")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What can be changed while one plays. Channels are counted from 1, as on every keyboard; 0 is any of them.

    :param mode: the name of one of `MODES`; what each does, it says itself, see `modes.registry`.
    :param temperature: ≥ 0; 0 plays the most likely pitch, 1 draws from the network's distribution as it is.
    :param density: 0–1, the share of notes that are answered.
    :param scale: "off", a key such as "D minor", or "auto", the key of what is played: answers keep to it.
    :param low, high: 0–127, the lowest and the highest pitch of an answer; answers move there by octaves.
    :param transpose: semitones that answers sound above what the model plays; `low`, `high` and `scale` bind the sound.
    :param velocity_scale: ≥ 0, how loud answers are against the player.
    :param velocity_curve: > 0, below 1 soft notes are answered louder than played, above 1 softer.
    :param channel: 0 answers on the player's channel; 1–16 on this one.
    :param thru: whether the player's own notes are sent on as well.
    :param bend, aftertouch: whether the player's pitch bend and aftertouch are passed on.
    :param input_channel: 0 hears all channels; 1–16 only this one.
    :param input_low, input_high: 0–127, what keys of the player are heard at all.
    :param side: which side of the split is answered: "both", "below" it, or "above". The other is for `thru` alone.
    :param split: 0–127, the lowest key above the split.
    :param delay: seconds ≥ 0 that an answer in shadow comes after its note, and ends after it.
    :param release_after: seconds > 0 without a sign of life of the player's, after which what keys and pedals hold is
        released, in case the messages that end it were lost; 0 waits for ever.
    :param quantise: "off", or the grid of a MIDI clock on which answers start, one of `core.midi.clock.GRIDS`.
    :param guard: whether an echo of our own notes at our input is recognised and passed over.
    :param programs: whether a program change picks the model; else it goes where `thru` sends it.
    :param pickup: whether a knob turns nothing before it has come to where its parameter is; else that jumps to it.
    :param controls: which control change turns which parameter, see `knobs`.
    """

    mode: str = "shadow"
    temperature: float = 0.7
    density: float = 1.0
    scale: str = OFF
    low: int = 0
    high: int = PITCHES - 1
    transpose: int = 0
    velocity_scale: float = 1.0
    velocity_curve: float = 1.0
    channel: int = 0
    thru: bool = False
    bend: bool = True
    aftertouch: bool = True
    input_channel: int = 0
    input_low: int = 0
    input_high: int = PITCHES - 1
    side: str = "both"
    split: int = 60
    delay: float = 0.0
    release_after: float = 0.0
    quantise: str = "off"
    guard: bool = True
    programs: bool = True
    pickup: bool = False
    controls: Mapping[str, Any] = field(default_factory=dict)

    def allowed(self) -> Mask | None:
        """Return which pitches an answer may have, shape (128,), or None if any ("auto" is the performer's to find).

        :raises ConfigError: if the scale is not known.
        """
        return within(self.low, self.high, pitches_of(self.scale))

    def hears_channel(self, channel: int) -> bool:
        """Say whether the player's channel, 0–15, is heard."""
        return self.input_channel in (0, channel + 1)

    def hears_key(self, pitch: int) -> bool:
        """Say whether a key of the player is heard."""
        return self.input_low <= pitch <= self.input_high

    def answers_key(self, pitch: int) -> bool:
        """Say whether a key that is heard is on the side of the split that is answered."""
        return self.side == "both" or (self.side == "above") == (pitch >= self.split)

    def output_channel(self, channel: int) -> int:
        """Return the channel, 0–15, of an answer to the player's `channel`."""
        return self.channel - 1 if self.channel else channel

    def loudness(self, velocity: int) -> int:
        """Return the velocity, 1–127, of an answer to a note of the player's `velocity`, 1–127."""
        if self.velocity_scale == 1 and self.velocity_curve == 1:
            return velocity
        loud: float = 127 * self.velocity_scale * (velocity / 127) ** self.velocity_curve
        return max(1, min(127, round(loud)))


def within(low: int, high: int, scale: Mask | None) -> Mask | None:
    """Return which pitches are in the register and the scale, or in the register if none is in both; None if all."""
    if low == 0 and high == PITCHES - 1:
        return scale
    pitches = np.arange(PITCHES)
    register = (pitches >= low) & (pitches <= high)
    both = register if scale is None else register & scale
    return both if both.any() else register
