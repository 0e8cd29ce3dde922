"""A session's present state as one JSON object, for MQTT and for `improviser status`."""

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

from improviser.core.live.snapshot import Setup
from improviser.engine.events import SessionEvent
from improviser.engine.service import Service
from improviser.engine.session_tally import SessionTally
from improviser.remote.requests import plain
from improviser.version import __version__

UNKNOWN = Setup(())


class Score:
    """Counts the notes of a session and how long the answers took, from its events."""

    def __init__(self) -> None:
        self._tally = SessionTally()

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""
        self._tally.take(event)

    @property
    def weights(self) -> Mapping[str, float]:
        """How much each of the models that are mixed has to say."""
        return self._tally.weights

    def state(self, service: Service) -> dict[str, Any]:
        """Return how `service` plays: the live parameters, the ports, the counts; latencies in microseconds."""
        seconds = time.perf_counter() - service.epoch
        snapshot = self._tally.snapshot(seconds, UNKNOWN)
        latency = snapshot.latency
        return {
            **setting(service),
            "seconds": round(seconds, 1),
            "key": snapshot.key or None,
            "listens_to": dict(self.weights),
            "notes": {"heard": snapshot.heard, "played": snapshot.played},
            "latency": {
                "p50_us": round(latency.median * 1e6),
                "p99_us": round(latency.p99 * 1e6),
                "max_us": round(latency.worst * 1e6),
            }
            if latency is not None
            else None,
        }


def setting(service: Service) -> dict[str, Any]:
    """Return the part of a session's state that only changes on request: a change of it is published at once."""
    hears, plays_to = service.connections
    parameters = dataclasses.asdict(service.parameters)
    return {
        "version": __version__,
        "name": service.name,
        "model": plain(service.models),
        "models": list(service.models),
        **{parameter: plain(value) for parameter, value in parameters.items()},
        "ports": {"input": hears, "output": plays_to},
        "connection": {"api": service.api, "playing": service.playing},
    }
