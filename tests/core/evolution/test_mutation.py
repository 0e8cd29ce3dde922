"""The three mutations of the original, and the self-adaptive one."""

import numpy as np
import pytest

from improviser.core.evolution.mutation import Factor, Mutation, Offset, Selection, SelfAdaptive

MATRICES = ((10, 20), (20, 20), (20, 1))
SIZE = 620
GENOMES = np.random.default_rng(5).random((40, SIZE), np.float32)
SIGMAS = np.full(40, 0.05, np.float32)


def mutated(mutation: Mutation, seed: int = 1) -> np.ndarray:
    return mutation(np.random.default_rng(seed), GENOMES, SIGMAS)[0]


@pytest.mark.parametrize(
    "mutation",
    [Factor(0.05), Offset(0.05), Selection(0.05, MATRICES), SelfAdaptive()],
    ids=lambda one: type(one).__name__,
)
def test_parents_stay_as_they_are_and_the_seed_decides(mutation: Mutation) -> None:
    before = GENOMES.copy()
    first, again, other = mutated(mutation), mutated(mutation), mutated(mutation, 2)
    assert (before == GENOMES).all()
    assert first.dtype == np.float32
    assert (first == again).all()
    assert (first != other).any()


def test_factor_multiplies_by_hundredths_of_the_divergence() -> None:
    hundredths = (mutated(Factor(0.5)).astype(float) / GENOMES - 1) / 0.5 * 100
    assert np.abs(hundredths - hundredths.round()).max() < 1e-2
    assert hundredths.round().min() == -100
    assert hundredths.round().max() == 100


def test_factor_keeps_zero() -> None:
    children, _ = Factor(0.5)(np.random.default_rng(1), np.zeros((2, 3), np.float32), SIGMAS[:2])
    assert not children.any()


def test_offset_adds_normal_numbers_of_the_divergence() -> None:
    steps = mutated(Offset(0.5)).astype(float) - GENOMES
    assert abs(steps.mean()) < 0.02
    assert abs(steps.std() - 0.5) < 0.02
    assert abs((np.abs(steps) < 0.5).mean() - 0.6827) < 0.02


@pytest.mark.parametrize(("divergence", "redrawn"), [(0.05, (1, 1, 1)), (0.2, (4, 4, 1)), (3.0, (20, 20, 1))])
def test_selection_redraws_the_same_share_of_every_node(divergence: float, redrawn: tuple[int, ...]) -> None:
    # Odd thousandths never come out of a draw of hundredths: every redrawn weight shows.
    genomes = np.full((6, SIZE), 0.1235, np.float32)
    children, _ = Selection(divergence, MATRICES)(np.random.default_rng(1), genomes, SIGMAS[:6])
    changed = children != genomes
    start = 0
    for (nodes, weights), count in zip(MATRICES, redrawn, strict=True):
        layer = changed[:, start : start + nodes * weights].reshape(6, nodes, weights)
        assert (layer.sum(axis=2) == count).all()
        start += nodes * weights
    drawn = children[changed] * 100
    assert np.abs(drawn - drawn.round()).max() < 1e-4
    assert drawn.min() >= 0
    assert drawn.max() <= 100


def test_no_divergence_changes_nothing() -> None:
    for mutation in (Factor(0.0), Offset(0.0), Selection(0.0, MATRICES)):
        assert (mutated(mutation) == GENOMES).all()


def test_step_sizes_are_inherited_mutated_and_bounded() -> None:
    sigmas = np.array([1e-9, 0.05, 50.0] * 200, np.float32)
    genomes = np.zeros((600, 50), np.float32)
    children, grown = SelfAdaptive(smallest=1e-3, largest=0.5)(np.random.default_rng(1), genomes, sigmas)
    assert grown.min() >= np.float32(1e-3)
    assert grown.max() <= 0.5
    assert len(np.unique(grown[1::3])) > 150
    spread = children.std(axis=1)
    np.testing.assert_allclose(spread, grown, rtol=0.6)
