"""Worker processes on this machine as an executor, with a pipe each: they share no lock and no queue.

So the death of one, at whatever moment, cannot leave another, or whoever waits for a result, waiting for ever. The
standard library's and loky's executors share queues; killed while it took a call or sent a result, a worker left both
of them waiting.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from improviser.errors import ImproviserError
from improviser.signals import pass_over_interrupts

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, this end of its pipe, and the future of the call that it is at."""

    process: SpawnProcess
    pipe: "Connection[Any, Any]"
    future: "Future[Any] | None" = None


class ProcessExecutor(Executor):
    """So many processes, each of which does one call at a time; the first that is free takes the next.

    They hear neither Ctrl-C nor SIGTERM, and live no longer than the process that started them. Once one has died, all
    calls end with `BrokenExecutor`.

    :raises ImproviserError: if the system will not start so many.
    """

    def __init__(self, workers: int) -> None:
        self._max_workers = workers
        """How many there are: what other executors call it, too."""
        self._workers: list[_Worker] = []
        self._waiting: deque[tuple[Future[Any], Call]] = deque()
        self._lock = threading.Lock()
        self._closed = self._died = False
        context = multiprocessing.get_context("spawn")
        self._wakes, self._waker = context.Pipe(duplex=False)
        try:
            with signals_blocked():
                for _ in range(workers):
                    here, there = context.Pipe()
                    process = context.Process(target=_work, args=(there,), daemon=True)
                    self._workers.append(_Worker(process, here))
                    process.start()
                    there.close()  # or the pipe would not end with the process
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

        :raises BrokenExecutor: if a process has died.
        :raises RuntimeError: after `shutdown`.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("it is shut down")
            if self._died:
                raise BrokenExecutor("a worker process died")
            self._waiting.append((future, (fn, args, kwargs)))
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
        """Hand out calls and take back results until it is shut down, or a process dies."""
        try:
            while not self._closed:
                self._hand_out()
                ready = wait([self._wakes, *(worker.pipe for worker in self._workers)])
                if self._wakes in ready:
                    self._wakes.recv_bytes()
                for worker in self._workers:
                    if worker.pipe in ready:
                        self._take_back(worker)
        except (EOFError, OSError):
            pass  # a worker has died; whoever waits for a result is told below
        finally:
            self._end_processes()
            with self._lock:
                self._died = True
                self._waker.close()
            self._wakes.close()
            left = [worker.future for worker in self._workers] + [future for future, _ in self._waiting]
            for future in left:
                if future is not None and not future.done():
                    future.set_exception(BrokenExecutor("a worker process died, or was ended, before it was done"))

    def _hand_out(self) -> None:
        """Give calls to those that are free: no two to one, which could be busy with sending the first's result."""
        for worker in self._workers:
            while worker.future is None and self._waiting:
                future, call = self._waiting.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                worker.future = future
                try:
                    worker.pipe.send(call)
                except OSError:
                    raise
                except Exception as error:  # noqa: BLE001  it cannot be pickled, and nothing has been sent
                    worker.future = None
                    future.set_exception(error)

    @staticmethod
    def _take_back(worker: _Worker) -> None:
        try:
            done, value = worker.pipe.recv()
        except (EOFError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  what came cannot be unpickled here
            done, value = False, error
        future, worker.future = worker.future, None
        if future is None:
            return
        if done:
            future.set_result(value)
        else:
            future.set_exception(value)

    def _end_processes(self) -> None:
        for worker in self._workers:
            if worker.process.pid is not None:
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()


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
