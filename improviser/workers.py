"""Several processes that score one population: each holds the task, and one thread of linear algebra."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.strategy import FloatArray, Task
from improviser.threads import use_one_thread
from improviser.training import Score, chunks, in_process

_held: dict[str, Task] = {}


@contextmanager
def scoring(task: Task, workers: int) -> Iterator[Score]:
    """Give a function that scores populations in `workers` processes (1: in this one); all give the same result."""
    if workers == 1:
        yield in_process(task)
        return
    use_one_thread()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_hold, initargs=(task,)) as executor:
        try:
            yield over(executor)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def over(executor: Executor) -> Score:
    """Return a function that scores populations on an executor whose workers hold the task."""

    def score(population: FloatArray, batch: Any) -> NDArray[np.float64]:
        futures = [executor.submit(_score_chunk, chunk, batch) for chunk in chunks(population)]
        return np.concatenate([future.result() for future in futures])

    return score


def _hold(task: Task) -> None:
    """Keep the task, and live no longer than the process that gave it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that keeps the champion
    _held["task"] = task
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent's death, however it comes, and follow: nobody else would tell this process to end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _score_chunk(chunk: FloatArray, batch: Any) -> NDArray[np.float64]:
    return _held["task"].fitness(chunk, batch)
