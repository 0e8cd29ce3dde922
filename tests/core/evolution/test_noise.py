"""The noise table: its rows are normal, its own copies, and as the generator says."""

import numpy as np
import pytest

from improviser.core.evolution.noise import LONGEST, normals


@pytest.mark.parametrize("columns", [1, 3000, LONGEST + 1])
def test_rows_are_normal_and_follow_the_generator(columns: int) -> None:
    rows = 200_000 // columns + 2
    first, again, other = (normals(np.random.default_rng(seed), rows, columns) for seed in (1, 1, 2))
    assert first.shape == (rows, columns)
    assert first.dtype == np.float32
    assert (first == again).all()
    assert (first != other).any()
    assert abs(first.mean()) < 0.02
    assert abs(first.std() - 1) < 0.02
    assert abs((np.abs(first) < 1).mean() - 0.6827) < 0.01


def test_changing_a_row_does_not_change_the_table() -> None:
    normals(np.random.default_rng(1), 3, 50)[:] = 0
    assert normals(np.random.default_rng(1), 3, 50).all()


def test_genes_of_a_population_are_not_alike() -> None:
    rows = normals(np.random.default_rng(1), 400, 300).astype(float)
    assert np.abs(np.corrcoef(rows.T) - np.eye(300)).max() < 0.3
    assert np.abs(np.corrcoef(rows[:300]) - np.eye(300)).max() < 0.4
