"""A function on many arguments, over an executor or in this process: results in order, few of them at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from typing import Any, TypeVar

from improviser.errors import ImproviserError
from improviser.training.cluster import Cluster, LostCluster
from improviser.training.cluster_client import cluster_behind
from improviser.training.software import difference, software, this_machine

T = TypeVar("T")

DIED = "several workers died of the same work, perhaps for lack of memory; go on with --resume and fewer workers"
AHEAD = 3
"""Calls that are sent for each worker before the first result is taken: it is never without one."""


def mapped(executor: Executor | None, function: Callable[..., T], arguments: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    """Yield what the function returns for each of the arguments, in their order.

    They are asked for as they are needed: of all that there is to do, only a little is in memory at a time.

    :param function: can be sent to other processes.
    :param executor: None: this process.
    :raises ImproviserError: if the workers are lost, or have other software.
    """
    if executor is None:
        yield from (function(*each) for each in arguments)
        return
    waiting: deque[Future[T]] = deque()
    try:
        for each in arguments:
            try:
                waiting.append(executor.submit(_called, software(), function, *each))
            except (RuntimeError, OSError) as error:  # a worker is dead, or it is shut down
                raise died(error) from error
            if len(waiting) >= AHEAD * calls_at_a_time(executor):
                yield result_of(waiting.popleft())
        while waiting:
            yield result_of(waiting.popleft())
    finally:
        for future in waiting:
            future.cancel()


def calls_at_a_time(executor: Executor) -> int:
    """Return how many calls an executor makes at a time, as it says itself for want of anything public."""
    return max(1, getattr(executor, "_max_workers", None) or os.cpu_count() or 1)


@contextmanager
def outlasting(executor: Executor) -> Iterator[Executor]:
    """Give an executor whose calls outlast a scheduler, if it is the one of a Dask client; else itself."""
    where = cluster_behind(executor)
    if where is None:
        yield executor
        return
    with Cluster(where) as cluster:
        yield cluster


def result_of(future: "Future[Any]") -> Any:
    """Wait for a call, and return what it returned.

    :raises ImproviserError: if a worker died of it, or all are lost.
    """
    try:
        return future.result()
    except (BrokenExecutor, CancelledError) as error:
        raise died(error) from error


def died(error: BaseException) -> ImproviserError:
    """Return what to say of the loss of a worker."""
    return ImproviserError(str(error) if isinstance(error, LostCluster) else DIED)


def _called(wanted: Mapping[str, str], function: Callable[..., T], *arguments: Any) -> T:
    """Call a function, in a worker that has the same software as who asks."""
    require_software(wanted)
    return function(*arguments)


def require_software(wanted: Mapping[str, str]) -> None:
    """Refuse to work here with other software than who asks.

    :raises ImproviserError: if it differs.
    """
    if differs := difference(software(), wanted):
        raise ImproviserError(
            f"the worker on {this_machine()} would not come to the same result: it has {differs}; install the same "
            "versions there, and go on with --resume"
        )
