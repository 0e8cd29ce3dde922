"""Worker processes: signals they do not hear, the death of any of them, and what the system will not start."""

import errno
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import BrokenExecutor
from multiprocessing.context import SpawnProcess
from pickle import PicklingError

import numpy as np
import pytest
from numpy.typing import NDArray

from improviser.errors import ImproviserError
from improviser.training import process_executor
from improviser.training.process_executor import MOST_DEATHS, ProcessExecutor, signals_blocked
from tests.processes import kill

LARGE = 2**21
"""Bytes; far more than a pipe holds."""

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")


def one_more_than(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return numbers + 1


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def meet() -> int:
    """Return the process that did this, after long enough for another to do the same."""
    time.sleep(0.2)
    return os.getpid()


@posix
def test_workers_do_not_hear_what_their_parent_is_told() -> None:
    with ProcessExecutor(2) as executor:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(executor.submit(os.getpid).result(), number)
        assert executor.submit(sleep, 0.1).result() == 0.1
        both = {future.result() for future in [executor.submit(meet) for _ in range(2)]}
        assert len(both) == 2


@posix
def test_a_signal_while_workers_start_is_heard_later() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with signals_blocked():
            signal.raise_signal(signal.SIGTERM)  # of this thread: other threads, as tests have them, are not blocked
            assert not heard
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("seed", range(3))
def test_what_any_worker_was_at_that_died_at_any_time_is_done_again(seed: int) -> None:
    """One that waits for work, one that gets or does it, or one that sends a part of what came of it."""
    chance = random.Random(seed)
    numbers = np.zeros(LARGE // 8)
    with ProcessExecutor(2) as executor:
        victim = chance.choice([future.result() for future in [executor.submit(meet) for _ in range(2)]])

        def kill_it() -> None:
            time.sleep(chance.uniform(0.0, 0.05))
            kill(victim)

        killer = threading.Thread(target=kill_it)
        killer.start()
        workers = {victim}
        while victim in workers:
            first, second = executor.submit(one_more_than, numbers), executor.submit(os.getpid)
            assert (first.result() == 1).all()
            second.result()
            workers = {worker.process.pid for worker in executor._workers if worker.process is not None}
        killer.join()
        both = {future.result() for future in [executor.submit(meet) for _ in range(2)]}
        assert len(both) == 2
        assert victim not in both


def test_more_than_the_system_will_start_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    start = SpawnProcess.start
    started: list[SpawnProcess] = []

    def start_one(process: SpawnProcess) -> None:
        if started:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        started.append(process)
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", start_one)
    with (
        pytest.raises(ImproviserError, match=r"cannot start 2 worker processes: .*; give fewer --workers"),
        ProcessExecutor(2),
    ):
        pytest.fail("there are no two")
    started[0].join(60)
    assert started[0].exitcode is not None


def test_at_the_end_nothing_is_waited_for() -> None:
    with ProcessExecutor(2) as executor:
        processes = [future.result() for future in [executor.submit(meet) for _ in range(2)]]
        long = [executor.submit(sleep, 1000.0) for _ in range(2)]
    assert all(future.done() for future in long)
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def fail(what: str) -> None:
    raise LookupError(what)


class OddError(Exception):
    """An error that can be sent, and not be read."""

    def __init__(self, _one: object, _two: object) -> None:
        super().__init__("odd")


def fail_oddly() -> None:
    raise OddError(1, 2)


def test_results_may_be_asked_for_in_any_order_and_large_ones_do_not_stop_each_other() -> None:
    numbers = [np.full(LARGE // 8, value, np.float64) for value in range(6)]
    with ProcessExecutor(2) as executor:
        futures = [executor.submit(one_more_than, one) for one in numbers]
        for future, one in zip(reversed(futures), reversed(numbers), strict=True):
            assert (future.result() == one + 1).all()


def test_what_a_call_raises_is_raised_and_the_workers_go_on() -> None:
    def local() -> None: ...

    with ProcessExecutor(2) as executor:
        with pytest.raises(LookupError, match="nothing here"):
            executor.submit(fail, "nothing here").result()
        with pytest.raises(TypeError):
            executor.submit(fail_oddly).result()
        with pytest.raises((AttributeError, PicklingError)):  # no other process could import it
            executor.submit(local).result()
        both = {future.result() for future in [executor.submit(meet) for _ in range(2)]}
        assert len(both) == 2


def die() -> None:
    kill(os.getpid())


def test_a_call_that_kills_whoever_does_it_is_told_to_whoever_waits_and_whoever_comes_after(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ProcessExecutor(2) as executor:
        futures = [executor.submit(sleep, 1000.0), executor.submit(die), executor.submit(sleep, 1000.0)]
        for future in futures:
            with pytest.raises(BrokenExecutor):
                future.result()
        with pytest.raises(BrokenExecutor):
            executor.submit(os.getpid)
    assert caplog.text.count("it is done again") == MOST_DEATHS - 1
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(os.getpid)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="the system does not tell which processes are stopped")
def test_a_worker_that_stays_stopped_is_not_waited_for_and_one_that_goes_on_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_executor, "LOOK_SECONDS", 0.05)
    with ProcessExecutor(1) as executor:
        first = executor.submit(os.getpid).result()
        waiting = executor.submit(sleep, 0.3)
        os.kill(first, signal.SIGSTOP)
        while executor._workers[0].stopped_since is None:
            time.sleep(0.01)
        os.kill(first, signal.SIGCONT)
        assert waiting.result() == 0.3
        assert executor.submit(os.getpid).result() == first
        monkeypatch.setattr(process_executor, "STOPPED_SECONDS", 0.1)
        waiting = executor.submit(sleep, 0.3)
        os.kill(first, signal.SIGSTOP)
        assert waiting.result() == 0.3
        assert executor.submit(os.getpid).result() != first
