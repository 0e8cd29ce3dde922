"""Decoding: temperature, what is allowed, and one random number a draw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from improviser.core.live.answering.decoding import choose, placed

LOGS = np.log(np.array([0.5, 0.25, 0.125, 0.125]))
SCORES = st.lists(st.floats(-50, 0) | st.just(-np.inf), min_size=1, max_size=20).map(
    lambda values: np.array(values, np.float64)
)


def shares(temperature: float, allowed: NDArray[np.bool_] | None = None, draws: int = 8000) -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    counts = np.bincount([choose(LOGS, temperature, rng, allowed) for _ in range(draws)], minlength=4)
    return np.asarray(counts / draws, np.float64)


def test_temperature_one_draws_from_the_distribution_as_it_is() -> None:
    assert shares(1.0) == pytest.approx([0.5, 0.25, 0.125, 0.125], abs=0.02)


def test_a_low_temperature_sharpens_and_a_high_one_flattens() -> None:
    assert shares(0.5) == pytest.approx([16 / 22, 4 / 22, 1 / 22, 1 / 22], abs=0.02)
    assert shares(100.0) == pytest.approx([0.25] * 4, abs=0.03)


def test_temperature_zero_takes_the_likeliest() -> None:
    assert shares(0.0, draws=50).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_only_what_is_allowed_is_drawn() -> None:
    assert shares(1.0, np.array([False, True, False, True])) == pytest.approx([0, 2 / 3, 0, 1 / 3], abs=0.02)


def test_where_nothing_is_allowed_a_note_is_played_all_the_same() -> None:
    assert choose(LOGS, 0.0, np.random.default_rng(1), np.zeros(4, np.bool_)) == 0


def test_where_all_that_is_allowed_is_impossible_any_of_it_will_do() -> None:
    logs = np.array([0.0, -np.inf, -np.inf, -1.0])
    rng = np.random.default_rng(1)
    assert {choose(logs, 0.7, rng, np.array([False, True, True, False])) for _ in range(50)} == {1, 2}


def bass() -> NDArray[np.float64]:
    logs = np.full(128, -np.inf)
    logs[36:65] = np.log(np.random.default_rng(1).dirichlet(np.ones(29)))
    return logs


def test_a_network_at_home_in_the_register_stays_where_it_is() -> None:
    logs = bass()
    assert placed(logs, 0, 0, 127)[0] is logs
    moved, shift = placed(logs, 0, 30, 70)
    assert shift == 0
    assert (moved == logs).all()


@pytest.mark.parametrize(("low", "high", "shift"), [(60, 127, 12), (70, 95, 24), (0, 40, -24), (0, 20, -36)])
def test_a_network_from_elsewhere_moves_by_octaves(low: int, high: int, shift: int) -> None:
    logs = bass()
    moved, by = placed(logs, 0, low, high)
    assert by % 12 == 0
    assert np.exp(moved[low : high + 1]).sum() > 0.5
    assert by == shift
    kept = [pitch for pitch in range(36, 65) if pitch + shift >= 0]
    assert [moved[pitch + shift] for pitch in kept] == [logs[pitch] for pitch in kept]


def test_a_register_of_a_few_pitches_takes_them_from_any_octave() -> None:
    logs = bass()
    moved, _ = placed(logs, 0, 60, 62)
    for pitch in (60, 61, 62):
        assert np.exp(moved[pitch]) == pytest.approx(np.exp(logs[pitch % 12 :: 12]).sum())


def test_what_is_transposed_out_of_midi_is_lost() -> None:
    moved, shift = placed(bass(), -40, 0, 127)
    assert shift == -40
    assert (moved[:25] == bass()[40:65]).all()
    assert not np.isfinite(moved[25:]).any()


@given(SCORES, st.floats(0, 4), st.integers(0, 100), st.data())
def test_a_draw_is_in_range_and_takes_one_random_number(
    scores: NDArray[np.float64], temperature: float, seed: int, data: st.DataObject
) -> None:
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))))
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
    chosen = choose(scores, temperature, rng, mask)
    other.random()
    assert rng.random() == other.random()
    possible = mask & np.isfinite(scores)
    assert 0 <= chosen < len(scores)
    assert possible[chosen] or not possible.any()
