"""Workers: they score what one process scores, hang nobody when they die, and do not outlive their parent."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import EchoShape
from improviser.core.echo.task import EchoTask
from improviser.errors import ImproviserError
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.generations import CHUNK, Limits, fitness_of
from improviser.training.mapping import mapped
from improviser.training.process_executor import ProcessExecutor
from improviser.training.workers import working, working_on
from tests.melodies import TUNE, write_melody
from tests.processes import kill


def task() -> EchoTask:
    return EchoTask(EchoShape((4, 3, 1)), EncodedNotes.of(TUNE), EncodedNotes.of(TUNE))


def meet() -> int:
    """Return the process that did this, after long enough for another to do the same."""
    time.sleep(0.2)
    return os.getpid()


def alone(of: EchoTask) -> EvolutionPlan:
    return EvolutionPlan(
        of, lambda _: pytest.fail("nothing is bred"), 1, Limits(), "fitness", 1, lambda _: True, members=1
    )


@pytest.mark.parametrize("population", [1, CHUNK, 2 * CHUNK + 23, 7 * CHUNK])
def test_a_population_is_scored_in_parts(population: int) -> None:
    echo = task()
    genomes = echo.first_population(np.random.default_rng(1), population)
    with ThreadPoolExecutor(3) as executor, working_on(executor, alone(echo)) as workers:
        score = workers.score
        assert score is not None
        for rows in (genomes, genomes[:1], np.concatenate([genomes, genomes[::-1]])):
            assert (score(rows, None)() == fitness_of(echo, rows, None)).all()


def test_processes_score_what_one_scores() -> None:
    echo = task()
    with working(2, alone(echo)) as two:
        score = two.score
        assert score is not None
        for seed in range(3):
            population = echo.first_population(np.random.default_rng(seed), 100 + 60 * seed)
            assert (score(population, None)() == fitness_of(echo, population, None)).all()


class Counting(Executor):
    """An executor of one thread each, a new one now and then, which keeps what it was sent."""

    _max_workers = 2

    def __init__(self) -> None:
        self.threads = [ThreadPoolExecutor(1) for _ in range(2)]
        self.sent: list[int] = []
        self._turn = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.sent.append(len(pickle.dumps((args, kwargs))))
        self._turn += 1
        return self.threads[self._turn % 2].submit(fn, *args, **kwargs)

    def renew(self) -> None:
        """Replace a worker by one that knows nothing."""
        self.threads[0].shutdown()
        self.threads[0] = ThreadPoolExecutor(1)


def test_what_all_workers_know_is_sent_no_more_and_a_new_one_is_told() -> None:
    echo = task()
    size = len(pickle.dumps(echo))
    population = echo.first_population(np.random.default_rng(1), 2 * CHUNK)
    executor = Counting()
    with working_on(executor, alone(echo)) as workers:
        score = workers.score
        assert score is not None
        expected = fitness_of(echo, population, None)
        for _ in range(4):
            assert (score(population, None)() == expected).all()
        first, last = executor.sent[:2], executor.sent[2:]
        assert min(first) > max(last) + 0.9 * size
        executor.renew()
        executor.sent.clear()
        assert (score(population, None)() == expected).all()
        assert len(executor.sent) == 3
        assert sum(sent > max(last) for sent in executor.sent) == 1
    for thread in executor.threads:
        thread.shutdown()


def test_an_executor_that_is_shut_down_is_refused_in_one_line() -> None:
    echo = task()
    executor = ThreadPoolExecutor(1)
    with working_on(executor, alone(echo)) as workers:
        score = workers.score
        assert score is not None
        executor.shutdown()
        with pytest.raises(ImproviserError, match="take no more calls"):
            score(echo.first_population(np.random.default_rng(1), 10), None)


@pytest.mark.parametrize("victim", [0, 1])
def test_what_a_worker_was_at_that_died_is_done_again(victim: int) -> None:
    echo = task()
    population = echo.first_population(np.random.default_rng(1), 100)
    with ProcessExecutor(2) as executor, working_on(executor, alone(echo)) as two:
        score = two.score
        assert score is not None
        before = score(population, None)()
        both = sorted({future.result() for future in [executor.submit(meet) for _ in range(2)]})
        waiting = score(population, None)
        kill(both[victim])
        assert (waiting() == before).all()
        assert (score(population, None)() == before).all()
        both_now = {future.result() for future in [executor.submit(meet) for _ in range(2)]}
        assert both[victim] not in both_now


def test_work_that_kills_its_workers_is_told_in_one_line() -> None:
    with (
        ProcessExecutor(2) as executor,
        pytest.raises(ImproviserError, match="several workers died of the same work"),
    ):
        list(mapped(executor, die, [()]))


def die() -> None:
    kill(os.getpid())


def children_of(parent: int) -> set[int]:
    """Return the processes below `parent`, on Linux."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == parent:
            found.add(int(stat.parent.name))
    return found | {below for child in found for below in children_of(child)}


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    tune = write_melody(tmp_path / "tune.mid", TUNE * 3)
    command = (
        "train",
        tune,
        "--task",
        "echo",
        "--output",
        "a.safetensors",
        "--minutes",
        "60",
        "--json",
        "--workers",
        "2",
    )
    parent = subprocess.Popen(
        [sys.executable, "-m", "improviser", *map(str, command)], cwd=tmp_path, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    below = children_of(parent.pid)
    assert len(below) >= 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 20
    while any(map(alive, below)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, below))
