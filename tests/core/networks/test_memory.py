"""Short-term memory: probabilities, what it learns, and what it forgets."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from improviser.core.networks import memory
from improviser.core.networks.memory import Expert, condition

SYMBOLS = st.lists(st.integers(0, 5), max_size=80)


def dense(expert: Expert, context: Sequence[int]) -> NDArray[np.float64]:
    return np.array(expert.chances(context, 0, 6))


def told(symbols: Sequence[int], order: int = 3) -> Expert:
    expert = Expert(6, order)
    for index, symbol in enumerate(symbols):
        expert.learn(symbols[:index], symbol)
    return expert


@given(SYMBOLS, SYMBOLS, st.integers(0, 4))
def test_predictions_are_probabilities(symbols: list[int], context: list[int], order: int) -> None:
    found = dense(told(symbols, order), context)
    assert (found > 0).all()
    assert found.sum() == pytest.approx(1)


def test_the_blend_by_hand() -> None:
    expert = told([0, 1, 0, 1, 2], order=1)
    # No context: 0 and 1 twice, 2 once, three kinds: (count + 3/6) / (5 + 3).
    nothing = (np.array([2, 2, 1, 0, 0, 0]) + 3 / 6) / 8
    np.testing.assert_allclose(dense(expert, []), nothing)
    # After 1: 0 once, 2 once, two kinds.
    np.testing.assert_allclose(dense(expert, [5, 1]), (np.array([1, 0, 1, 0, 0, 0]) + 2 * nothing) / 4)
    # After 3, which was never heard: as after nothing.
    np.testing.assert_allclose(dense(expert, [3]), nothing)


def test_a_repeated_phrase_is_expected() -> None:
    phrase = [0, 3, 1, 4, 2]
    expert = told(phrase * 3)
    for index in range(5):
        assert int(dense(expert, (phrase * 2)[index : index + 3]).argmax()) == (phrase * 2)[index + 3]


def test_old_notes_fall_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REMEMBERED", 16)
    rng = np.random.default_rng(0)
    symbols = [*rng.integers(0, 6, 500).tolist(), *[1, 2, 3] * 7]
    expert = told(symbols)
    fresh = Expert(6, 3)
    for index in range(len(symbols) - 16, len(symbols)):
        fresh.learn(symbols[:index], symbols[index])
    seen, wanted = ({end: kept.counts for end, kept in one._counts.items()} for one in (expert, fresh))
    assert seen == wanted
    assert all(kept.total == sum(kept.counts.values()) for kept in expert._counts.values())


@given(SYMBOLS)
def test_conditioned_values_are_of_order_one(symbols: list[int]) -> None:
    rows = np.stack([dense(told(symbols), symbols), np.full(6, 3.0)])
    values, certainties = condition(rows)
    assert ((values >= -1.7) & (values <= 1.5)).all()
    np.testing.assert_allclose(certainties[2:], [np.log(6) / 3 - 1, 1 / 6])
    assert -1 <= certainties[0] <= certainties[2] + 1e-9
    assert certainties[3] - 1e-9 <= certainties[1] <= 1
