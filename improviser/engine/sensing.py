"""Active sensing on the wire: the performer hears that its source lives, and no word of its end while we are late."""

from collections.abc import Sequence

from improviser.core.live.performer import Performer
from improviser.core.midi.codec import ACTIVE_SENSING

ASLEEP_SECONDS = 0.1
"""Whoever wakes so late cannot say that another is gone."""


def is_sensing(message: Sequence[int], performer: Performer, now: float) -> bool:
    """Tell `performer` that a message came at `now`; say whether that was active sensing, and so all it says.

    Nobody else need know of it: what counts is when it ends.
    """
    sensing = len(message) == 1 and message[0] == ACTIVE_SENSING
    performer.sense(now, promised=sensing)
    return sensing


def wait_if_late(performer: Performer, now: float, *, busy: bool) -> None:
    """Wait once more for a source that seems to be gone, where it may be us who are late.

    :param busy: whether messages that have come in wait to be heard.
    """
    ends = performer.sensing_ends
    if ends is not None and ends <= now and (busy or now - ends > ASLEEP_SECONDS):
        performer.sense(now, promised=True)
