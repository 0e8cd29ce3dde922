"""A transcript: all that was heard and played in a session, kept in memory, for files that are written at its end."""

from improviser.core.midi.event import Event
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Applied, Played, Step

TimedEvent = tuple[float, Event]


class Transcript:
    """Takes a session's events; `heard` and `played` are what happened so far, with its times in seconds."""

    def __init__(self) -> None:
        self.heard: list[TimedEvent] = []
        self.played: list[TimedEvent] = []

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""
        if isinstance(event.report, Step | Played | Applied):
            stamp = event.report.stamp
            if event.heard is not None:
                self.heard.append((stamp, event.heard))
            self.played += ((stamp, played) for played in event.played)
