"""Many parents to a child: whole units, twins, smaller and smaller mutations, and going on bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from improviser.core.evolution.many_parents import Descent, ManyParents
from improviser.core.evolution.randomness import generator

MATRICES = ((3, 4), (2, 5))
SIZE, GENES, UNITS = 21, 22, 5
STILL = Descent(mutation=0.0, survivors=0.05)
FITNESS = np.arange(SIZE, dtype=np.float64)


def bred(descent: Descent, seed: int = 1, size: int = SIZE) -> ManyParents:
    rng = generator(seed)
    return ManyParents(rng.standard_normal((size, GENES), np.float32), MATRICES, descent, rng)


def ellipsoid(population: NDArray[np.float32]) -> NDArray[np.float64]:
    scales = np.logspace(0, 1, GENES)
    fitness: NDArray[np.float64] = -(scales * (population - np.linspace(-1, 1, GENES)) ** 2).sum(axis=1)
    return fitness


def units(genomes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return every unit's weights, one array for each unit, shape (genomes, weights)."""
    found, gene = [], 0
    for nodes, weights in MATRICES:
        for _ in range(nodes):
            found.append(genomes[:, gene : gene + weights])
            gene += weights
    return found


def test_it_climbs_and_its_champion_is_at_the_top() -> None:
    ga = bred(Descent(mutation=0.3, averaging=0.8), size=60)
    for _ in range(400):
        ga.tell(ellipsoid(ga.ask()))
    assert ellipsoid(ga.champion[None])[0] > -0.1
    assert ellipsoid(ga.champion[None])[0] > ellipsoid(ga.ask()).max()


def test_the_fittest_survives_byte_for_byte() -> None:
    ga = bred(Descent(survivors=0.1))
    for _ in range(3):
        before = ga.ask().copy()
        fitness = ellipsoid(before)
        ga.tell(fitness)
        assert ga.ask().shape == (SIZE, GENES)
        assert ga.ask()[:2].tobytes() == before[np.argsort(-fitness)[:2]].tobytes()


def test_with_one_parent_each_unit_comes_whole_from_the_better_half_and_not_all_from_the_same() -> None:
    ga = bred(replace(STILL, mixed=1))
    parents = ga.ask()[SIZE - 10 :].copy()
    ga.tell(FITNESS)
    origins = np.array(
        [
            [int(np.flatnonzero((theirs == unit).all(axis=1))[0]) for unit in its]
            for its, theirs in zip(units(ga.ask()), units(parents), strict=True)
        ]
    )
    assert (origins[:, 1:] != origins[0, 1:]).any()
    assert origins.max() == 9


@given(mixed=st.integers(1, 6), parents=st.floats(0.05, 1.0), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_units_lie_between_those_of_the_parents(mixed: int, parents: float, seed: int) -> None:
    ga = bred(Descent(mutation=0.0, mixed=mixed, parents=parents), seed)
    best = ga.ask()[SIZE - max(1, round(parents * SIZE)) :].copy()
    ga.tell(FITNESS)
    assert (ga.ask() <= best.max(axis=0) + 1e-6).all()
    assert (ga.ask() >= best.min(axis=0) - 1e-6).all()


def test_the_fitter_are_parents_more_often() -> None:
    ga = bred(replace(STILL, mixed=1), size=2000)
    first = ga.ask()[:, 0].copy()
    ga.tell(np.arange(2000, dtype=np.float64))
    children = ga.ask()[100:, 0]
    ranks = np.array([1999 - int(np.flatnonzero(first == gene)[0]) for gene in children])
    assert (ranks < 1000).all()
    assert (ranks < 250).mean() > 0.5


def test_children_are_twins_around_their_parents_mean() -> None:
    still, moved = bred(replace(STILL, mixed=3)), bred(replace(STILL, mixed=3, mutation=0.2))
    still.tell(FITNESS)
    moved.tell(FITNESS)
    twins = moved.ask()[1:11], moved.ask()[11:]
    np.testing.assert_allclose((twins[0] + twins[1]) / 2, still.ask()[1:11], atol=1e-6)
    spread = float(np.std((twins[0] - twins[1]) / 2))
    assert spread == pytest.approx(Descent(mutation=0.2).size(1), rel=0.15)


def test_mutations_grow_smaller() -> None:
    sizes = [Descent().size(generation) for generation in (0, 80, 1000, 10_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == Descent().mutation
    assert sizes[1] == pytest.approx(Descent().mutation / 2**0.6)


def test_the_champion_is_the_first_and_then_the_mean_of_the_parents() -> None:
    ga = bred(replace(STILL, parents=1e-9, averaging=0.5))
    first = ga.ask()[0].copy()
    assert np.array_equal(ga.champion, first)
    best = ga.ask()[-1].copy()
    ga.tell(FITNESS)
    np.testing.assert_allclose(ga.champion, best, rtol=1e-6)


def test_nan_breeds_nothing_and_all_nan_does_no_harm() -> None:
    ga = bred(replace(STILL, parents=1.0))
    only = ga.ask()[7].copy()
    fitness = np.full(SIZE, np.nan)
    fitness[7] = -1e9
    ga.tell(fitness)
    np.testing.assert_allclose(ga.ask(), np.tile(only, (SIZE, 1)), rtol=1e-6)
    ga.tell(np.full(SIZE, np.nan))
    assert np.isfinite(ga.ask()).all()


@pytest.mark.parametrize("size", [2, 3, 20, 21])
def test_any_population_keeps_its_size(size: int) -> None:
    ga = bred(Descent(), size=size)
    for _ in range(3):
        ga.tell(ellipsoid(ga.ask()))
    assert ga.ask().shape == (size, GENES)
    assert ga.ask().dtype == np.float32


def test_a_restored_run_goes_on_bit_for_bit() -> None:
    through, stopped, resumed = bred(Descent()), bred(Descent()), bred(Descent(), seed=99)
    for ga in (through, stopped):
        for _ in range(3):
            ga.tell(ellipsoid(ga.ask()))
    state = stopped.state()
    stopped.tell(ellipsoid(stopped.ask()))  # a state does not change with what it was taken of
    resumed.restore(state)
    for _ in range(4):
        through.tell(ellipsoid(through.ask()))
        resumed.tell(ellipsoid(resumed.ask()))
    assert through.ask().tobytes() == resumed.ask().tobytes()
    assert through.champion.tobytes() == resumed.champion.tobytes()
