"""Short-term memory: probabilities, what it learns, and what it forgets."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core import memory
from improviser.core.memory import Expert, certainty, conditioned

SYMBOLS = st.lists(st.integers(0, 5), max_size=80)


def told(symbols: Sequence[int], order: int = 3) -> Expert:
    expert = Expert(6, order)
    for index, symbol in enumerate(symbols):
        expert.learn(symbols[:index], symbol)
    return expert


@given(SYMBOLS, SYMBOLS, st.integers(0, 4))
def test_predictions_are_probabilities(symbols: list[int], context: list[int], order: int) -> None:
    found = told(symbols, order).predict(context)
    assert (found > 0).all()
    assert found.sum() == pytest.approx(1)


def test_the_blend_by_hand() -> None:
    expert = told([0, 1, 0, 1, 2], order=1)
    # No context: 0 and 1 twice, 2 once, three kinds: (count + 3/6) / (5 + 3).
    nothing = (np.array([2, 2, 1, 0, 0, 0]) + 3 / 6) / 8
    np.testing.assert_allclose(expert.predict([]), nothing)
    # After 1: 0 once, 2 once, two kinds.
    np.testing.assert_allclose(expert.predict([5, 1]), (np.array([1, 0, 1, 0, 0, 0]) + 2 * nothing) / 4)
    # After 3, which was never heard: as after nothing.
    np.testing.assert_allclose(expert.predict([3]), nothing)


def test_a_repeated_phrase_is_expected() -> None:
    phrase = [0, 3, 1, 4, 2]
    expert = told(phrase * 3)
    for index in range(5):
        assert int(expert.predict((phrase * 2)[index : index + 3]).argmax()) == (phrase * 2)[index + 3]


def test_old_notes_fall_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REMEMBERED", 16)
    rng = np.random.default_rng(0)
    symbols = [*rng.integers(0, 6, 500).tolist(), *[1, 2, 3] * 7]
    expert = told(symbols)
    fresh = Expert(6, 3)
    for index in range(len(symbols) - 16, len(symbols)):
        fresh.learn(symbols[:index], symbols[index])
    assert expert._counts == fresh._counts
    assert sum(len(following) for following in expert._counts.values()) <= 16 * 4


@given(SYMBOLS)
def test_conditioned_values_are_of_order_one(symbols: list[int]) -> None:
    probabilities = told(symbols).predict(symbols)
    values = conditioned(probabilities)
    assert ((values >= -1.7) & (values <= 1.5)).all()
    entropy, top = certainty(probabilities)
    assert -1 <= entropy <= 1
    assert 0 < top <= 1
