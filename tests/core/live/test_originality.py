"""A line that goes on by itself: it tires of its own figures, takes up the player's, and stays on the keyboard."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.originality import (
    ARC,
    ARC_NOTES,
    KIN,
    OWN_FIGURE,
    PLAYERS_REMEMBERED,
    REMEMBERED,
    TIRED,
    Originality,
)

FIGURE = (60, 62, 64, 65, 67, 69)


def weighed(originality: Originality) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    logs = np.zeros(128)
    originality.weigh(logs)
    return logs


def test_it_tires_of_a_figure_of_its_own_each_time_more() -> None:
    originality = Originality()
    assert not weighed(originality).any()
    for times in range(1, 4):
        for pitch in FIGURE:
            originality.play(pitch)
        for pitch in FIGURE[:-1]:
            originality.play(pitch)
        logs = weighed(originality)
        assert logs[69] <= -TIRED * times
        assert logs[70] == 0.0


def test_it_takes_up_the_players_figures_in_any_key() -> None:
    originality = Originality()
    for pitch in FIGURE[:4]:
        originality.hear(pitch)
    for pitch in (55, 57, 59):
        originality.play(pitch)
    logs = weighed(originality)
    assert logs.argmax() == 60
    assert logs[60] - logs[62] > KIN[2] + KIN[3] - 0.5


def test_it_stays_where_the_player_played() -> None:
    originality = Originality()
    for pitch in range(48, 73):
        originality.hear(pitch)
    logs = weighed(originality)
    assert logs[60] == logs[50] == 0.0
    assert logs[80] < logs[75] < 0.0
    assert logs[20] < logs[40] < 0.0


def test_a_solo_opens_and_closes() -> None:
    originality = Originality()
    originality.hear(60)
    highest = []
    for _ in range(ARC_NOTES):
        originality.play(60)
        logs = weighed(originality)
        logs[60] = -np.inf  # it tires of that one
        highest.append(int(logs.argmax()))
    assert max(highest) >= 60 + ARC - 1
    assert min(highest) <= 60 - ARC + 1


@given(notes=st.lists(st.tuples(st.integers(0, 127), st.booleans()), max_size=50))
def test_the_same_notes_weigh_the_same_and_all_is_finite(notes: Sequence[tuple[int, bool]]) -> None:
    first, second = Originality(), Originality()
    for pitch, own in notes:
        for one in (first, second):
            (one.play if own else one.hear)(pitch)
        weighed(second)
    assert (weighed(first) == weighed(second)).all()
    assert np.isfinite(weighed(first)).all()


def test_an_endless_line_stays_small() -> None:
    originality = Originality()
    rng = np.random.default_rng(0)
    for pitch in rng.integers(0, 128, 4 * REMEMBERED).tolist():
        originality.play(pitch)
        originality.hear(pitch)
    assert sum(originality._figures.values()) <= REMEMBERED - OWN_FIGURE + 2
    assert sum(originality._players.values()) <= 3 * PLAYERS_REMEMBERED
    assert min(originality._figures.values()) > 0
