"""Calibration: gains on the heads, found by what the choir plays when left to itself."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from improviser.core.melody.model import MelodyModel
from improviser.core.networks.network import Frame, Network, first_genomes
from improviser.core.networks.viewpoints import Inputs
from improviser.training import calibration
from improviser.training.calibration import NEAR, RIPE, Calibrated, Calibration, distance, with_gains
from improviser.training.generations import Champion
from improviser.training.melody_recipe import settings_for
from improviser.training.recipe import Options, prepare
from improviser.training.trainer import Run, calibrate
from tests.training.test_collapse import TUNE, line

SETTINGS = settings_for([line(TUNE)], hidden=3)
SHAPE = SETTINGS.shape(Inputs(SETTINGS.viewpoints, MelodyModel.viewpoints).size, vertical=False)


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "NOTES", 150)
    monkeypatch.setattr(calibration, "GENERATIONS", 2)


def choir(members: int = 2) -> Any:
    genomes = first_genomes(SHAPE, np.random.default_rng(1), members)
    genomes += np.random.default_rng(2).normal(0, 0.1, genomes.shape).astype(np.float32)
    return genomes


def of(bits: Any = lambda _: 0.0) -> Calibration:
    tunes = [(line(TUNE * 4), ()), (line([pitch + 2 for pitch in TUNE] * 4), ())]
    return Calibration(SHAPE, lambda some: MelodyModel("it", SETTINGS, np.stack(some)), bits, tunes, seed=1)


def test_heads_lie_side_by_side_and_leave_nothing_out() -> None:
    ends = [(head.start, head.stop) for head in SHAPE.heads.values()]
    assert ends[0][0] == 0
    assert [stop for _, stop in ends[:-1]] == [start for start, _ in ends[1:]]
    assert ends[-1][1] == SHAPE.outputs
    assert list(SHAPE.heads) == ["interval", "degree", "height", "gates"]


def test_a_gain_multiplies_what_a_head_says() -> None:
    genomes = choir()
    inputs = np.random.default_rng(3).random(SHAPE.inputs, np.float32)
    frame = Frame(67, 7)
    experts = np.zeros((SHAPE.experts, SHAPE.pitches), np.float32)

    def scores(gains: list[float]) -> Any:
        changed = with_gains(genomes, SHAPE, np.array(gains, np.float32))
        return Network(SHAPE, changed).scores(inputs, frame, experts)[0][62:74]  # the register

    assert with_gains(genomes, SHAPE, np.ones(4, np.float32)).tobytes() == genomes.tobytes()
    parts = [scores([float(number == head) for number in range(4)]) for head in range(3)]
    assert np.allclose(scores([1, 1, 1, 0]), sum(parts), atol=1e-5)
    assert np.allclose(scores([2, 0, 0, 0]), 2 * parts[0], atol=1e-5)


def test_only_what_is_too_far_counts() -> None:
    theirs = {"in_scale": 0.95, "repeats": 0.15, "parallels": math.nan}
    assert distance(theirs, theirs) == 0
    assert distance(theirs | {"repeats": 0.15 + NEAR * 0.9}, theirs) == 0
    assert distance(theirs | {"repeats": 0.25}, theirs) == pytest.approx(0.1 - NEAR)
    assert distance(theirs | {"repeats": 0.05}, theirs) == pytest.approx(0.1 - NEAR)


def test_it_finds_better_gains_the_same_each_time() -> None:
    genomes = choir()
    before = genomes.copy()
    told: list[float] = []
    first, again = of()(genomes, told.append), of()(genomes)
    assert first.genomes.tobytes() == again.genomes.tobytes()
    assert of().fitness(first.genomes) > of().fitness(genomes)
    assert (with_gains(genomes, SHAPE, np.array([*first.gains.values()], np.float32)) == first.genomes).all()
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert (genomes == before).all()


def test_where_nothing_is_better_nothing_changes() -> None:
    genomes = choir()
    found = of(lambda tried: 0.0 if (tried == genomes).all() else 100.0)(genomes)
    assert found.genomes.tobytes() == genomes.tobytes()
    assert set(found.gains.values()) == {1.0}


def test_a_few_notes_say_nothing() -> None:
    few = Calibration(SHAPE, of().build, lambda _: 0.0, [(line(TUNE), ())], seed=1)
    assert set(few(choir()).gains.values()) == {1.0}


def test_it_ends_when_told_to() -> None:
    told: list[float] = []
    of()(choir(), told.append, lambda: len(told) == 3)
    assert len(told) == 3


def test_it_takes_no_longer_than_it_may() -> None:
    told: list[float] = []
    found = replace(of(), seconds=0.0)(choir(), told.append)
    assert not told
    assert set(found.gains.values()) == {1.0}


@pytest.mark.parametrize(("generation", "complete", "wanted"), [(RIPE, True, 1), (RIPE - 1, True, 0), (RIPE, False, 0)])
def test_only_the_ripe_are_calibrated(generation: int, complete: bool, wanted: int) -> None:
    recipe = prepare(Options(("demo-tune",), task="melody", choir=1, generations=3))
    genome = recipe.task.first_population(np.random.default_rng(1), 1)[0]
    done = Run([Champion(genome, -2.0, -2.0, generation)], complete=complete)
    calibrate(recipe, done)
    assert isinstance(done.calibrated, Calibrated) == wanted
