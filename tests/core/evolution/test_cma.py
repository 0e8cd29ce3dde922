"""sep-CMA-ES: it finds optima, survives broken scores, and goes on bit for bit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator

SIZE = 12


def ellipsoid(population: NDArray[np.float32], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    scales = np.logspace(0, 2, SIZE)
    fitness: NDArray[np.float64] = -(scales * (population - centre) ** 2).sum(axis=1)
    return fitness


def strategy(seed: int = 0) -> SepCma:
    return SepCma(np.zeros(SIZE, dtype=np.float32), 20, generator(seed), step_size=0.3, averaging=0.8)


def test_finds_the_top_of_an_ellipsoid() -> None:
    centre = np.linspace(-1, 1, SIZE)
    cma = strategy()
    first = cma.champion
    for _ in range(300):
        cma.tell(ellipsoid(cma.ask(), centre))
    assert np.abs(cma.champion - centre).max() < 0.01
    assert cma.step_size < 0.01
    assert np.array_equal(first, np.zeros(SIZE))


def test_genomes_come_in_mirrored_pairs() -> None:
    population = strategy().ask()
    np.testing.assert_allclose(population[:10], -population[10:])


def test_a_broken_score_is_the_worst() -> None:
    spoilt, clean = strategy(), strategy()
    centre = np.ones(SIZE)
    for _ in range(20):
        fitness = ellipsoid(spoilt.ask(), centre)
        clean.ask()
        worst = np.argsort(fitness)[:5]
        fitness_of_clean = fitness.copy()
        fitness[worst] = np.nan
        fitness_of_clean[worst] = -np.inf
        spoilt.tell(fitness)
        clean.tell(fitness_of_clean)
    assert np.array_equal(spoilt.champion, clean.champion)
    assert np.isfinite(spoilt.champion).all()


def test_all_scores_broken_does_no_harm() -> None:
    cma = strategy()
    cma.ask()
    cma.tell(np.full(20, np.nan))
    assert np.isfinite(cma.ask()).all()


@pytest.mark.parametrize("generations", [1, 7])
def test_goes_on_bit_for_bit(generations: int) -> None:
    centre = np.linspace(0, 1, SIZE)
    whole = strategy(3)
    for _ in range(generations):
        whole.tell(ellipsoid(whole.ask(), centre))
    resumed = strategy(99)
    resumed.restore(whole.state())
    for _ in range(5):
        assert np.array_equal(whole.ask(), resumed.ask())
        whole.tell(ellipsoid(whole.ask(), centre))
        resumed.tell(ellipsoid(resumed.ask(), centre))
    assert np.array_equal(whole.champion, resumed.champion)


def test_a_state_does_not_change_as_evolution_goes_on() -> None:
    cma = strategy()
    cma.tell(ellipsoid(cma.ask(), np.ones(SIZE)))
    state = cma.state()
    mean = state["mean"].copy()
    cma.tell(ellipsoid(cma.ask(), np.ones(SIZE)))
    assert np.array_equal(state["mean"], mean)
