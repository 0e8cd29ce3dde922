"""Where a choir is bred: in this process, or on a `concurrent.futures.Executor`, whatever its workers are.

An executor's workers cannot be prepared, and any of them may get any call. So the first calls bring all that there is
to know, pickled, and those that follow its digest alone; a worker that does not know it (it is new) says so, and is
told. What a call returns does not depend on who made it: the model is that of one process.
"""

import hashlib
import logging
import os
import pickle
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.errors import ImproviserError
from improviser.threads import use_one_thread
from improviser.training.cluster import Cluster, Shared
from improviser.training.cluster_client import own_address
from improviser.training.crew import Crew, Share, Worker
from improviser.training.deliveries import Deliveries, Missing, pickled_with_arrays
from improviser.training.evolution_plan import Advanced, EvolutionPlan
from improviser.training.generations import CHUNK, Score, Scored, fitness_of
from improviser.training.mapping import calls_at_a_time, died, outlasting, require_software, result_of
from improviser.training.process_executor import ProcessExecutor
from improviser.training.software import software, this_machine
from improviser.training.stored_array import MissingArrayError

Elsewhere = Callable[[int, Mapping[str, Any] | None, int, int], "Future[Advanced]"]
"""Begins what `EvolutionPlan.advance` does, in a worker; see `result_of`."""

KEPT_BYTES = 2**27
"""Of what a worker has unpickled, as long as it was pickled; of several runs that share a cluster, say."""

_known = threading.local()
"""What the thread has unpickled lately: threads share no task, which may keep notes of its own."""
_log = logging.getLogger("improviser.train")


@dataclass(frozen=True, slots=True)
class Workers:
    """Where members are bred.

    :param score: scores one population at a time, of a member that is bred here; by default in this process.
    :param places: how many members are bred at a time.
    :param elsewhere: breeds members in the workers; without it they are bred here.
    :param calls: returns how many calls the workers make at a time by now; by default, as many as there are places.
    """

    score: Score | None = None
    places: int = 1
    elsewhere: Elsewhere | None = None
    calls: Callable[[], int] | None = None

    @property
    def hands(self) -> int:
        """How many calls are made at a time."""
        return self.places if self.calls is None else self.calls()


@contextmanager
def working(workers: int, plan: EvolutionPlan, crew: Crew | None = None) -> Iterator[Workers]:
    """Give where to breed members, in `workers` processes (1: in this one); all give the same result.

    :param crew: is told what they do.
    :raises ImproviserError: if the system will not start so many.
    """
    if workers == 1:
        yield Workers()
        return
    use_one_thread()
    with ProcessExecutor(workers) as executor, working_on(executor, plan, crew) as where:
        yield where


@contextmanager
def working_on(executor: Executor, plan: EvolutionPlan, crew: Crew | None = None) -> Iterator[Workers]:
    """Give where to breed members, on `executor`, which stays its owner's; the result is that of this process.

    Of several members each is bred by one worker at a time; of one alone, all score its populations.

    :param crew: is told what the workers do.
    """
    with outlasting(executor) as lasting:
        known = plan if plan.members > 1 else plan.task
        calls = Calls(lasting, known, crew or Crew())
        if plan.members == 1:
            yield Workers(calls.score, calls=lambda: calls.workers)
            return
        # All members wait at a cluster's door: it may be about to grow, and grows by what waits.
        places = plan.members if isinstance(lasting, Cluster) else min(calls.workers, plan.members)
        yield Workers(places=places, elsewhere=calls.advance, calls=lambda: calls.workers)


@dataclass(frozen=True, slots=True)
class _Done:
    """What a call returned, and which worker knows now what it was about.

    :param seconds: how long that took.
    :param rounding: see `_rounding`; from a worker that has just been told.
    """

    worker: Worker
    value: Any
    seconds: float
    rounding: bytes | None


class _Unknown:
    """The reply of a worker that does not know what the digest stands for."""


@dataclass(frozen=True, slots=True)
class _About:
    """What a call is about, and what software it needs to come to the same result."""

    digest: bytes
    software: Mapping[str, str]


