"""Worker processes on this machine as an executor, with a pipe each: they share no lock and no queue.

So the death of one, at whatever moment, cannot leave another, or whoever waits for a result, waiting for ever: another
process takes its place and does the call again. The standard library's and loky's executors share queues; killed while
it took a call or sent a result, a worker left both of them waiting.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from improviser.errors import ImproviserError
from improviser.signals import pass_over_interrupts

_log = logging.getLogger(__name__)

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
MOST_DEATHS = 3
"""So many workers may die of one call; then it is the call."""
LOOK_SECONDS, STOPPED_SECONDS = 2.0, 30.0
"""How often it is looked whether a worker is stopped (by SIGSTOP, say), and how long it may be while others work."""


@dataclass(slots=True, eq=False)
class _Job:
    """A call, the future of what it returns, and how many workers have died at it."""

    future: "Future[Any]"
    call: Call
    deaths: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, this end of its pipe, and what it is at; no process: one died, and there is nothing to do."""

    process: SpawnProcess | None = None
    pipe: "Connection[Any, Any] | None" = None
    job: _Job | None = None
    stopped_since: float | None = None

    def start(self) -> None:
        """Start a process; it hears neither Ctrl-C nor SIGTERM."""
        context = multiprocessing.get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=_work, args=(there,), daemon=True)
        try:
            with signals_blocked():
                self.process.start()
        finally:
            there.close()  # or the pipe would not end with the process

    def stopped_for(self, now: float) -> float:
        """Look whether the process is stopped; return for how many seconds it has been, as far as it was looked."""
        process = self.process.pid if self.process is not None else None
        how = os.WSTOPPED | os.WNOHANG | os.WNOWAIT if hasattr(os, "waitid") else 0
        with suppress(OSError):
            if not how or process is None or os.waitid(os.P_PID, process, how) is None:
                self.stopped_since = None
            elif self.stopped_since is None:
                self.stopped_since = now
        return 0.0 if self.stopped_since is None else now - self.stopped_since

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self.process is not None and self.process.pid is not None:
            self.process.kill()
            self.process.join()
        if self.pipe is not None:
            self.pipe.close()
        self.process = self.pipe = self.stopped_since = None


class ProcessExecutor(Executor):
    """So many processes, each of which does one call at a time; the first that is free takes the next.

    They hear neither Ctrl-C nor SIGTERM, and live no longer than the process that started them. What one was at that
    has died is done again; once a call has killed several, all calls end with `BrokenExecutor`.

    :raises ImproviserError: if the system will not start so many.
    """

    def __init__(self, workers: int) -> None:
        self._max_workers = workers
        """How many there are: what other executors call it, too."""
        self._workers = [_Worker() for _ in range(workers)]
        self._waiting: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._closed = self._died = False
        self._wakes, self._waker = multiprocessing.get_context("spawn").Pipe(duplex=False)
        try:
            for worker in self._workers:
                worker.start()
        except BaseException as error:
            self._end_processes()
            if isinstance(error, OSError):
                why = error.strerror or error
                raise ImproviserError(
                    f"cannot start {workers} worker processes: {why}; give fewer --workers"
                ) from error
            raise
        self._thread = threading.Thread(target=self._run, name="process executor", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Let a process call `fn`, which it imports by its name.

        :raises BrokenExecutor: if a call has killed too many processes.
        :raises RuntimeError: after `shutdown`.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("it is shut down")
            if self._died:
                raise BrokenExecutor("worker processes died")
            self._waiting.append(_Job(future, (fn, args, kwargs)))
            self._waker.send_bytes(b"")
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """End all processes at once, whatever they are at; calls that have not been done end with `BrokenExecutor`."""
        with self._lock:
            self._closed = True
            if not self._died:
                self._waker.send_bytes(b"")
        self._thread.join()

    def _run(self) -> None:
        """Hand out calls and take back results until it is shut down, or can do no more."""
        try:
            while not self._closed:
                self._hand_out()
                pipes = [worker.pipe for worker in self._workers if worker.pipe is not None]
                ready = wait([self._wakes, *pipes], LOOK_SECONDS)
                self._leave_the_stopped()
                if self._wakes in ready:
                    self._wakes.recv_bytes()
                for worker in self._workers:
                    if worker.pipe in ready:
                        self._take_back(worker)
        except (BrokenExecutor, OSError):
            pass  # whoever waits for a result is told below
        finally:
            self._end_processes()
            with self._lock:
                self._died = True
                self._waker.close()
            self._wakes.close()
            for job in [*(worker.job for worker in self._workers), *self._waiting]:
                if job is not None and not job.future.done():
                    job.future.set_exception(BrokenExecutor("worker processes died, or were ended, before it was done"))

    def _hand_out(self) -> None:
        """Give calls to those that are free: no two to one, which could be busy with sending the first's result."""
        for worker in self._workers:
            while worker.job is None and self._waiting:
                job = self._waiting.popleft()
                if not job.deaths and not job.future.set_running_or_notify_cancel():
                    continue
                worker.job = job
                if worker.pipe is None:
                    worker.start()
                self._send(worker, job)

    def _send(self, worker: _Worker, job: _Job) -> None:
        try:
            if worker.pipe is not None:
                worker.pipe.send(job.call)
        except OSError:
            self._replace(worker)
        except Exception as error:  # noqa: BLE001  it cannot be pickled, and nothing has been sent
            worker.job = None
            job.future.set_exception(error)

    def _take_back(self, worker: _Worker) -> None:
        try:
            done, value = worker.pipe.recv() if worker.pipe is not None else (False, None)
        except (EOFError, OSError):
            self._replace(worker)
            return
        except Exception as error:  # noqa: BLE001  what came cannot be unpickled here
            done, value = False, error
        job, worker.job = worker.job, None
        if job is None:
            return
        if done:
            job.future.set_result(value)
        else:
            job.future.set_exception(value)

    def _leave_the_stopped(self) -> None:
        """Replace workers that are at a call and have been stopped for long: else it might be waited for for ever."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.job is not None and worker.stopped_for(now) > STOPPED_SECONDS:
                self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        """End what is left of a worker that has died, or is stopped; what it was at is done again, before all else.

        :raises BrokenExecutor: if others have died of that.
        """
        worker.end()
        job, worker.job = worker.job, None
        if job is None:
            return
        job.deaths += 1
        self._waiting.appendleft(job)
        if job.deaths >= MOST_DEATHS:
            raise BrokenExecutor
        _log.warning("a worker died or was stopped before its work was done; it is done again")

    def _end_processes(self) -> None:
        for worker in self._workers:
            worker.end()


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait; processes started meanwhile never hear them. Who keeps the champion ends those."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where what `_work` does is all there is
        yield
        return
    resource_tracker.ensure_running()  # it unblocks them when it starts, which would be with the first process
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: "Connection[Any, Any]") -> None:
    """Do one call after another, in a process that lives no longer than the one that started it."""
    pass_over_interrupts()  # where it was not inherited
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    while True:
        try:
            function, arguments, options = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            outcome: tuple[bool, Any] = True, function(*arguments, **options)
        except Exception as error:  # noqa: BLE001  whatever it is, it is for who waits
            outcome = False, error
        pipe.send(outcome)


def _end_with_parent() -> None:
    """Wait for the parent's death, however it comes, and follow: nobody else would tell this process to end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
