"""Where replies may end: at home, as all that the player has said tells it, also where the key finder is mistaken."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.replying.stability import Floats, Said, stability
from improviser.core.music.home import MODES, HomeTracker

MAJOR = (0, 2, 4, 5, 7, 9, 11)


def heard(tonic: int, mode: str = "major") -> Floats:
    """Return the chances of a key finder that is sure of a key."""
    chances = np.zeros((len(MODES), 12))
    chances[[each.name for each in MODES].index(mode), tonic] = 1.0
    return chances


def likeliest(said: Said, count: int = 3) -> set[int]:
    """Return the pitch classes that are likeliest to be stable."""
    found = stability(said)
    return set(sorted(range(12), key=lambda pitch: -found[pitch])[:count])


def as_heard(tunes: Sequence[Sequence[int]]) -> Said:
    """Return what a player has said with these phrases, of even notes and a long last one, to a real key finder."""
    tracker, second, homes = HomeTracker(), 0.0, []
    for tune in tunes:
        for pitch in tune:
            tracker.hear(pitch, second)
            second += 0.4
        second += 3.0
        homes.append(tracker.chances(second))
    return Said(homes, tunes)


def test_one_phrase_that_goes_with_the_key_finder_ends_on_its_triad() -> None:
    assert likeliest(Said([heard(0)], [[60, 62, 64, 65, 67, 65, 64, 62, 60]])) == {0, 4, 7}


@pytest.mark.parametrize("home", range(12))
def test_who_always_comes_back_to_a_note_is_at_home_there_in_any_mode(home: int) -> None:
    locrian = [home + 60 + step for step in (0, 3, 6, 5, 3, 8, 6, 3, 1, 0)]
    assert home in likeliest(as_heard([locrian, locrian[2:], locrian[1:], locrian[4:]] * 2))


def test_questions_that_end_elsewhere_leave_home_where_it_is() -> None:
    """Half of the phrases end on the second step: the key finder alone is of that opinion after each of them."""
    question, answer = [70, 74, 72, 70, 69, 67, 68, 70, 72], [70, 74, 75, 77, 75, 74, 72, 70]
    said = as_heard([answer, question, answer, question, question, answer, question])
    assert likeliest(said) == {10, 2, 5}


def test_half_cadences_leave_home_where_it_is() -> None:
    assert likeliest(Said([heard(0)] * 4, [[60, 64, 67, 65, 64, 62, 67], [67, 65, 64, 62, 60]] * 2)) == {0, 4, 7}


def test_between_two_keys_what_both_rest_on_is_the_most_stable() -> None:
    tunes = [[64, 67, 69, 67, 64, 62, 64], [69, 67, 64, 62, 60], [60, 62, 64, 67, 69]] * 2
    assert likeliest(Said([heard(0), heard(9, "minor")] * 3, tunes), 2) == {0, 4}


def test_after_a_modulation_what_was_said_before_it_hardly_counts() -> None:
    tune = [60, 64, 67, 65, 64, 62, 60, 59, 60]
    distant = [pitch + 6 for pitch in tune]
    assert likeliest(Said([heard(0)] * 12 + [heard(6)], [tune] * 12 + [distant])) == {6, 10, 1}


def test_a_left_hand_tells_home_where_the_tune_ends_elsewhere() -> None:
    tune, low = [76, 74, 72, 71, 74], [45, 53, 48, 55, 45]
    alone, together = (stability(Said([heard(9, "minor")], [tune], each)) for each in ([], [low]))
    assert together[9] / together[2] > alone[9] / alone[2]


@given(
    st.lists(st.lists(st.integers(0, 127), min_size=1, max_size=12), min_size=1, max_size=30),
    st.lists(st.integers(0, 12 * len(MODES) - 1), min_size=1, max_size=30),
    st.booleans(),
)
def test_whatever_was_said_there_is_something_to_end_on(tunes: list[list[int]], keys: list[int], two: bool) -> None:
    homes = [np.eye(12 * len(MODES))[key].reshape(len(MODES), 12) for key in keys]
    found = stability(Said(homes, tunes, tunes if two else []))
    assert len(found) == 12
    assert all(0 < each <= 1 + 1e-9 for each in found)
    assert max(found) > 0.1
