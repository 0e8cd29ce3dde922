"""Where a choir is bred: here, or in several processes. They share one member's populations, or breed a member each.

Each holds the task, and one thread of linear algebra. A shared population lies in memory that all see: to send
it through pipes takes a third as long as to score it.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.strategy import FloatArray, Task
from improviser.threads import use_one_thread
from improviser.training.evolution_plan import Advanced, EvolutionPlan
from improviser.training.generations import CHUNK, Score, Scored, fitness_of
from improviser.training.processes import Processes

LARGEST_SHARED = 2**25
"""Bytes; containers have little memory to share (64 MiB), and what is larger is sent after all."""

_held: dict[str, Task] = {}
_plan: list[EvolutionPlan] = []
_attached: dict[str, SharedMemory] = {}


Submit = Callable[..., Callable[[], Any]]
"""Lets a worker call a function with arguments; what it returns waits for what came of it. See `Processes.submit`."""

Elsewhere = Callable[[int, Mapping[str, Any] | None, int, int], Callable[[], Advanced]]
"""Begins what `EvolutionPlan.advance` does, in a worker; what it returns waits for what came of it."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Where members are bred.

    :param score: scores one population at a time, of a member that is bred here; by default in this process.
    :param places: how many members are bred at a time.
    :param elsewhere: breeds members in the workers; without it they are bred here.
    """

    score: Score | None = None
    places: int = 1
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows from `start` to `stop` of a population lie: the shared memory's name, and a row's length."""

    memory: str
    start: int
    stop: int
    genes: int


@contextmanager
def working(workers: int, plan: EvolutionPlan) -> Iterator[Workers]:
    """Give where to breed members, in `workers` processes (1: in this one); all give the same result."""
    if workers == 1:
        yield Workers()
        return
    use_one_thread()
    several = plan.members > 1
    processes = Processes(workers, hold, plan.task, plan if several else None)
    try:
        if several:
            yield Workers(places=workers, elsewhere=partial(processes.submit, _advance))
        else:
            with closing(SharedScores(processes.submit, workers)) as score:
                yield Workers(score)
    finally:
        processes.close()


class SharedScores:
    """Scores one population at a time in workers that `hold` the task, in `jobs` parts."""

    def __init__(self, submit: Submit, jobs: int) -> None:
        self._jobs = jobs
        self._submit = submit
        self._memory: SharedMemory | None = None

    def __call__(self, population: FloatArray, batch: Any) -> Scored:
        """Begin to score; the chunks are those of one process, and so is the result.

        :raises ImproviserError: if a worker dies; so does what is returned.
        """
        chunks = -(-len(population) // CHUNK)
        jobs = min(self._jobs, chunks)
        bounds = [min(len(population), CHUNK * (job * chunks // jobs)) for job in range(jobs + 1)]
        memory = self._share(population)
        parts = []
        for start, stop in pairwise(bounds):
            rows = Rows(memory, start, stop, population.shape[1]) if memory else population[start:stop]
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


def hold(task: Task, plan: EvolutionPlan | None) -> None:
    """Keep what there is to do, in a new worker."""
    _held["task"] = task
    if plan is not None:
        _plan.append(plan)


def _advance(member: int, state: Mapping[str, Any] | None, generations: int, beside: int) -> Advanced:
    """Breed a member on, in a worker."""
    return _plan[0].advance(member, state, generations, beside)


def _score_rows(rows: Rows | FloatArray, batch: Any) -> NDArray[np.float64]:
    """Score some rows of a population in a worker."""
    return fitness_of(_held["task"], _rows_at(rows) if isinstance(rows, Rows) else rows, batch)


def _rows_at(place: Rows) -> FloatArray:
    """Return rows of a population in shared memory, which they keep open as long as they are used."""
    if place.memory not in _attached:
        for old in _attached.values():
            old.close()
        _attached.clear()
        _attached[place.memory] = SharedMemory(place.memory)
    rows = _floats(_attached[place.memory], place.stop * place.genes)
    return rows.reshape(place.stop, place.genes)[place.start :]


def _floats(memory: SharedMemory, count: int) -> FloatArray:
    return np.frombuffer(cast("memoryview", memory.buf), np.float32, count)
