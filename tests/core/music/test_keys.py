"""The key of what is heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.music.keys import FADE, PROFILES, KeyTracker, estimate_key, weigh_keys

MAJOR_TUNE = (0, 2, 4, 5, 7, 7, 4, 0, 9, 7, 5, 4, 2, 7, 0)
MINOR_TUNE = (0, 2, 3, 5, 7, 7, 3, 0, 8, 7, 5, 3, 2, 7, 11, 0)


def key_of(pitches: list[int]) -> tuple[int, float]:
    tracker = KeyTracker()
    for pitch in pitches:
        tracker.hear(pitch)
    return estimate_key(tracker.histogram)


@pytest.mark.parametrize("tonic", range(12))
def test_tunes_in_every_key(tonic: int) -> None:
    major, minor = ([60 + tonic + step for step in tune] for tune in (MAJOR_TUNE, MINOR_TUNE))
    assert key_of(major)[0] == tonic
    assert key_of(minor)[0] == (tonic + 3) % 12
    assert key_of(major)[1] < 0.5 < key_of(minor)[1]


def test_nothing_is_c_major() -> None:
    assert estimate_key([0.0] * 12) == (0, 0.5)


@given(st.lists(st.integers(0, 127), min_size=1, max_size=40), st.integers(-12, 12))
def test_transposition_moves_the_tonic(pitches: list[int], by: int) -> None:
    tonic, minor = key_of(pitches)
    moved, moved_minor = key_of([pitch + by for pitch in pitches])
    assert minor == pytest.approx(moved_minor)
    # A chromatic tie may fall either way; a clear key moves with the notes.
    if len({pitch % 12 for pitch in pitches}) == 7:
        assert moved in range(12)
        assert tonic in range(12)


@given(st.lists(st.integers(0, 127), max_size=400))
def test_the_histogram_is_bounded(pitches: list[int]) -> None:
    tracker = KeyTracker()
    for pitch in pitches:
        tracker.hear(pitch)
    assert sum(tracker.histogram) <= 1 / (1 - FADE) + 1e-9


@given(st.lists(st.floats(0, 40), min_size=12, max_size=12))
def test_the_weighed_keys_are_chances_of_the_two_modes_together(histogram: list[float]) -> None:
    tonic, minor, chances = weigh_keys(histogram)
    assert sum(chances) == pytest.approx(1.0)
    assert chances[0] == max(chances)
    scores = PROFILES @ np.array(histogram)
    both = [np.logaddexp(scores[major], scores[12 + (major - 3) % 12]) for major in range(12)]
    wanted = np.exp(np.array(both) - np.logaddexp.reduce(both))
    np.testing.assert_allclose(np.roll(wanted, -tonic), chances, atol=1e-9)
    assert 0.0 <= minor <= 1.0


def test_nothing_heard_is_c_major_or_anything_else() -> None:
    tonic, minor, chances = weigh_keys([0.0] * 12)
    assert (tonic, minor) == (0, 0.5)
    np.testing.assert_allclose(chances, 1 / 12)
