"""Where a choir is bred: in this process, or on a `concurrent.futures.Executor`, whatever its workers are.

An executor's workers cannot be prepared, and any of them may get any call. So the first calls bring all that there is
to know, pickled, and those that follow its digest alone; a worker that does not know it (it is new) says so, and is
told. What a call returns does not depend on who made it: the model is that of one process.
"""

import hashlib
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.errors import ImproviserError
from improviser.threads import use_one_thread
from improviser.training.evolution_plan import Advanced, EvolutionPlan
from improviser.training.generations import CHUNK, Score, Scored, fitness_of
from improviser.training.process_executor import ProcessExecutor

Elsewhere = Callable[[int, Mapping[str, Any] | None, int, int], Callable[[], Advanced]]
"""Begins what `EvolutionPlan.advance` does, in a worker; what it returns waits for the result."""

DIED = "a worker died before its work was done, perhaps for lack of memory; go on with --resume and fewer workers"

_known = threading.local()
"""What the thread has unpickled last: threads share no task, which may keep notes of its own."""


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


@contextmanager
def working(workers: int, plan: EvolutionPlan) -> Iterator[Workers]:
    """Give where to breed members, in `workers` processes (1: in this one); all give the same result.

    :raises ImproviserError: if the system will not start so many.
    """
    if workers == 1:
        yield Workers()
        return
    use_one_thread()
    with ProcessExecutor(workers) as executor, working_on(executor, plan) as where:
        yield where


@contextmanager
def working_on(executor: Executor, plan: EvolutionPlan) -> Iterator[Workers]:
    """Give where to breed members, on `executor`, which stays its owner's; the result is that of this process.

    Of several members each is bred by one worker at a time; of one alone, all score its populations.
    """
    if plan.members > 1:
        calls = _Calls(executor, plan)
        yield Workers(places=min(calls.workers, plan.members), elsewhere=calls.advance)
    else:
        yield Workers(_Calls(executor, plan.task).score)


@dataclass(frozen=True, slots=True)
class _Done:
    """What a call returned, and which worker (process and thread) knows the plan now."""

    worker: tuple[int, int]
    value: Any


class _Unknown:
    """The reply of a worker that does not know what the digest stands for."""


class _Calls:
    """Sends calls to an executor.

    :param known: what every call is about: an `EvolutionPlan`, or its task alone.
    """

    def __init__(self, executor: Executor, known: object) -> None:
        # What executors say of themselves, for want of anything public; it only decides how long things take.
        self.workers = max(1, getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
        self._executor = executor
        self._pickled = pickle.dumps(known)
        self._digest = hashlib.sha256(self._pickled).digest()
        self._informed: set[tuple[int, int]] = set()

    def advance(
        self, member: int, state: Mapping[str, Any] | None, generations: int, beside: int
    ) -> Callable[[], Advanced]:
        """Begin to breed a member on; see `EvolutionPlan.advance`."""
        return self._submit(_advance, member, state, generations, beside)

    def score(self, population: Float32Array, batch: Any) -> Scored:
        """Begin to score a population, in as many parts as there are workers; the chunks are those of one process."""
        chunks = -(-len(population) // CHUNK)
        jobs = min(self.workers, chunks)
        bounds = [min(len(population), CHUNK * (job * chunks // jobs)) for job in range(jobs + 1)]
        parts = [self._submit(_score, population[start:stop], batch) for start, stop in pairwise(bounds)]
        return lambda: np.concatenate([part() for part in parts])

    def _submit(self, function: Callable[..., Any], *arguments: object) -> Callable[[], Any]:
        """Begin a call; what is returned waits for it, and raises what it raised."""
        future = self._begin(self._informed_all, function, arguments)

        def result() -> Any:
            done = _result_of(future)
            if isinstance(done, _Unknown):
                done = _result_of(self._begin(False, function, arguments))
            self._informed.add(done.worker)
            return done.value

        return result

    @property
    def _informed_all(self) -> bool:
        return len(self._informed) >= self.workers

    def _begin(self, informed: bool, function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:
        pickled = None if informed else self._pickled
        try:
            return self._executor.submit(_call, self._digest, pickled, function, *arguments)
        except BrokenExecutor as error:
            raise ImproviserError(DIED) from error
        except (RuntimeError, OSError) as error:  # it is shut down, or can start no worker
            raise ImproviserError(f"the workers take no more calls ({error}); train again with fewer") from error


def _result_of(future: Any) -> Any:
    try:
        return future.result()
    except (BrokenExecutor, CancelledError) as error:
        raise ImproviserError(DIED) from error


def _call(digest: bytes, pickled: bytes | None, function: Callable[..., Any], *arguments: object) -> _Done | _Unknown:
    """Call a function on what the digest stands for, in a worker."""
    if getattr(_known, "digest", None) != digest:
        if pickled is None:
            return _Unknown()
        _known.value = pickle.loads(pickled)  # noqa: S301  our own bytes, by the executor that the caller gave
        _known.digest = digest
    return _Done((os.getpid(), threading.get_ident()), function(_known.value, *arguments))


def _advance(
    plan: EvolutionPlan, member: int, state: Mapping[str, Any] | None, generations: int, beside: int
) -> Advanced:
    """Breed a member on, in a worker."""
    return plan.advance(member, state, generations, beside)


def _score(task: Any, population: Float32Array, batch: Any) -> NDArray[np.float64]:
    """Score some of a population, in a worker."""
    return fitness_of(task, population, batch)
