"""Worker processes: signals they do not hear, the death of any of them, and what the system will not start."""

import errno
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import BrokenExecutor

import numpy as np
import pytest
from loky.backend.process import LokyProcess
from numpy.typing import NDArray

from improviser.errors import ImproviserError
from improviser.training import local_executor as module
from improviser.training.local_executor import local_executor

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
    with local_executor(2) as executor:
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
        with module._signals_blocked():
            signal.raise_signal(signal.SIGTERM)  # of this thread: other threads, as tests have them, are not blocked
            assert not heard
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


@posix
@pytest.mark.parametrize("seed", range(3))
def test_the_death_of_any_worker_at_any_time_does_not_hang(seed: int) -> None:
    """One that waits for work, one that gets or does it, or one that sends a part of what came of it."""
    chance = random.Random(seed)
    numbers = np.zeros(LARGE // 8)
    with local_executor(2) as executor:
        victim = chance.choice([future.result() for future in [executor.submit(meet) for _ in range(2)]])

        def kill() -> None:
            time.sleep(chance.uniform(0.0, 0.05))
            os.kill(victim, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()

        def go_on() -> None:
            while True:
                first, second = executor.submit(one_more_than, numbers), executor.submit(os.getpid)
                first.result()
                second.result()

        try:
            with pytest.raises(BrokenExecutor):
                go_on()
        finally:
            killer.join()


def test_more_than_the_system_will_start_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    start = LokyProcess.start
    started: list[LokyProcess] = []

    def start_one(process: LokyProcess) -> None:
        if started:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        started.append(process)
        start(process)

    monkeypatch.setattr(LokyProcess, "start", start_one)
    with (
        pytest.raises(ImproviserError, match=r"cannot start 2 worker processes: .*; give fewer --workers"),
        local_executor(2),
    ):
        pytest.fail("there are no two")
    started[0].join(60)
    assert started[0].exitcode is not None


def test_at_the_end_nothing_is_waited_for() -> None:
    with local_executor(2) as executor:
        processes = [future.result() for future in [executor.submit(meet) for _ in range(2)]]
        long = [executor.submit(sleep, 1000.0) for _ in range(2)]
    assert all(future.done() for future in long)
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
