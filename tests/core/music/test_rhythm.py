"""The rhythm of a session: free of tempo, steady against human timing, bounded."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.music.rhythm import CYCLE, MANY, REMEMBERED, Moment, RhythmTracker

GAPS = st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0, 1.5, 2.0]), min_size=1, max_size=60)


def moments(onsets: list[float]) -> list[Moment]:
    tracker = RhythmTracker()
    seen = []
    for onset in onsets:
        seen.append(tracker.look(onset))
        tracker.hear(onset)
    return seen


@given(GAPS, st.sampled_from([0.25, 0.5, 2.0, 4.0]), st.floats(0, 1000))
def test_tempo_changes_nothing(gaps: list[float], factor: float, start: float) -> None:
    onsets = [0.0, *accumulate(gaps)]
    assert moments(onsets) == moments([onset * factor for onset in onsets])


def test_a_phrase_of_quarters_with_a_long_note() -> None:
    seen = moments([0.0, 0.5, 1.0, 1.5, 3.0, 3.5])
    assert [moment.notes for moment in seen] == [0, 1, 2, 3, 0, 1]
    assert [moment.gap for moment in seen] == [None, 0, 0, 0, 2, 0]
    assert [moment.anchored for moment in seen] == [False, False, False, False, True, True]
    # After a note of three quarters the count of pulses begins with that note.
    assert [moment.steps for moment in seen] == [0, 4, 8, 12, 12, 0]


@given(st.integers(0, 2**32))
def test_human_timing_is_heard_as_the_score_means_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gaps = rng.choice([0.25, 0.5, 1.0], size=40, p=[0.2, 0.6, 0.2])
    score = [0.0, 0.5, 1.0, 1.5, *(1.5 + np.cumsum(gaps))]
    played = [onset + 0.02 * rng.uniform(-1, 1) for onset in score]
    assert [moment.gap for moment in moments(score)[4:]] == [moment.gap for moment in moments(played)[4:]]


def test_a_chord_is_one_moment() -> None:
    seen = moments([0.0, 0.5, 1.0, 1.01, 1.02, 1.5])
    assert seen[2] == seen[3] == seen[4]
    assert seen[5].gap == 0


@given(st.lists(st.floats(-10, 1e6), max_size=100))
def test_any_onsets_stay_in_range(onsets: list[float]) -> None:
    for moment in moments(onsets):
        assert moment.gap is None or -2 <= moment.gap <= 2
        assert 0 <= moment.steps < CYCLE
        assert 0 <= moment.notes <= MANY


def test_looking_changes_nothing() -> None:
    tracker = RhythmTracker()
    for onset in (0.0, 0.5, 1.0):
        tracker.hear(onset)
    assert tracker.look(1.5) == tracker.look(1.5)
    assert tracker.look(9.0).gap == 2
    assert tracker.look(1.5).gap == 0


@pytest.mark.parametrize("notes", [REMEMBERED * 10])
def test_an_endless_session_remembers_no_more(notes: int) -> None:
    tracker = RhythmTracker()
    for number in range(notes):
        tracker.hear(number * 0.5)
    assert len(tracker._lengths) == REMEMBERED
