"""Active sensing: makes sure that a source that seems to be gone is not one whose messages we read late."""

from improviser.core.live.performer import Performer

ASLEEP_SECONDS = 0.1
"""Whoever wakes so late cannot say that another is gone."""


def wait_if_late(performer: Performer, now: float, *, busy: bool) -> None:
    """Wait once more for a source that seems to be gone, where it may be us who are late.

    :param busy: whether messages that have come in wait to be heard.
    """
    ends = performer.sensing_ends
    if ends is not None and ends <= now and (busy or now - ends > ASLEEP_SECONDS):
        performer.wait_for_sources(now)
