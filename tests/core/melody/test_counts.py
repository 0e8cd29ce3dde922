"""Counts of this session: what came before is expected again, in other keys, too; nothing is impossible."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.melody.counts import FLOOR, CountsModel
from improviser.core.melody.model import CLASHES
from improviser.core.music.note import Note

FIGURE = (60, 63, 65, 66, 67, 70)


def test_what_came_before_is_expected_again_in_any_key() -> None:
    responder = CountsModel().responder()
    for pitch in FIGURE * 3 + FIGURE[:3]:
        responder.follow(pitch, 0.0)
    assert int(responder.proceed(0.0).argmax()) == 66
    moved = CountsModel().responder()
    for pitch in (*FIGURE * 3, *(pitch + 11 for pitch in FIGURE[:3])):
        moved.follow(pitch, 0.0)
    assert int(moved.proceed(0.0).argmax()) == 77


def test_its_own_notes_teach_it_nothing_but_are_gone_on_from() -> None:
    responder = CountsModel().responder()
    for pitch in FIGURE * 3:
        responder.follow(pitch, 0.0)
    for pitch in (*(1, 2) * 50, *FIGURE[:3]):
        responder.follow(pitch, 0.0, own=True)
    chances = np.exp(responder.proceed(0.0))
    assert int(chances.argmax()) == 66
    assert chances[[1, 2]].max() < 0.01


@given(notes=st.lists(st.tuples(st.integers(0, 127), st.booleans()), max_size=40), player=st.integers(0, 127))
def test_nothing_is_impossible_but_a_clash(notes: Sequence[tuple[int, bool]], player: int) -> None:
    responder = CountsModel().responder()
    for pitch, own in notes:
        responder.follow(pitch, 0.0, own=own)
    chances = np.exp(responder.proceed(0.0))
    assert chances.min() >= FLOOR
    assert chances.sum() == pytest.approx(1.0, abs=0.01)
    against = responder.propose(player, 0.0)
    assert [pitch for pitch in range(128) if np.isinf(against[pitch])] == [
        pitch for pitch in range(128) if (pitch - player) % 12 in CLASHES
    ]


def test_it_is_asked_as_any_model_is() -> None:
    history = [Note(pitch, 0.5 * number, 0.5) for number, pitch in enumerate(FIGURE * 3)]
    found = CountsModel().distribution(history, onset_seconds=9.0, candidates=[60, 61, 62])
    assert found.sum() == pytest.approx(1.0)
    assert found.argmax() == 0
