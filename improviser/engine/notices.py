"""What the engine finds out while it plays and the user should know: each in one line, once."""

from improviser.core.live.outcome import Outcome
from improviser.engine.protocol import Noticed, Reporter

LOOP = "our own notes come back in, by a loop of connections: they are passed over (guard = false hears them)"
RING = "others answer our answers, by a ring of connections: what comes back is passed over (guard = false hears it)"
GONE = "what you play on has gone silent, active sensing too: the notes that it held are released"


class Notices:
    """Tells them to whom the reporter reports."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._told: set[str] = set()

    def look_at(self, outcome: Outcome) -> None:
        """Tell what is new with the performer."""
        for notice, holds in ((LOOP, outcome.echoing), (RING, outcome.circling), (GONE, outcome.lost)):
            if holds and notice not in self._told:
                self._told.add(notice)
                self._reporter.send(Noticed(notice))
