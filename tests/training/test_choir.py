"""Choirs: members bred side by side, here or in workers, are what they are alone; stopped, killed and resumed."""

import math
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from improviser.training import choir
from improviser.training.evolution_plan import Advanced, EvolutionPlan
from improviser.training.generations import Evolution, Generation
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.trainer import Checkpoints, train
from improviser.training.workers import Workers, working
from tests.melodies import TUNE, write_melody
from tests.training.test_trainer import breed, recipe


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    return write_melody(tmp_path / "tune.mid", TUNE * 3)


def choir_of(alone: Recipe, members: int) -> Recipe:
    return Recipe(
        task=alone.task,
        strategy=alone.strategy,
        limits=alone.limits,
        settings=alone.settings,
        sources=alone.sources,
        build=alone.build,
        scores=alone.scores,
        members=members,
    )


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let much be left to do when something dies, though a generation takes no time here."""
    monkeypatch.setattr(choir, "STRETCH_SECONDS", 0.0)


@pytest.fixture
def step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all members come to a generation before any goes on to the next."""
    monkeypatch.setattr(choir, "STRETCH", 1)


def side_by_side(of: Recipe, places: int) -> Workers:
    """Return workers that breed so many members at a time, in this process."""
    plan = EvolutionPlan.of(of, 1)

    def elsewhere(member: int, state: Mapping[str, Any] | None, generations: int, beside: int) -> "Future[Advanced]":
        future: Future[Advanced] = Future()
        future.set_result(plan.advance(member, state, generations, beside))
        return future

    return Workers(places=places, elsewhere=elsewhere)


@pytest.mark.usefixtures("step_by_step")
@pytest.mark.parametrize("patience", [None, 3])
def test_members_that_are_bred_at_a_time_are_what_they_are_alone(
    tune: Path, tmp_path: Path, patience: int | None
) -> None:
    of = choir_of(recipe(tune, 9, patience=patience), 5)
    alone = breed(of, tmp_path / "alone", every=4)
    seen: list[int] = []

    def die(member: int, _: Generation) -> None:
        seen.append(member)
        if len(seen) == 20:
            raise RuntimeError("killed")

    kept = tmp_path / "kept"
    with pytest.raises(RuntimeError):
        train(of, seed=1, workers=side_by_side(of, 3), checkpoints=Checkpoints(kept, 4), report=die)
    assert {0, 1, 2} <= set(seen[:3])
    again = Checkpoints(kept, 4, True)
    together = train(of, seed=1, workers=side_by_side(of, 2), checkpoints=again, report=lambda *_: None)
    assert together.complete
    assert [one.genome.tobytes() for one in together.champions] == [one.genome.tobytes() for one in alone.champions]
    assert [(member, one.best) for member, one in together.records] == [
        (member, one.best) for member, one in alone.records
    ]


def test_workers_breed_what_is_bred_here(tmp_path: Path) -> None:
    """Each member in a worker of its own: killed in the middle, and resumed with another number of workers."""
    of = prepare(Options(("demo-tune",), task="melody", choir=3, generations=13, population=12, layers=(3,), seed=3))
    alone = breed(of, tmp_path / "alone", seed=3)
    seen: list[int] = []

    def die(member: int, _: Generation) -> None:
        seen.append(member)
        if len(seen) == 25:
            raise RuntimeError("killed")

    kept = tmp_path / "kept"
    watched: dict[int, Evolution] = {}
    with pytest.raises(RuntimeError), working(3, EvolutionPlan.of(of, 3)) as places:
        train(of, seed=3, workers=places, checkpoints=Checkpoints(kept, 5), report=die)
    assert {0, 1, 2} <= set(seen[:20])
    with working(2, EvolutionPlan.of(of, 3)) as places:
        together = train(
            of,
            seed=3,
            workers=places,
            checkpoints=Checkpoints(kept, 5, True),
            report=lambda *_: None,
            watch=watched.__setitem__,
        )
    assert together.complete
    assert [one.genome.tobytes() for one in together.champions] == [one.genome.tobytes() for one in alone.champions]
    scores = [[(member, one.best, one.held_out) for member, one in run.records] for run in (together, alone)]
    assert scores[0] == scores[1]
    assert all(evolution.population is not None for evolution in watched.values())  # so that it can be looked at


@pytest.mark.usefixtures("step_by_step")
def test_a_stop_reaches_all_members_at_work(tune: Path, tmp_path: Path) -> None:
    of = choir_of(recipe(tune, 50), 4)
    seen: list[int] = []
    done = train(
        of,
        seed=1,
        workers=side_by_side(of, 3),
        checkpoints=Checkpoints(tmp_path / "kept", 0),
        report=lambda member, _: seen.append(member),
        stopped=lambda: len(seen) >= 4,
    )
    assert not done.complete
    assert len(done.champions) == 3
    assert len(seen) <= 4 + 2


@pytest.mark.usefixtures("step_by_step")
def test_members_at_a_time_share_the_wall_time(tune: Path, tmp_path: Path) -> None:
    of = choir_of(recipe(tune, 20), 3)
    started = time.perf_counter()
    done = train(
        of,
        seed=1,
        workers=side_by_side(of, 3),
        checkpoints=Checkpoints(tmp_path / "kept", 0),
        report=lambda *_: None,
    )
    assert sum(one.seconds for _, one in done.records) <= time.perf_counter() - started


def test_a_choir_is_bred_one_after_the_other_and_resumed_in_the_middle(tune: Path, tmp_path: Path) -> None:
    members = 3
    of = choir_of(recipe(tune, 6), members)
    whole = breed(of, tmp_path / "whole", every=4)
    assert len(whole.champions) == members
    assert len({champion.genome.tobytes() for champion in whole.champions}) == members

    def die(member: int, generation: Generation) -> None:
        if (member, generation.generation) == (1, 5):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        breed(of, tmp_path / "kept", every=4, report=die)
    resumed = breed(of, tmp_path / "kept", every=4, resume=True)
    assert [one.genome.tobytes() for one in resumed.champions] == [one.genome.tobytes() for one in whole.champions]


@pytest.mark.parametrize(
    ("hands", "pace", "room", "generations"),
    [
        (1, math.inf, math.inf, 10),
        (1, 0.02, math.inf, 30),
        (1, 2.0, math.inf, 10),
        (2, 0.02, 100, 30),
        (2, 0.02, 40, 20),
        (2, 0.0, 10, 10),
        (40, 0.01, math.inf, 60),
        (200, 0.01, math.inf, 100),
    ],
)
def test_a_worker_breeds_for_half_a_second_unless_others_would_wait(
    monkeypatch: pytest.MonkeyPatch, hands: int, pace: float, room: float, generations: int
) -> None:
    monkeypatch.setattr(choir, "STRETCH_SECONDS", 0.6)
    assert choir.stretch_for(hands, pace, room) == generations
