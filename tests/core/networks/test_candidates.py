"""Probabilities over candidates: they sum to one whatever is asked, and what is no pitch is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import improviser
from improviser.core.networks.candidates import over_candidates
from improviser.errors import NoteError

pitches = st.lists(st.integers(0, 127), min_size=1, max_size=40, unique=True)


@given(st.lists(st.floats(-1e4, 0), min_size=128, max_size=128), st.none() | pitches)
def test_probabilities_sum_to_one(logs: list[float], candidates: list[int] | None) -> None:
    chances = over_candidates(np.array(logs), candidates)
    assert chances.shape == (128 if candidates is None else len(candidates),)
    assert chances.sum() == pytest.approx(1)
    assert (chances >= 0).all()


@pytest.mark.parametrize("candidates", [[], [-1], [128]])
def test_what_is_no_pitch_is_refused(candidates: list[int]) -> None:
    with pytest.raises(NoteError):
        over_candidates(np.zeros(128), candidates)


@pytest.mark.parametrize("name", ["bach-bass", "echo"])
def test_bundled_models_answer_for_any_candidates_and_always_the_same(name: str) -> None:
    model = improviser.load_model(name)
    own = [improviser.Note(48, 0.0, 0.5)]
    player = [improviser.Note(67, 0.0, 0.5), improviser.Note(69, 0.5, 0.5)]
    every = model.distribution(own, onset_seconds=0.5, player=player)
    assert every.shape == (128,)
    assert every.dtype == np.float64
    assert every.sum() == pytest.approx(1)
    some = model.distribution(own, onset_seconds=0.5, player=player, candidates=[100, 3])
    assert some.sum() == pytest.approx(1)
    assert np.array_equal(every, model.distribution(own, onset_seconds=0.5, player=player))
