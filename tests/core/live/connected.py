"""Performers that hear each other, for the tests: messages travel along cables that take their time."""

import heapq
from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np

from improviser.core.live.outcome import Outcome
from improviser.core.live.output.ledger import Ledger
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import Event, NoteOn, TimedEvent
from improviser.core.networks.responder import Model
from tests.core.live.synth import Synth


class ConnectedPerformers:
    """Performers, each with a synth at its output; `cables` say who hears whom: (from, to).

    :param latency: seconds that a message takes along a cable; `jitter` is the share of that by which it varies.
        Nothing overtakes anything.
    """

    def __init__(
        self,
        models: Iterable[Model],
        cables: Iterable[tuple[int, int]],
        *,
        latency: float,
        jitter: float = 0.0,
        **parameters: Any,
    ) -> None:
        self.performers = [
            Performer([model], Parameters(**parameters), np.random.default_rng(seed), Ledger())
            for seed, model in enumerate(models)
        ]
        self.synths = [Synth() for _ in self.performers]
        self.played: list[list[TimedEvent]] = [[] for _ in self.performers]
        self.outcomes = [Outcome([]) for _ in self.performers]
        """What came of what each of them heard, or did, last."""
        self.heard: Counter[int] = Counter()
        self.noticed: set[int] = set()
        """Those to whom what they played has come back, as they know."""
        self.now = 0.0
        self._cables = list(cables)
        self._latency, self._jitter = latency, jitter
        self._rng = np.random.default_rng(7)
        self._arrived: Counter[tuple[int, int]] = Counter()
        self._latest: dict[tuple[int, int], float] = {}
        self._waiting: list[tuple[float, int, int, Event]] = []
        self._numbers = count()

    def play(self, performer: int, event: Event, at: float) -> None:
        """Let a player do something at a time to come."""
        heapq.heappush(self._waiting, (at, next(self._numbers), performer, event))

    def run(self, until: float) -> None:
        """Let time pass."""
        while True:
            deadline, index = min(
                (performer.deadline or np.inf, index) for index, performer in enumerate(self.performers)
            )
            arrival = self._waiting[0][0] if self._waiting else np.inf
            if min(deadline, arrival) > until:
                break
            self.now = max(self.now, min(deadline, arrival))
            if deadline <= arrival:
                self.take(index, self.performers[index].advance(self.now))
            else:
                _, _, index, event = heapq.heappop(self._waiting)
                self.heard[index] += isinstance(event, NoteOn)
                self.take(index, self.performers[index].hear(event, self.now))
        self.now = until

    def notes(self, performer: int, since: float = 0.0) -> int:
        """Return how many notes a performer has begun since a time."""
        return sum(isinstance(event, NoteOn) for at, event in self.played[performer] if at >= since)

    def take(self, index: int, outcome: Outcome) -> None:
        """Send what a performer returned, and keep what it has found out."""
        performer = self.performers[index]
        for event in outcome.events:
            self.synths[index].take([event])
            performer.sent(event)
            self.played[index].append((self.now, event))
            for cable in self._cables:
                if cable[0] == index:
                    late = self._latency * (1 + self._jitter * float(self._rng.uniform(-1, 1)))
                    self._latest[cable] = max(self._latest.get(cable, 0.0), self.now + late)
                    self.play(cable[1], event, self._latest[cable])
        performer.settle()
        self.outcomes[index] = outcome
        if outcome.circling or outcome.echoing:
            self.noticed.add(index)
