"""Ranking."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.evolution.selection import ranking

fitnesses = st.lists(st.one_of(st.floats(allow_nan=True), st.integers(-2, 2).map(float)), min_size=1, max_size=40)


@given(fitnesses)
def test_ranking_puts_the_best_first_and_nan_last(values: list[float]) -> None:
    ranked = ranking(np.array(values))
    assert sorted(ranked.tolist()) == list(range(len(values)))
    keys = [(np.isnan(values[index]), -values[index] if not np.isnan(values[index]) else 0.0) for index in ranked]
    assert keys == sorted(keys)


def test_equals_keep_their_order() -> None:
    assert ranking(np.array([1.0, 2.0, 1.0, np.nan, 2.0, np.nan])).tolist() == [1, 4, 0, 2, 3, 5]


def test_even_the_worst_number_is_better_than_none() -> None:
    assert ranking(np.array([np.nan, -np.inf])).tolist() == [1, 0]
