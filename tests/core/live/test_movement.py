"""What is bound to a knob: the coarse part of a pair, and nothing that says no place."""

import pytest

from improviser.core.live.player.movement import ENDLESS, NUMBERED, judge
from improviser.core.midi.event import ControlChange


def moves(control: int, *values: int, channel: int = 0) -> list[ControlChange]:
    return [ControlChange(channel, control, value) for value in values]


def test_the_coarse_part_of_a_pair_is_bound_whichever_comes_first() -> None:
    coarse, fine = ControlChange(0, 7, 50), ControlChange(0, 39, 3)
    assert judge([coarse, fine]) == coarse
    assert judge([fine]) is None
    assert judge([fine, coarse]) == coarse
    assert judge([fine, ControlChange(0, 39, 9), ControlChange(0, 39, 80), coarse]) == coarse
    assert judge([fine], over=True) == fine  # there is no other part: it is a control of its own
    assert judge([fine, ControlChange(1, 7, 50)], over=True) == fine


@pytest.mark.parametrize(
    "values",
    [
        *((1, 1, 1), (127, 127, 127), (1, 2, 2, 1), (1, 127, 1), (127, 126, 126, 3)),
        *((65, 65, 65), (63, 63, 63), (65, 63, 65, 65), (66, 65, 65), (1, 65, 1), (1, 1, 65)),
    ],
)
def test_an_endless_knob_is_refused(values: tuple[int, ...]) -> None:
    assert judge(moves(21, *values)) == ENDLESS
    assert judge(moves(21, *values[:2])) is None


@pytest.mark.parametrize(
    "values",
    [(127,), (0,), (1,), (64,), (65,), (1, 2, 3, 4), (70, 69, 68, 66), (127, 0), (127, 125, 122), (20,), (127, 0, 127)],
)
def test_a_knob_that_says_where_it_is_is_bound(values: tuple[int, ...]) -> None:
    assert judge(moves(21, *values), over=True) == ControlChange(0, 21, values[0])


@pytest.mark.parametrize("control", [6, 38])
def test_data_of_an_nrpn_is_refused_and_a_plain_one_is_not(control: int) -> None:
    assert judge(moves(control, 50), numbered=True) == NUMBERED
    assert judge(moves(control, 50), over=True) == ControlChange(0, control, 50)
    assert judge(moves(96, 0)) == NUMBERED
