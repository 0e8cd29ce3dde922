"""The figures of two voices, counted by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.music.counterpoint import Counterpoint, key_of


def figures(own: list[int | None], player: list[int], *, minor: bool = False) -> dict[str, float]:
    counted = Counterpoint()
    counted.add(own, 0, minor=minor, player=player)
    return counted.figures()


def test_a_small_piece_by_hand() -> None:
    # Tenth, fifth, fifth (in parallel), repeated under a sixth, a rest, a tritone.
    found = figures([48, 53, 55, 55, None, 54], [64, 60, 62, 64, 65, 60])
    assert found == {"consonant": 4 / 5, "in_scale": 4 / 5, "repeats": 1 / 3, "parallels": 1 / 2}


@pytest.mark.parametrize(
    ("own", "player", "parallel"),
    [
        ([48, 50], [60, 62], True),  # octaves
        ([48, 50], [55, 57], True),  # fifths
        ([48, 50], [67, 57], False),  # fifths in contrary motion
        ([48, 50], [64, 65], False),  # thirds
        ([48, 48], [60, 62], None),  # only one voice moves
    ],
)
def test_parallels(own: list[int | None], player: list[int], parallel: bool | None) -> None:
    share = figures(own, player)["parallels"]
    assert math.isnan(share) if parallel is None else share == float(parallel)


def test_minor_has_both_sixths_and_sevenths() -> None:
    assert figures([56, 57, 58, 59], [60] * 4, minor=True)["in_scale"] == 1.0
    assert figures([52, 49], [60] * 2, minor=True)["in_scale"] == 0.0


def test_without_a_player_only_the_line_counts() -> None:
    counted = Counterpoint()
    counted.add([60, 60, 62], 0, minor=False)
    found = counted.figures()
    assert math.isnan(found["consonant"])
    assert math.isnan(found["parallels"])
    assert found["repeats"] == 0.5


PITCH = st.integers(40, 80)


@given(st.lists(st.tuples(PITCH, PITCH), min_size=1, max_size=30), st.integers(0, 11), st.booleans())
def test_what_is_certain_is_expected_as_it_is_counted(both: list[tuple[int, int]], tonic: int, minor: bool) -> None:
    own, player = [pitch for pitch, _ in both], [pitch for _, pitch in both]
    counted, expected = Counterpoint(), Counterpoint()
    counted.add(own, tonic, minor=minor, player=player)
    expected.expect(own, list(np.eye(128)[own]), tonic, minor=minor, player=player)
    assert expected == counted


def test_what_may_be_is_expected_by_its_chance() -> None:
    chances = np.zeros(128)
    chances[[48, 50, 51]] = 0.5, 0.3, 0.2
    expected = Counterpoint()
    expected.expect([48, 48], [np.eye(128)[48], chances], 0, minor=False, player=[67, 69])
    assert expected.figures() == pytest.approx(
        {"consonant": (1 + 0.5 + 0.3) / 2, "in_scale": (1 + 0.8) / 2, "repeats": 0.5, "parallels": 0.3 / 0.5}
    )


def test_the_key_of_a_whole_piece() -> None:
    major = [60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60]
    minor = [57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57]
    assert key_of(major) == (0, False)
    assert key_of(minor) == (9, True)
    assert key_of([pitch + 5 for pitch in major]) == (5, False)
