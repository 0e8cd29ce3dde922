"""Which part somebody plays is told by how high that is, and not by one leap."""

import pytest

from improviser.core.live.player.which_part import HEIGHTS, WhichPart

STEPS = (0, 2, 4, 2, 0, -1, 0, 4, 2, 0)


def heard(pitches: list[int], parts: tuple[int, ...] = (0, 1, 2, 3)) -> list[int]:
    """Return what each note is taken for."""
    which = WhichPart(parts)
    found = []
    for pitch in pitches:
        found.append(which.look(pitch))
        assert which.look(pitch) == found[-1]
        which.hear(pitch)
    return found


@pytest.mark.parametrize("part", range(4))
def test_a_line_in_the_middle_of_a_register_is_of_that_part(part: int) -> None:
    assert heard([round(HEIGHTS[part]) + step for step in STEPS]) == [part] * len(STEPS)


def test_a_leap_within_a_line_is_no_other_part_and_another_register_is() -> None:
    soprano = [70 + step for step in STEPS]
    assert heard([*soprano, 62, *soprano]) == [0] * (2 * len(STEPS) + 1)
    assert heard([*soprano, *(47 + step for step in STEPS)]) == [0] * len(STEPS) + [3] * len(STEPS)


def test_only_parts_that_are_answered_are_found() -> None:
    assert set(heard([20, 40, 60, 90], parts=(0,))) == {0}
