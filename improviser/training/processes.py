"""Worker processes with a pipe each: they share no lock and no queue, so the death of one cannot hang another.

The pool of the standard library shares both; one that was killed as it took a job from the queue left the rest, and
whoever waited for them, waiting for ever.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from improviser.errors import ImproviserError
from improviser.signals import pass_over_interrupts


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, this end of its pipe, and the number of the job it is at."""

    process: SpawnProcess
    pipe: "Connection[Any, Any]"
    job: int | None = None


class Processes:
    """So many processes, each of which does one job at a time; the first that is free takes the next job.

    :param count: how many.
    :param prepare: is called in each with `arguments`, before any job.
    :raises ImproviserError: if the system will not start so many.
    """

    def __init__(self, count: int, prepare: Callable[..., None], *arguments: object) -> None:
        self._workers: list[_Worker] = []
        self._waiting: deque[tuple[int, object]] = deque()
        self._done: dict[int, tuple[bool, Any]] = {}
        self._jobs = 0
        context = multiprocessing.get_context("spawn")
        try:
            with _deaf():
                for _ in range(count):
                    here, there = context.Pipe()
                    process = context.Process(target=_work, args=(there, prepare, arguments), daemon=True)
                    self._workers.append(_Worker(process, here))
                    process.start()
                    there.close()  # or the pipe would not end with the process
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                why = error.strerror or error
                raise ImproviserError(f"cannot start {count} worker processes: {why}; give fewer --workers") from error
            raise

    def submit(self, function: Callable[..., Any], *arguments: object) -> Callable[[], Any]:
        """Let a process call `function`, which it imports by its name; what is returned waits for what came of it.

        :raises ImproviserError: if a process has died; so does what is returned. That raises what the call raised, too.
        """
        self._jobs += 1
        job = self._jobs
        self._waiting.append((job, (function, arguments)))
        self._hand_out()

        def result() -> Any:
            while job not in self._done:
                self._take_back()
            fine, value = self._done.pop(job)
            if fine:
                return value
            raise value

        return result

    def _hand_out(self) -> None:
        """Give jobs to those that are free: no two to one, which could be busy with sending what came of the first."""
        for worker in self._workers:
            if worker.job is None and self._waiting:
                worker.job, call = self._waiting.popleft()
                with _death_told():
                    worker.pipe.send(call)

    def _take_back(self) -> None:
        """Wait until a process has done its job, and keep what came of it."""
        ready = wait([worker.pipe for worker in self._workers])
        for worker in [one for one in self._workers if one.pipe in ready]:
            with _death_told():
                outcome = worker.pipe.recv()
            if worker.job is not None:
                self._done[worker.job] = outcome
                worker.job = None
        self._hand_out()

    def close(self) -> None:
        """End all of them at once, whatever they are at."""
        for worker in self._workers:
            if worker.process.pid is not None:
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers.clear()


@contextmanager
def _death_told() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise ImproviserError(
            "a worker process died, perhaps for lack of memory; go on with --resume and fewer --workers"
        ) from error


@contextmanager
def _deaf() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait; processes started meanwhile never hear them. Who keeps the champion ends those."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where what `_work` does is all there is
        yield
        return
    resource_tracker.ensure_running()  # what starts it with the first process hears again after that
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: "Connection[Any, Any]", prepare: Callable[..., None], arguments: tuple[object, ...]) -> None:
    """Do one job after another, in a process that lives no longer than the one that started it."""
    pass_over_interrupts()  # where it was not inherited
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    prepare(*arguments)
    while True:
        try:
            function, given = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            outcome: tuple[bool, Any] = True, function(*given)
        except Exception as error:  # noqa: BLE001  whatever it is, it is for who waits
            outcome = False, error
        pipe.send(outcome)


def _end_with_parent() -> None:
    """Wait for the parent's death, however it comes, and follow: nobody else would tell this process to end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
