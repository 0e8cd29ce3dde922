"""The three mutations of the original."""

import numpy as np
import pytest

from improviser.core.evolution.mutation import Factor, Mutation, Offset, Selection

MATRICES = ((10, 20), (20, 20), (20, 1))
SIZE = 620
GENOMES = np.random.default_rng(5).random((40, SIZE), np.float32)


def mutated(mutation: Mutation, seed: int = 1) -> np.ndarray:
    return mutation(np.random.default_rng(seed), GENOMES)


@pytest.mark.parametrize(
    "mutation",
    [Factor(0.05), Offset(0.05), Selection(0.05, MATRICES)],
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
    children = Factor(0.5)(np.random.default_rng(1), np.zeros((2, 3), np.float32))
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
    children = Selection(divergence, MATRICES)(np.random.default_rng(1), genomes)
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
