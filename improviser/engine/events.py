"""Session events: the engine's reports with their MIDI messages decoded, once for all who take them."""

from dataclasses import dataclass

from improviser.core.midi.codec import decode, events_of
from improviser.core.midi.event import Event
from improviser.engine.protocol import AnyReport, Applied, Played, Step


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something that happened in a session.

    :param report: what the engine said of it.
    :param heard: the player's message, None if there was none, or it says nothing that a performer listens to.
    :param played: what was sent for it.
    """

    report: AnyReport
    heard: Event | None = None
    played: tuple[Event, ...] = ()


def event_of(report: AnyReport) -> SessionEvent:
    """Decode a report."""
    if isinstance(report, Step):
        return SessionEvent(report, decode(report.heard), events_of(report.played))
    if isinstance(report, Played | Applied):
        return SessionEvent(report, played=events_of(report.played))
    return SessionEvent(report)