class Calls:
    """Sends calls to an executor.

    :param known: what every call is about, and what its function gets first; it can be pickled.
    :param crew: is told what the workers do.
    """

    def __init__(self, executor: Executor, known: object, crew: Crew) -> None:
        self._executor = executor
        self._crew = crew
        crew.hands = lambda: self.workers
        self._known = known
        pickled, arrays = pickled_with_arrays(known)
        self._deliveries = Deliveries(executor, arrays)
        self._told: bytes | Shared = Shared(pickled) if isinstance(executor, Cluster) else pickled
        self._about = _About(hashlib.sha256(pickled).digest(), software())
        self._informed: set[Worker] = set()
        self._own_rounding: bytes | None = None

    @property
    def workers(self) -> int:
        """How many calls are made at a time."""
        return calls_at_a_time(self._executor)  # it only decides how long things take

    def advance(
        self, member: int, state: Mapping[str, Any] | None, generations: int, beside: int
    ) -> "Future[Advanced]":
        """Begin to breed a member on; see `EvolutionPlan.advance`."""
        return self.submit(_share_of_stretch, _advance, member, state, generations, beside)

    def score(self, population: Float32Array, batch: Any) -> Scored:
        """Begin to score a population, in as many parts as there are workers; the chunks are those of one process."""
        chunks = -(-len(population) // CHUNK)
        jobs = min(self.workers, chunks)
        bounds = [min(len(population), CHUNK * (job * chunks // jobs)) for job in range(jobs + 1)]
        share_of = partial(_share_of_scores, len(population))
        parts = [self.submit(share_of, _score, population[start:stop], batch) for start, stop in pairwise(bounds)]
        return lambda: np.concatenate([result_of(part) for part in parts])

    def submit(
        self, share_of: Callable[[Any], Share], function: Callable[..., Any], *arguments: object
    ) -> "Future[Any]":
        """Begin a call; whoever does not know what it is about, or has not what that needs, is told, and asked again.

        :param share_of: returns what a worker did that returned this.
        """
        outcome: Future[Any] = Future()
        found_missing: list[Missing] = []

        def begin_again(delivered: "Future[None]") -> None:
            try:
                delivered.result()
                self._begin(False, function, arguments).add_done_callback(take)
            except Exception as error:  # noqa: BLE001  the same
                outcome.set_exception(error)

        def take(future: "Future[Any]") -> None:
            try:
                done = future.result()
                if isinstance(done, _Unknown):
                    self._begin(False, function, arguments).add_done_callback(take)
                elif isinstance(done, Missing):
                    found_missing.append(done)
                    self._deliveries.deliver(found_missing, begin_again)
                else:
                    self._meet(done)
                    self._crew.did(done.worker, done.seconds, share_of(done.value))
                    outcome.set_result(done.value)
            except Exception as error:  # noqa: BLE001  whatever it is, it is for who waits
                outcome.set_exception(error)

        self._crew.begun()
        outcome.add_done_callback(lambda _: self._crew.ended())
        informed = len(self._informed) >= self.workers
        self._begin(informed, function, arguments).add_done_callback(take)
        return outcome

    def _begin(self, informed: bool, function: Callable[..., Any], arguments: tuple[object, ...]) -> "Future[Any]":
        told: Any = None if informed else self._told  # a cluster hands over the bytes that `Shared` stands for
        try:
            return self._executor.submit(_call, self._about, told, function, *arguments)
        except BrokenExecutor as error:
            raise died(error) from error
        except (RuntimeError, OSError) as error:  # it is shut down, or can start no worker
            raise ImproviserError(f"the workers take no more calls ({error}); train again with fewer") from error

    def _meet(self, done: _Done) -> None:
        """Know who has been told; if it rounds otherwise than this process, say so."""
        self._informed.add(done.worker)
        if done.rounding is None or not isinstance(self._executor, Cluster):
            return
        self._own_rounding = self._own_rounding or _rounding(self._known)
        if done.rounding != self._own_rounding:
            _log.warning(
                "the worker on %s rounds otherwise than this machine, whose processor is of another kind: the model "
                "may not be the same bit for bit as one bred elsewhere",
                done.worker.machine,
            )


def _call(about: _About, pickled: bytes | None, function: Callable[..., Any], *arguments: object) -> Any:
    """Call a function on what the digest stands for, in a worker; return `_Done`, `_Unknown` or `Missing`.

    :raises ImproviserError: if the result would not be that of the process that asks.
    """
    kept: OrderedDict[bytes, tuple[Any, int]] = _known.__dict__.setdefault("kept", OrderedDict())
    key = _known.__dict__.setdefault("key", uuid.uuid4().hex)
    rounding = None
    if about.digest not in kept:
        if pickled is None:
            return _Unknown()
        try:
            kept[about.digest] = _unpickled(about, pickled), len(pickled)
        except MissingArrayError as error:
            return Missing(error.digest, this_machine(), own_address())
        rounding = _rounding(kept[about.digest][0])
    kept.move_to_end(about.digest)
    while len(kept) > 1 and sum(size for _, size in kept.values()) > KEPT_BYTES:
        kept.popitem(last=False)
    started = time.perf_counter()
    value = function(kept[about.digest][0], *arguments)
    return _Done(Worker(this_machine(), os.getpid(), key), value, time.perf_counter() - started, rounding)


def _unpickled(about: _About, pickled: bytes) -> Any:
    require_software(about.software)
    if hashlib.sha256(pickled).digest() != about.digest:
        raise ImproviserError(f"what there is to learn came to {this_machine()} damaged; go on with --resume")
    return pickle.loads(pickled)  # noqa: S301  our own bytes, by the executor that the caller gave


def _rounding(known: Any) -> bytes:
    """Return the digest of a little work of the kind to come: processors of different kinds round differently."""
    task = known.task if isinstance(known, EvolutionPlan) else known
    if not hasattr(task, "first_population"):
        return b""
    population = task.first_population(np.random.default_rng(0), 2)
    fitness = task.fitness(population, task.batch(np.random.default_rng(0)))
    return hashlib.sha256(np.ascontiguousarray(fitness).tobytes()).digest()


def _advance(
    plan: EvolutionPlan, member: int, state: Mapping[str, Any] | None, generations: int, beside: int
) -> Advanced:
    """Breed a member on, in a worker."""
    return plan.advance(member, state, generations, beside)


def _score(task: Any, population: Float32Array, batch: Any) -> NDArray[np.float64]:
    """Score some of a population, in a worker."""
    return fitness_of(task, population, batch)


def _share_of_stretch(advanced: Advanced) -> Share:
    bred = advanced.generations
    return Share(len(bred), len(bred) * bred[-1].evaluations / bred[-1].generation if bred else 0)


def _share_of_scores(population: int, scores: NDArray[np.float64]) -> Share:
    return Share(len(scores) / population, len(scores))
