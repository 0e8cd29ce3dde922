"""Worker processes: jobs in any order, what they raise, signals they do not hear, and the death of any of them."""

import errno
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from pickle import PicklingError

import numpy as np
import pytest
from numpy.typing import NDArray

from improviser.errors import ImproviserError
from improviser.training import processes
from improviser.training.processes import Processes

LARGE = 2**21
"""Bytes; far more than a pipe holds."""

_prepared: list[int] = []


def prepare(value: int) -> None:
    _prepared.append(value)


def prepared() -> int:
    return _prepared[0]


def process() -> int:
    return os.getpid()


def one_more_than(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return numbers + 1


def fail(what: str) -> None:
    raise LookupError(what)


def die(after: float = 0.0) -> None:
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@pytest.fixture(scope="module")
def two() -> Iterator[Processes]:
    both = Processes(2, prepare, 7)
    yield both
    both.close()


def test_results_may_be_asked_for_in_any_order(two: Processes) -> None:
    waits = [two.submit(sleep, seconds) for seconds in (0.05, 0.0, 0.02, 0.01, 0.0)]
    order = [3, 0, 4, 1, 2]
    assert [waits[number]() for number in order] == [(0.05, 0.0, 0.02, 0.01, 0.0)[number] for number in order]
    assert two.submit(prepared)() == 7


def test_two_jobs_are_done_at_a_time(two: Processes) -> None:
    first, second = two.submit(process), two.submit(process)
    assert first() != second()


def test_large_jobs_and_results_do_not_stop_each_other(two: Processes) -> None:
    numbers = [np.full(LARGE // 8, value, np.float64) for value in range(6)]
    waits = [two.submit(one_more_than, one) for one in numbers]
    for wait, one in zip(reversed(waits), reversed(numbers), strict=True):
        assert (wait() == one + 1).all()


def test_what_a_job_raises_is_raised_and_the_worker_goes_on(two: Processes) -> None:
    with pytest.raises(LookupError, match="nothing here"):
        two.submit(fail, "nothing here")()
    assert two.submit(prepared)() == 7


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_death_is_told_in_one_line_whoever_is_waited_for() -> None:
    both = Processes(2, prepare, 1)
    try:
        long, short = both.submit(sleep, 60.0), both.submit(die, 0.1)
        for wait in (long, short):
            with pytest.raises(ImproviserError, match="a worker process died"):
                wait()
        with suppress(ImproviserError):
            both.submit(prepared)
    finally:
        both.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("seed", range(3))
def test_the_death_of_any_worker_at_any_time_does_not_hang(seed: int) -> None:
    """One that waits for work, one that gets or does it, or one that sends a part of what came of it."""
    chance = random.Random(seed)
    both = Processes(2, prepare, 1)
    victims = [both.submit(process), both.submit(process)]
    victim = chance.choice([wait() for wait in victims])
    numbers = np.zeros(LARGE // 8)

    def kill() -> None:
        time.sleep(chance.uniform(0.0, 0.05))
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()

    def go_on() -> None:
        while True:
            first, second = both.submit(one_more_than, numbers), both.submit(process)
            first()
            second()

    try:
        with pytest.raises(ImproviserError, match="a worker process died"):
            go_on()
    finally:
        killer.join()
        both.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_workers_do_not_hear_what_their_parent_is_told() -> None:
    both = Processes(2, prepare, 1)
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(both.submit(process)(), number)
        assert both.submit(sleep, 0.1)() == 0.1
        assert both.submit(prepared)() == 1
    finally:
        both.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_signal_while_workers_start_is_heard_later() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with processes._deaf():
            signal.raise_signal(signal.SIGTERM)  # of this thread: others, as tests have them, are not deaf
            assert not heard
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_more_than_the_system_will_start_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    start = SpawnProcess.start
    started: list[SpawnProcess] = []

    def start_one(process: SpawnProcess) -> None:
        if started:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        started.append(process)
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", start_one)
    with pytest.raises(ImproviserError, match=r"cannot start 2 worker processes: .*; give fewer --workers"):
        Processes(2, prepare, 1)
    assert started[0].exitcode


def test_what_cannot_start_leaves_nothing() -> None:
    def local(_: int) -> None: ...

    before = multiprocessing.active_children()
    with pytest.raises((AttributeError, TypeError, PicklingError)):  # no other process could import it
        Processes(2, local, 1)
    assert multiprocessing.active_children() == before
