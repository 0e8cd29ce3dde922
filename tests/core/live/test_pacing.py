"""How fast is enough: no flood gets through a bucket, and no pause is longer than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.pacing import Bucket, pause_seconds


@given(st.lists(st.floats(0, 100), max_size=300), st.floats(0.1, 50), st.integers(1, 20))
def test_a_bucket_lets_through_its_burst_and_its_rate_and_no_more(times: list[float], rate: float, burst: int) -> None:
    bucket = Bucket(rate, burst)
    passed = [seconds for seconds in sorted(times) if bucket.take(seconds)]
    assert passed[:burst] == sorted(times)[: len(passed[:burst])]
    for first, start in enumerate(passed):
        within = [seconds for seconds in passed[first:] if seconds <= start + 1]
        assert len(within) <= burst + rate + 1e-6


def test_a_bucket_fills_again() -> None:
    bucket = Bucket(rate=2, burst=1)
    assert [bucket.take(seconds) for seconds in (0.0, 0.1, 0.6, 0.7, 1.1)] == [True, False, True, False, True]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(rate=1, burst=1)
    assert [bucket.take(seconds) for seconds in (100.0, 0.0, 100.5, 101.0)] == [True, False, False, True]


@given(st.integers(0, 10**9), st.floats(0, 1))
def test_a_pause_grows_up_to_its_limit(attempt: int, chance: float) -> None:
    pause = pause_seconds(attempt, chance)
    assert 0.125 <= pause <= 4.0
    assert pause <= pause_seconds(attempt + 1, chance)
    assert pause_seconds(attempt, 1.0) * 2 == pause_seconds(attempt, 0.0)
