"""Workers: they score what one process scores, hang nobody when they die, and do not outlive their parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import EchoShape
from improviser.core.echo.task import EchoTask
from improviser.errors import ImproviserError
from improviser.training import workers
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.generations import CHUNK, Limits, fitness_of
from tests.melodies import TUNE, write_melody


def task() -> EchoTask:
    return EchoTask(EchoShape((4, 3, 1)), EncodedNotes.of(TUNE), EncodedNotes.of(TUNE))


def alone(of: EchoTask) -> EvolutionPlan:
    return EvolutionPlan(
        of, lambda _: pytest.fail("nothing is bred"), 1, Limits(), "fitness", 1, lambda _: True, members=1
    )


@pytest.mark.parametrize("largest", [2**25, 0], ids=["shared", "sent"])
@pytest.mark.parametrize("population", [1, CHUNK, 2 * CHUNK + 23, 7 * CHUNK])
def test_a_population_is_scored_in_parts(population: int, largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LARGEST_SHARED", largest)
    echo = task()
    monkeypatch.setitem(workers._held, "task", echo)
    genomes = echo.first_population(np.random.default_rng(1), population)
    with closing(workers.SharedScores(partial, 3)) as score:
        assert (score(genomes, None)() == fitness_of(echo, genomes, None)).all()
        assert (score(genomes[:1], None)() == fitness_of(echo, genomes[:1], None)).all()
        more = np.concatenate([genomes, genomes[::-1]])
        assert (score(more, None)() == fitness_of(echo, more, None)).all()


def test_processes_score_what_one_scores() -> None:
    echo = task()
    with workers.working(2, alone(echo)) as two:
        score = two.score
        assert score is not None
        for seed in range(3):
            population = echo.first_population(np.random.default_rng(seed), 100 + 60 * seed)
            assert (score(population, None)() == fitness_of(echo, population, None)).all()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("victim", [0, 1])
def test_the_death_of_any_worker_is_told_in_one_line(victim: int) -> None:
    echo = task()
    population = echo.first_population(np.random.default_rng(1), 100)

    def kill_one_and_go_on() -> None:
        with workers.working(2, alone(echo)) as two:
            score = two.score
            assert score is not None
            score(population, None)()
            both = sorted(child.pid for child in multiprocessing.active_children() if child.pid)
            os.kill(both[victim], signal.SIGKILL)
            while True:
                score(population, None)()

    with pytest.raises(ImproviserError, match="a worker process died"):
        kill_one_and_go_on()


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
