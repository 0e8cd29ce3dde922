"""A session's tally, kept from its events, for displays and pages."""

from collections.abc import Mapping

from improviser.core.live.player.votes import BAD, FORGET, GOOD
from improviser.core.live.snapshot import Answer, News, Setup, Snapshot, Tally
from improviser.engine.events import SessionEvent
from improviser.engine.held_keys import HeldKeys
from improviser.engine.protocol import MODEL, Adapted, Applied, Done, Played, Ready, Step, Weighed, number_of

SAID = {
    GOOD: "good: more like the last phrase",
    BAD: "bad: less like the last phrase",
    FORGET: "all votes are forgotten, and what was learned in this session",
}
"""What is shown of each command that was carried out."""


class SessionTally:
    """Takes a session's events, and gives snapshots."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._keys = HeldKeys()
        self._latest = 0.0

    def take(self, event: SessionEvent) -> Answer | None:
        """Take in an event; return the answer that it is, if it is one."""
        match event.report:
            case Step(stamp=stamp, latency_seconds=latency):
                self._keys.take(number_of(event.report), event.heard)
                if event.heard is not None:
                    self._latest = stamp
                    return self._tally.step(stamp, event.heard, event.played, latency)
            case Applied(parameter=parameter, error=None) if parameter == MODEL:
                self._tally.weights = {}
                self._tally.play(event.report.stamp, event.played)
            case Played(stamp=stamp) | Applied(stamp=stamp) | Done(stamp=stamp) | Adapted(stamp=stamp):
                if isinstance(event.report, Played) and event.report.cause == "lost":
                    self._tally.lose_player(stamp, self._keys.lose(number_of(event.report)))
                if isinstance(event.report, Done):
                    self._tally.warn(News(SAID[event.report.command]))
                if isinstance(event.report, Adapted):
                    self._tally.warn(
                        News("adapted to your playing" if event.report.digests else "as without adaptation")
                    )
                self._tally.play(stamp, event.played)
            case Ready():  # a new engine: what its predecessor left sounding was released
                self._tally.silence(self._latest)
                self._tally.weights = {}
            case Weighed(weights):
                self._tally.weights = weights
            case _:
                pass
        return None

    @property
    def weights(self) -> Mapping[str, float]:
        """How much each of the models that are mixed has to say."""
        return self._tally.weights

    def warn(self, line: str) -> None:
        """Keep a line to be shown."""
        self._tally.warn(line)

    def snapshot(self, seconds: float, setup: Setup) -> Snapshot:
        """Return the session as it is at `seconds`."""
        return self._tally.snapshot(seconds, setup)
