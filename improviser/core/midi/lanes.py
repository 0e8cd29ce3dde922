"""Lanes: the input and the channel that an event of the player's came by, as one number.

A lane is `16 * input + channel`, inputs and channels counted from 0: of the first input the lanes are its channels.
What the player does is known by its lane, so that the same key of two keyboards is two keys. Only what is sent has a
channel, 0–15.
"""

from dataclasses import replace
from typing import TypeVar

from improviser.core.midi.event import Event
from improviser.core.music.note import CHANNELS

AnyEvent = TypeVar("AnyEvent", bound=Event)


def on_lane(event: AnyEvent, number: int) -> AnyEvent:
    """Return an event of input `number` with its lane in place of its channel."""
    return replace(event, channel=CHANNELS * number + event.channel) if number else event


def to_send(event: AnyEvent) -> AnyEvent:
    """Return an event of the player's as it is sent on, with its channel in place of its lane."""
    return event if event.channel < CHANNELS else replace(event, channel=channel_of(event.channel))


def channel_of(lane: int) -> int:
    """Return the channel of a lane."""
    return lane % CHANNELS


def input_of(lane: int) -> int:
    """Return the number of a lane's input."""
    return lane // CHANNELS


def lanes_of(number: int) -> range:
    """Return the lanes of input `number`."""
    return range(CHANNELS * number, CHANNELS * (number + 1))
