"""A transcript: all that was heard and played in a session, in memory, for the files that are written at its end."""

from typing import TYPE_CHECKING

from improviser.engine.events import SessionEvent, stamp_of

if TYPE_CHECKING:
    from improviser.core.midi.event import TimedEvent


class Transcript:
    """Takes a session's events; `heard` and `played` are what happened so far, with its times in seconds."""

    def __init__(self) -> None:
        self.heard: list[TimedEvent] = []
        self.played: list[TimedEvent] = []

    def take(self, event: SessionEvent, seconds: float | None = None) -> None:
        """Take in an event, at its time of the session, or at another one."""
        now = stamp_of(event.report) if seconds is None else seconds
        if now is not None:
            if event.heard is not None:
                self.heard.append((now, event.heard))
            self.played += ((now, played) for played in event.played)
