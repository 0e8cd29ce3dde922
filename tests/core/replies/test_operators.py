"""Operators of music: whatever they are given, a line comes out; and each does what it says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.replies import operators
from improviser.core.replies.line import LONGEST_GAP, SHORTEST_GAP, Line, steps_of
from improviser.core.replies.operators import PITCHES, RHYTHMS, Operator, crossed, fitted, mended
from tests.core.replies.briefs import LINES, TUNE, brief_of, dice, line

ALL = sorted({*PITCHES, *RHYTHMS}, key=lambda operator: operator.__name__)


@settings(max_examples=15, deadline=None)
@given(LINES, LINES, st.integers(0, 100), st.booleans())
def test_any_line_becomes_a_line_that_can_be_played(phrase: Line, other: Line, seed: int, keeps: bool) -> None:
    brief, chance = brief_of(phrase, other, keeps_rhythm=keeps), dice(seed)
    children = [operator(phrase, brief, chance) for operator in (PITCHES if keeps else ALL)]
    children.append(crossed(mended(phrase, brief), mended(other, brief), brief, chance))
    for child in children:
        assert len(child.pitches) == len(child.touches) >= 1
        sound = mended(child, brief)
        assert all(brief.ladder.pitches[0] <= pitch <= brief.ladder.pitches[-1] for pitch in sound.pitches)
        assert all(SHORTEST_GAP <= touch.gap_seconds <= LONGEST_GAP for touch in sound.touches)
        assert len(sound) <= max(brief.most, len(phrase))
        assert not keeps or sound.touches == phrase.touches


@pytest.mark.parametrize("operator", PITCHES, ids=lambda operator: operator.__name__)
def test_what_changes_pitches_leaves_the_rhythm(operator: Operator) -> None:
    tune = line(TUNE)
    assert all(operator(tune, brief_of(tune), dice(seed)).touches == tune.touches for seed in range(10))


def test_a_transposition_stays_in_the_scale_and_keeps_the_contour() -> None:
    tune = line(TUNE)
    moved = operators.transposed(tune, brief_of(tune), dice())
    assert moved != tune
    assert {pitch % 12 for pitch in moved.pitches} <= {0, 2, 4, 5, 7, 9, 11}
    rises = [[step > 0 for step in steps_of(each.pitches)] for each in (tune, moved)]
    assert rises[0] == rises[1]


def test_a_sequence_is_a_fragment_again_elsewhere() -> None:
    tune = line((60, 62, 64, 62, 60, 60, 60, 60, 60, 60))
    changed = {operators.sequenced(tune, brief_of(tune), dice(seed)).pitches for seed in range(30)}
    assert any(pitches[:6] in ((60, 62, 64, 62, 64, 65), (60, 62, 64, 59, 60, 62)) for pitches in changed)


def test_a_motif_is_recalled_with_its_intervals_where_the_scale_has_them() -> None:
    earlier, tune = line((67, 72, 71, 74)), line(TUNE)
    brief = brief_of(tune, earlier)
    pitches = fitted(earlier.pitches, 62, brief, dice())
    assert steps_of(pitches) == steps_of(earlier.pitches)
    assert all(brief.ladder.holds(pitch) for pitch in pitches)


def test_a_line_ends_on_its_goal_by_step() -> None:
    tune = line(TUNE)
    homed = operators.homed(tune, brief_of(tune, goal=64), dice())
    assert homed.pitches[-1] == 64
    assert abs(homed.pitches[-1] - homed.pitches[-2]) <= 2 or homed.pitches[:-1] == tune.pitches[:-1]


def test_an_ornament_takes_no_time() -> None:
    tune = line(TUNE)
    ornamented = operators.ornamented(tune, brief_of(tune, most=20), dice())
    assert len(ornamented) in (len(tune) + 1, len(tune) + 2)
    assert sum(touch.gap_seconds for touch in ornamented.touches) == pytest.approx(
        sum(touch.gap_seconds for touch in tune.touches)
    )


def test_a_displaced_rhythm_has_the_same_lengths() -> None:
    gaps = (0.2, 0.4, 0.2, 0.8, 0.4)
    tune = Line(TUNE[:5], tuple(line((60,), gap).touches[0] for gap in gaps))
    moved = operators.displaced(tune, brief_of(tune), dice())
    assert sorted(touch.gap_seconds for touch in moved.touches) == sorted(gaps)
    assert moved.touches != tune.touches


def test_a_diminution_is_faster() -> None:
    tune = line(TUNE)
    assert min(touch.gap_seconds for touch in operators.diminished(tune, brief_of(tune), dice()).touches) == 0.2
