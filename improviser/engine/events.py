"""Session events: the engine's reports with their MIDI messages decoded, once for all subscribers."""

from dataclasses import dataclass

from improviser.core.midi.codec import decode, events_of
from improviser.core.midi.event import Event, NoteOn
from improviser.engine.protocol import Adapted, AnyReport, Applied, Done, Played, Step


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
    if isinstance(report, Played | Applied | Done | Adapted):
        return SessionEvent(report, played=events_of(report.played))
    return SessionEvent(report)


def stamp_of(report: AnyReport) -> float | None:
    """Return the time of the session (seconds) that a report is of; None if it is of none."""
    return report.stamp if isinstance(report, Step | Played | Applied | Done | Adapted) else None


def sounds(report: AnyReport) -> bool:
    """Say whether a report is of a note: the player's, or one that was played without."""
    if isinstance(report, Step):
        return bool(report.played) or isinstance(decode(report.heard), NoteOn)
    return isinstance(report, Played) and bool(report.played)
