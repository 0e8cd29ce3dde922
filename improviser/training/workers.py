"""Several processes that score populations or breed members: each holds the task, and one thread of linear algebra.

The population lies in memory that all share: to send it through pipes takes a third as long as to score it.
"""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.strategy import FloatArray, Task
from improviser.threads import use_one_thread
from improviser.training.generations import CHUNK, Score, Scored, fitness_of, in_process
from improviser.training.processes import Processes
from improviser.training.upbringing import Advanced, Upbringing

LARGEST_SHARED = 2**25
"""Bytes; containers have little memory to share (64 MiB), and what is larger is sent after all."""
ATTACHED = 64
"""Populations that a worker keeps open: those of all lanes."""

_held: dict[str, Task] = {}
_upbringing: list[Upbringing] = []
_attached: dict[str, SharedMemory] = {}
_attaching = threading.Lock()


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows `start` to `stop` of a population lie: the shared memory's name, and a row's length."""

    memory: str
    start: int
    stop: int
    genes: int


class Lanes(Protocol):
    """Where populations are scored: as many at a time as there are workers, each in a lane of its own."""

    @property
    def workers(self) -> int:
        """How many populations can be scored at a time."""

    def lane(self, number: int) -> Score:
        """Return what scores in a lane, 0 … workers − 1: one population at a time."""

    def divide(self, lanes: int) -> None:
        """Let so many lanes share the workers from now on."""

    def elsewhere(self) -> "Elsewhere | None":
        """Return what breeds members in the workers, if that is possible."""


Submit = Callable[..., Callable[[], Any]]
"""Lets a worker call a function with arguments; what it returns waits for what came of it. See `Processes.submit`."""

Elsewhere = Callable[[int, Mapping[str, Any] | None, int, int], Callable[[], Advanced]]
"""Begins what `Upbringing.advance` does, in a worker; what it returns waits for what came of it."""


@dataclass(frozen=True, slots=True)
class OneLane:
    """A lane in this process."""

    task: Task
    workers: int = 1

    def lane(self, number: int) -> Score:  # noqa: ARG002  there is one
        """Return what scores here."""
        return in_process(self.task)

    def divide(self, lanes: int) -> None:
        """There is nothing to divide."""

    def elsewhere(self) -> None:
        """There is nowhere else."""


class SeveralLanes:
    """Lanes in workers that `hold` the task."""

    def __init__(self, submit: Submit, workers: int, *, breed: bool = False) -> None:
        self.workers = workers
        self._submit = submit
        self._breed = breed
        self._lanes = [SharedScores(submit, workers) for _ in range(workers)]

    def lane(self, number: int) -> "SharedScores":
        """Return what scores in a lane."""
        return self._lanes[number]

    def divide(self, lanes: int) -> None:
        """Give each lane its part of the workers; if that is not a whole number, the last ones wait for each other."""
        for lane in self._lanes:
            lane.jobs = -(-self.workers // lanes)

    def elsewhere(self) -> Elsewhere | None:
        """Return what breeds members in the workers, if they know how."""
        return self._advance if self._breed else None

    def _advance(
        self, member: int, state: Mapping[str, Any] | None, generations: int, beside: int
    ) -> Callable[[], Advanced]:
        return self._submit(_advance, member, state, generations, beside)

    def close(self) -> None:
        """Give the shared memory back."""
        for lane in self._lanes:
            lane.close()


@contextmanager
def scoring(task: Task, workers: int, upbringing: Upbringing | None = None) -> Iterator[Lanes]:
    """Give lanes to score populations in, in `workers` processes (1: in this one); all give the same result.

    :param upbringing: how workers breed whole members, if there are several; without it they only score.
    """
    if workers == 1:
        yield OneLane(task)
        return
    use_one_thread()
    if upbringing is not None and upbringing.members == 1:
        upbringing = None  # all workers score for the one
    processes = Processes(workers, hold, task, upbringing)
    lanes = SeveralLanes(processes.submit, workers, breed=upbringing is not None)
    try:
        yield lanes
    finally:
        processes.close()
        lanes.close()


class SharedScores:
    """Scores one population at a time in workers that `hold` the task, in `jobs` parts."""

    def __init__(self, submit: Submit, jobs: int) -> None:
        self.jobs = jobs
        self._submit = submit
        self._memory: SharedMemory | None = None

    def __call__(self, population: FloatArray, batch: Any) -> Scored:
        """Begin to score; the chunks are those of one process, and so is the result.

        :raises ImproviserError: if a worker dies; so does what is returned.
        """
        chunks = -(-len(population) // CHUNK)
        jobs = min(self.jobs, chunks)
        bounds = [min(len(population), CHUNK * (job * chunks // jobs)) for job in range(jobs + 1)]
        memory = self._share(population)
        parts = []
        for start, stop in pairwise(bounds):
            rows = Place(memory, start, stop, population.shape[1]) if memory else population[start:stop]
            parts.append(self._submit(_score_rows, rows, batch))
        return lambda: np.concatenate([part() for part in parts])

    def _share(self, population: FloatArray) -> str | None:
        """Copy the population into shared memory; return its name, or None if there is no room for it."""
        if self._memory is None or self._memory.size < population.nbytes:
            self.close()
            if not _room_for(population.nbytes):
                return None
            self._memory = SharedMemory(create=True, size=population.nbytes)
        _floats(self._memory, population.size)[:] = population.ravel()
        return self._memory.name

    def close(self) -> None:
        """Give the shared memory back."""
        if self._memory is not None:
            self._memory.close()
            self._memory.unlink()
            self._memory = None


def _room_for(size: int) -> bool:
    """Whether that many bytes may be shared. Linux would kill who writes to shared memory that there is no room for."""
    shared = Path("/dev/shm")  # noqa: S108  # only looked at
    return size <= LARGEST_SHARED and (not shared.is_dir() or shutil.disk_usage(shared).free > 2 * size)


def hold(task: Task, upbringing: Upbringing | None) -> None:
    """Keep what there is to do, in a new worker."""
    _held["task"] = task
    if upbringing is not None:
        _upbringing.append(upbringing)


def _advance(member: int, state: Mapping[str, Any] | None, generations: int, beside: int) -> Advanced:
    """Breed a member on, in a worker."""
    return _upbringing[0].advance(member, state, generations, beside)


def _score_rows(rows: Place | FloatArray, batch: Any) -> NDArray[np.float64]:
    """Score some rows of a population in a worker."""
    return fitness_of(_held["task"], _rows_at(rows) if isinstance(rows, Place) else rows, batch)


def _rows_at(place: Place) -> FloatArray:
    """Return rows of a population in shared memory, which they keep open as long as they are used."""
    with _attaching:
        if place.memory not in _attached:
            if len(_attached) >= ATTACHED:
                for old in _attached.values():
                    old.close()
                _attached.clear()
            _attached[place.memory] = SharedMemory(place.memory)
        rows = _floats(_attached[place.memory], place.stop * place.genes)
    return rows.reshape(place.stop, place.genes)[place.start :]


def _floats(memory: SharedMemory, count: int) -> FloatArray:
    return np.frombuffer(cast("memoryview", memory.buf), np.float32, count)
