"""The workers of a run, as one sees them: what each has done lately, how much of the time it waits, and who waits."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

WINDOW = 10.0
"""Seconds that figures are of, or as many as two calls take."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Who makes calls: a thread of a process of a machine; `key` tells it from all others."""

    machine: str
    process: int
    key: str

    @property
    def name(self) -> str:
        """What it is called where people read it."""
        return f"{self.machine}:{self.process}"


@dataclass(frozen=True, slots=True)
class Share:
    """What a worker did in one call, or what it does in a second.

    :param generations: of them; less than one, if others scored the rest of its population.
    :param evaluations: networks that were scored.
    """

    generations: float
    evaluations: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker is getting on.

    :param speed: what it does in a second.
    :param waiting: the share of the time that it has nothing to do, 0–1.
    :param silent_seconds: since its last call was done.
    """

    worker: Worker
    speed: Share
    waiting: float
    silent_seconds: float


@dataclass(frozen=True, slots=True)
class _Call:
    end: float
    seconds: float
    share: Share


class Crew:
    """Takes in what every worker did; from any thread.

    :param clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._calls: dict[Worker, deque[_Call]] = {}
        self._open = 0
        self._lock = threading.Lock()
        self.hands: Callable[[], int] = lambda: 1
        """Returns how many calls are made at a time."""

    def begun(self) -> None:
        """A call was sent."""
        with self._lock:
            self._open += 1

    def ended(self) -> None:
        """A call came to its end, whatever that was."""
        with self._lock:
            self._open -= 1

    def did(self, worker: Worker, seconds: float, share: Share) -> None:
        """Take in what a worker did in so many seconds, up to now."""
        now = self._clock()
        with self._lock:
            if worker not in self._calls and self._calls and len(self._calls) >= self.hands():  # in a dead one's place
                del self._calls[min(self._calls, key=lambda one: self._calls[one][-1].end)]
            calls = self._calls.setdefault(worker, deque())
            calls.append(_Call(now, seconds, share))
            while len(calls) > 2 and calls[0].end < now - WINDOW:
                calls.popleft()

    @property
    def waiting_calls(self) -> int:
        """How many calls wait for a worker."""
        return max(0, self._open - self.hands())

    def paces(self) -> list[Pace]:
        """Return how each worker that has done anything is getting on, by name."""
        now = self._clock()
        with self._lock:
            calls = {worker: list(its) for worker, its in self._calls.items()}
        found = [_pace(worker, its, now) for worker, its in calls.items()]
        return sorted(found, key=lambda pace: (pace.worker.machine, pace.worker.process, pace.worker.key))

    def total(self) -> Share:
        """Return what all workers together do in a second; those that are silent for long do nothing."""
        speeds = [pace.speed for pace in self.paces() if pace.silent_seconds < WINDOW]
        return Share(sum(one.generations for one in speeds), sum(one.evaluations for one in speeds))

    def values(self) -> dict[str, Any]:
        """Return all that as JSON values."""
        return {
            "workers": [
                {
                    "name": pace.worker.name,
                    **_per_second(pace.speed),
                    "waiting": pace.waiting,
                    "silent_seconds": pace.silent_seconds,
                }
                for pace in self.paces()
            ],
            "all_workers": {**_per_second(self.total()), "hands": self.hands(), "waiting_calls": self.waiting_calls},
        }


def _pace(worker: Worker, calls: list[_Call], now: float) -> Pace:
    last = calls[-1]
    whole = max(last.end - calls[0].end + calls[0].seconds, 1e-9)
    generations = sum(call.share.generations for call in calls)
    evaluations = sum(call.share.evaluations for call in calls)
    busy = sum(call.seconds for call in calls)
    speed = Share(generations / whole, evaluations / whole)
    return Pace(worker, speed, min(1.0, max(0.0, 1 - busy / whole)), now - last.end)


def _per_second(speed: Share) -> Mapping[str, float]:
    return {"generations_per_second": speed.generations, "evaluations_per_second": speed.evaluations}
