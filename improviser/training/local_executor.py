"""Worker processes on this machine, as an executor: loky's, which a dying worker cannot leave waiting for ever.

(The standard library's shares one queue, and a worker that is killed as it takes a call from it leaves all others
waiting.) The workers hear neither Ctrl-C nor SIGTERM, since who keeps the champion ends them; and they end with their
parent, however that ends.
"""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, wait
from contextlib import contextmanager

from loky import ProcessPoolExecutor
from loky.backend import resource_tracker

from improviser.errors import ImproviserError
from improviser.signals import pass_over_interrupts
from improviser.threads import use_one_thread
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.workers import Workers, working_on

ORPHAN_CHECK_SECONDS = 0.5
SYNCHRONIZE, FOR_EVER = 0x00100000, 0xFFFFFFFF
"""Windows: the right to wait for a process, and for how long."""


@contextmanager
def working(workers: int, plan: EvolutionPlan) -> Iterator[Workers]:
    """Give where to breed members, in `workers` processes (1: in this one); all give the same result."""
    if workers == 1:
        yield Workers()
        return
    with local_executor(workers) as executor, working_on(executor, plan) as where:
        yield where


@contextmanager
def local_executor(workers: int) -> Iterator[Executor]:
    """Have an executor of so many processes, each with one thread of linear algebra, until the end of the block.

    :raises ImproviserError: if the system will not start so many.
    """
    use_one_thread()
    executor = ProcessPoolExecutor(workers, initializer=_prepare, initargs=(os.getpid(),))
    try:
        with _signals_blocked():
            try:
                wait([executor.submit(os.getpid) for _ in range(workers)])
            except (OSError, BrokenExecutor) as error:
                why = getattr(error, "strerror", None) or error
                raise ImproviserError(
                    f"cannot start {workers} worker processes: {why}; give fewer --workers"
                ) from error
        yield executor
    finally:
        executor.shutdown(kill_workers=True)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait; processes started meanwhile do not hear them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where what `_prepare` does is all there is
        yield
        return
    resource_tracker.ensure_running()  # it unblocks them when it starts, which would be with the first process
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(parent: int) -> None:
    """Prepare a worker for its work."""
    pass_over_interrupts()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), name="end with parent", daemon=True).start()


def _end_with(parent: int) -> None:
    """End when the parent has ended: a worker at work would notice only when it next asks for a call."""
    if hasattr(ctypes, "windll"):  # there a process keeps its parent's number, however long that has ended
        _await_end_on_windows(parent)
    else:
        while os.getppid() == parent:
            time.sleep(ORPHAN_CHECK_SECONDS)
    os._exit(1)


def _await_end_on_windows(process: int) -> None:
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
    handle = kernel.OpenProcess(SYNCHRONIZE, False, process)
    if handle:  # else it has ended already
        kernel.WaitForSingleObject(ctypes.c_void_p(handle), FOR_EVER)
