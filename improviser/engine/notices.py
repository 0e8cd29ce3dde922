"""What the engine tells the user while it plays: each problem once, in one line; and how the models are weighed."""

from collections.abc import Mapping

from improviser.core.live.outcome import Outcome
from improviser.engine.protocol import Noticed, Weighed
from improviser.engine.reporter import Reporter

LOOP = "our own notes come back in, by a loop of connections: they are passed over (guard = false hears them)"
RING = "others answer our answers, by a ring of connections: what comes back is passed over (guard = false hears it)"
GONE = "what you play on has gone silent, active sensing too: the notes that it held are released"

CHANGE, PAUSE_SECONDS, DIGITS = 0.05, 1.0, 3
"""From which change of a weight on all are told, how soon again at most, and with how many decimals."""


class Notices:
    """Tells them to whom the reporter reports."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._told: set[str] = set()
        self._weights: Mapping[str, float] = {}
        self._weighed_at = -PAUSE_SECONDS

    def look_at(self, outcome: Outcome) -> None:
        """Tell what is new with the performer."""
        for notice, holds in ((LOOP, outcome.echoing), (RING, outcome.circling), (GONE, outcome.lost)):
            if holds and notice not in self._told:
                self._told.add(notice)
                self._reporter.send(Noticed(notice))

    def weigh(self, weights: Mapping[str, float], now: float) -> None:
        """Tell how much each of the models that are mixed has to say, if that has changed."""
        if now - self._weighed_at < PAUSE_SECONDS:
            return
        changed = weights.keys() != self._weights.keys()
        if changed or any(abs(share - self._weights[name]) >= CHANGE for name, share in weights.items()):
            self._weights, self._weighed_at = weights, now
            self._reporter.send(Weighed({name: round(share, DIGITS) for name, share in weights.items()}))
