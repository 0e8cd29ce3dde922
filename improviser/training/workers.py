"""Several processes that score populations: each holds the task, and one thread of linear algebra.

The population lies in memory that all share: to send it through pipes takes a third as long as to score it.
"""

import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.strategy import FloatArray, Task
from improviser.errors import ImproviserError
from improviser.threads import use_one_thread
from improviser.training.generations import CHUNK, Score, Scored, fitness_of, in_process
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
    """Lanes in the workers of an executor, which `hold` the task."""

    def __init__(self, executor: Executor, workers: int, *, breed: bool = False) -> None:
        self.workers = workers
        self._executor = executor
        self._breed = breed
        self._lanes = [SharedScores(executor, workers) for _ in range(workers)]

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
        with _deaths_told():
            future = self._executor.submit(_advance, member, state, generations, beside)

        def advanced() -> Advanced:
            with _deaths_told():
                return future.result()

        return advanced

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
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, mp_context=context, initializer=hold, initargs=(task, upbringing)) as executor:
        with _deaf():
            for _ in range(workers):
                executor.submit(os.getpid)  # starts a worker
        lanes = SeveralLanes(executor, workers, breed=upbringing is not None)
        try:
            yield lanes
        finally:
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()  # SIGTERM, with which a broken executor ends them and waits, they do not hear
            executor.shutdown(wait=True, cancel_futures=True)
            lanes.close()


@contextmanager
def _deaf() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait; processes started meanwhile never hear them. Who keeps the champion ends those."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where `hold` is all there is
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class SharedScores:
    """Scores one population at a time on an executor whose workers `hold` the task, in `jobs` parts."""

    def __init__(self, executor: Executor, jobs: int) -> None:
        self.jobs = jobs
        self._executor = executor
        self._memory: SharedMemory | None = None

    def __call__(self, population: FloatArray, batch: Any) -> Scored:
        """Begin to score; the chunks are those of one process, and so is the result.

        :raises ImproviserError: if a worker dies; so does what is returned.
        """
        chunks = -(-len(population) // CHUNK)
        jobs = min(self.jobs, chunks)
        bounds = [min(len(population), CHUNK * (job * chunks // jobs)) for job in range(jobs + 1)]
        memory = self._share(population)
        futures = []
        with _deaths_told():
            for start, stop in pairwise(bounds):
                rows = Place(memory, start, stop, population.shape[1]) if memory else population[start:stop]
                futures.append(self._executor.submit(_score_rows, rows, batch))

        def scored() -> NDArray[np.float64]:
            with _deaths_told():
                return np.concatenate([future.result() for future in futures])

        return scored

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


@contextmanager
def _deaths_told() -> Iterator[None]:
    try:
        yield
    except BrokenExecutor as error:
        raise ImproviserError(
            "a worker process died, perhaps for lack of memory; go on with --resume and fewer --workers"
        ) from error


def _room_for(size: int) -> bool:
    """Whether that many bytes may be shared. Linux would kill who writes to shared memory that there is no room for."""
    shared = Path("/dev/shm")  # noqa: S108  # only looked at
    return size <= LARGEST_SHARED and (not shared.is_dir() or shutil.disk_usage(shared).free > 2 * size)


def hold(task: Task, upbringing: Upbringing | None) -> None:
    """Keep what there is to do in a new worker, which lives no longer than the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it was not inherited
    _held["task"] = task
    if upbringing is not None:
        _upbringing.append(upbringing)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent's death, however it comes, and follow: nobody else would tell this process to end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
