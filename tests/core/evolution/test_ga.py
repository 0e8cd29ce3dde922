"""The genetic algorithm: elites, NaN, and going on bit for bit."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from improviser.core.evolution.ga import Breeding, GeneticAlgorithm
from improviser.core.evolution.mutation import Factor, Offset
from improviser.core.evolution.randomness import generator, restored, state_of

SIZE, GENES = 20, 12
BREEDINGS = {
    "the original's": Breeding(Factor(0.05)),
    "a single survivor": Breeding(Offset(0.1), survivors=0.001),
    "no children": Breeding(Offset(0.1), survivors=1.0),
}


def algorithm(breeding: Breeding, seed: int = 1) -> GeneticAlgorithm:
    rng = generator(seed)
    return GeneticAlgorithm(rng.random((SIZE, GENES), np.float32), breeding, rng)


def hill(population: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a fitness that is best at a half, everywhere."""
    return np.asarray(-((population.astype(float) - 0.5) ** 2).sum(axis=1))


@pytest.mark.parametrize("breeding", BREEDINGS.values(), ids=BREEDINGS.keys())
def test_the_population_keeps_its_shape_and_the_best_survive_byte_for_byte(breeding: Breeding) -> None:
    ga = algorithm(breeding)
    survivors = max(1, round(breeding.survivors * SIZE))
    for _ in range(5):
        before = ga.ask().copy()
        fitness = hill(before)
        ga.tell(fitness)
        after = ga.ask()
        assert after.shape == (SIZE, GENES)
        assert after.dtype == np.float32
        best = before[np.argsort(-fitness, kind="stable")[:survivors]]
        assert after[:survivors].tobytes() == best.tobytes()
        assert ga.champion.tobytes() == best[0].tobytes()


@pytest.mark.parametrize("breeding", list(BREEDINGS.values())[:2], ids=list(BREEDINGS)[:2])
def test_it_climbs(breeding: Breeding) -> None:
    ga = algorithm(breeding)
    first = hill(ga.ask()).max()
    for _ in range(60):
        ga.tell(hill(ga.ask()))
    assert hill(ga.ask()).max() > first / 2


@pytest.mark.parametrize("breeding", BREEDINGS.values(), ids=BREEDINGS.keys())
def test_nan_is_the_worst_fitness(breeding: Breeding) -> None:
    ga = algorithm(breeding)
    fitness = np.full(SIZE, np.nan)
    fitness[7] = -1e9
    wanted = ga.ask()[7].copy()
    ga.tell(fitness)
    assert (ga.champion == wanted).all()
    assert (ga.ask()[0] == wanted).all()


def test_a_generation_without_any_fitness_is_survived() -> None:
    ga = algorithm(BREEDINGS["the original's"])
    ga.tell(np.full(SIZE, np.nan))
    assert np.isfinite(ga.ask()).all()


def test_each_survivor_has_as_many_clones() -> None:
    ga = algorithm(Breeding(Factor(0.0)))
    best = ga.ask()[np.argsort(-hill(ga.ask()), kind="stable")[:4]]
    ga.tell(hill(ga.ask()))
    assert (ga.ask() == np.tile(best, (5, 1))).all()


@pytest.mark.parametrize("breeding", BREEDINGS.values(), ids=BREEDINGS.keys())
def test_a_restored_run_goes_on_bit_for_bit(breeding: Breeding) -> None:
    through, stopped, resumed = algorithm(breeding), algorithm(breeding), algorithm(breeding, seed=99)
    for ga in (through, stopped):
        for _ in range(3):
            ga.tell(hill(ga.ask()))
    resumed.restore(stopped.state())
    for _ in range(4):
        through.tell(hill(through.ask()))
        resumed.tell(hill(resumed.ask()))
    assert through.ask().tobytes() == resumed.ask().tobytes()
    assert through.champion.tobytes() == resumed.champion.tobytes()


def test_the_state_of_a_generator_is_json() -> None:
    rng = generator(1, 2)
    rng.integers(0, 10, 3, np.int8)  # leaves half a word behind
    again = restored(json.loads(json.dumps(state_of(rng))))
    assert rng.random(5).tolist() == again.random(5).tolist()
    assert generator(1, 2).random() != generator(2, 1).random()
