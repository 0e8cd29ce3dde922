"""Probabilities over candidates: they sum to one whatever is asked, and what is no pitch is refused."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import improviser
from improviser import Note, load_model
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


@pytest.mark.parametrize("candidates", [60, [60.7], ["60"], [None], [[60, 62]], [2**70], "60", [True, 300]])
def test_what_is_no_list_of_pitches_is_refused(candidates: Any) -> None:
    with pytest.raises(NoteError):
        over_candidates(np.zeros(128), candidates)


@pytest.mark.parametrize("name", ["bach-bass", "bach-melody", "echo"])
@pytest.mark.parametrize("onset", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_none_is_refused(name: str, onset: float) -> None:
    with pytest.raises(NoteError, match="finite"):
        load_model(name).distribution([Note(60, 0.0, 0.5)], onset_seconds=onset)


def test_without_a_player_a_harmony_model_still_goes_by_all_of_its_past() -> None:
    model = load_model("bach-bass")
    past = [Note(pitch, 0.5 * number, 0.5) for number, pitch in enumerate((48, 50, 52, 53))]
    chances = model.distribution(past, onset_seconds=2.0)
    other = model.distribution([Note(43, 0.0, 0.5), *past[1:]], onset_seconds=2.0)
    assert chances.sum() == pytest.approx(1.0)
    assert not np.allclose(chances, other)
    assert model.distribution([], onset_seconds=0.0).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [60.5, "60", None, 128, -1])
def test_a_note_has_a_whole_pitch_and_velocity(wrong: Any) -> None:
    with pytest.raises(NoteError):
        Note(wrong, 0.0, 1.0)
    with pytest.raises(NoteError):
        Note(60, 0.0, 1.0, wrong)
    assert Note(np.int64(60), 0.0, 1.0).pitch == 60  # type: ignore[arg-type]
