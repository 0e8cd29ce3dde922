"""Close chords of four notes, and the roots that they have or leave out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.music.close_roots import Situation, readings


def bits(*pitches: int) -> int:
    return sum({1 << pitch % 12 for pitch in pitches})


C_MAJOR = Situation(tonic=0, minor=False, before=None, tune=4)


@pytest.mark.parametrize(
    ("pitches", "before", "habit", "root"),
    [
        ((53, 57, 59, 64), None, 0, 7),  # seventh, ninth, third and thirteenth of G
        ((52, 55, 59, 62), None, -4, 4),
        ((52, 55, 59, 62), 7, 0, 0),
        ((53, 57, 60, 64), None, 4, 2),
        ((53, 57, 60, 64), None, -4, 5),
        ((43, 47, 50, 53), None, 4, 7),
        ((45, 48, 52, 55), None, 0, 9),  # no C 6
    ],
)
def test_a_root_is_what_is_usual_in_the_key(
    pitches: tuple[int, ...], before: int | None, habit: int, root: int
) -> None:
    now = Situation(C_MAJOR.tonic, C_MAJOR.minor, before, 11 if root == 4 else 4, habit)
    assert readings(bits(*pitches), min(pitches) % 12, now)[0].root == root


@given(st.sets(st.integers(0, 11), min_size=4, max_size=4), st.integers(0, 11), st.booleans())
def test_chords_move_with_their_keys(classes: set[int], by: int, minor: bool) -> None:
    low = min(classes)
    found = readings(bits(*classes), low, Situation(0, minor, 7, 4))
    moved = readings(
        bits(*(each + by for each in classes)), (low + by) % 12, Situation(by, minor, (7 + by) % 12, (4 + by) % 12)
    )
    assert sorted(((each.root + by) % 12, round(each.chance, 9)) for each in found) == sorted(
        (each.root, round(each.chance, 9)) for each in moved
    )
    assert all(each.chance > 0 for each in found)
