"""Breeding on a `concurrent.futures.Executor`: threads, processes, or whatever else takes calls, here or elsewhere.

An executor's workers cannot be prepared, and any of them may get any call: so each call brings all that there is to
know, pickled once, and a worker that knows it already unpickles nothing. What a call returns does not depend on who
made it: the model is that of one process.
"""

import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.strategy import FloatArray
from improviser.errors import ImproviserError
from improviser.training.evolution_plan import Advanced, EvolutionPlan
from improviser.training.generations import CHUNK, Scored, fitness_of
from improviser.training.workers import Workers

_known = threading.local()
"""What the thread has unpickled last: threads share no task, which may keep notes of its own."""


@contextmanager
def working_on(executor: Executor, plan: EvolutionPlan) -> Iterator[Workers]:
    """Give where to breed members, on `executor`, which stays its owner's; the result is that of this process.

    Of several members each is bred by one worker at a time; of one alone, all score its populations.
    """
    if plan.members > 1:
        there = _There(executor, pickle.dumps(plan))
        yield Workers(places=min(there.workers, plan.members), elsewhere=there.advance)
    else:
        yield Workers(_There(executor, pickle.dumps(plan.task)).score)


class _There:
    """Sends calls to an executor.

    :param known: an `EvolutionPlan`, or its task alone, pickled.
    """

    def __init__(self, executor: Executor, known: bytes) -> None:
        # What the standard executors say of themselves, for want of anything public; it decides how long things take.
        self.workers = max(1, getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
        self._executor = executor
        self._known = known

    def advance(
        self, member: int, state: Mapping[str, Any] | None, generations: int, beside: int
    ) -> Callable[[], Advanced]:
        """Begin to breed a member on; see `EvolutionPlan.advance`."""
        return self._submit(_advance, member, state, generations, beside)

    def score(self, population: FloatArray, batch: Any) -> Scored:
        """Begin to score a population, in as many parts as there are workers; the chunks are those of one process."""
        chunks = -(-len(population) // CHUNK)
        jobs = min(self.workers, chunks)
        bounds = [min(len(population), CHUNK * (job * chunks // jobs)) for job in range(jobs + 1)]
        parts = [self._submit(_score, population[start:stop], batch) for start, stop in pairwise(bounds)]
        return lambda: np.concatenate([part() for part in parts])

    def _submit(self, function: Callable[..., Any], *arguments: object) -> Callable[[], Any]:
        try:
            future = self._executor.submit(function, self._known, *arguments)
        except RuntimeError as error:  # it is shut down, or broken
            raise ImproviserError(f"the executor takes no more calls ({error}); give one that is open") from error

        def result() -> Any:
            try:
                return future.result()
            except (BrokenExecutor, CancelledError) as error:
                raise ImproviserError(
                    f"a call of the executor has ended without a result ({error or 'it was cancelled'}); train again"
                ) from error

        return result


def _advance(pickled: bytes, member: int, state: Mapping[str, Any] | None, generations: int, beside: int) -> Advanced:
    """Breed a member on, in a worker."""
    plan: EvolutionPlan = _unpickled(pickled)
    return plan.advance(member, state, generations, beside)


def _score(pickled: bytes, population: FloatArray, batch: Any) -> NDArray[np.float64]:
    """Score some of a population, in a worker."""
    return fitness_of(_unpickled(pickled), population, batch)


def _unpickled(pickled: bytes) -> Any:
    """Return what the bytes say; looked into once by each thread that works."""
    if getattr(_known, "pickled", None) != pickled:
        _known.value = pickle.loads(pickled)  # noqa: S301  our own bytes, by the executor that the caller gave
        _known.pickled = pickled
    return _known.value
