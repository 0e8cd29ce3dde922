"""Ticks and seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.tempo import DEFAULT_TEMPO, TempoMap

TEMPO_MAPS = st.builds(
    TempoMap,
    ticks_per_beat=st.integers(1, 2**15 - 1),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 2**24 - 1)), max_size=6).map(tuple),
)


def test_default_is_120_beats_a_minute() -> None:
    assert TempoMap(480).changes == ((0, DEFAULT_TEMPO),)
    assert TempoMap(480).seconds_at(960) == 1.0


def test_later_tempo_counts_from_its_tick() -> None:
    tempo = TempoMap(100, ((200, 1_000_000), (0, 250_000)))
    assert [tempo.seconds_at(tick) for tick in (0, 100, 200, 300)] == [0.0, 0.25, 0.5, 1.5]


def test_last_tempo_at_a_tick_counts_and_zero_is_none() -> None:
    assert TempoMap(96, ((0, 400_000), (0, 300_000), (0, 0))).changes == ((0, 300_000),)


def test_no_error_adds_up_over_many_changes() -> None:
    tempo = TempoMap(480, tuple((tick, 333_333 + tick % 2) for tick in range(10_000)))
    assert tempo.seconds_at(10_000) == pytest.approx((5_000 * 333_333 + 5_000 * 333_334) / 480e6, abs=1e-12)


@given(TEMPO_MAPS, st.integers(0, 20_000), st.integers(0, 20_000))
def test_time_never_goes_back(tempo: TempoMap, one: int, other: int) -> None:
    assert (tempo.seconds_at(one) <= tempo.seconds_at(other)) or one > other


@given(TEMPO_MAPS, st.integers(0, 100_000))
def test_a_time_is_nearest_to_its_own_tick(tempo: TempoMap, tick: int) -> None:
    assert tempo.tick_at(tempo.seconds_at(tick)) == tick
