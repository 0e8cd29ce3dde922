"""A new tune is a new session: what was heard before it no longer misleads, and a tune that goes on is remembered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.melody.model import MelodyModel
from improviser.core.networks.responder import Singer
from improviser.library.catalogue import load_model

TUNE = (60, 62, 64, 65, 67, 67, 69, 69, 69, 69, 67, 69, 69, 69, 69, 67, 65, 65, 65, 65, 64, 64, 62, 62, 62, 62, 60)
STEP = 0.25


@pytest.fixture(scope="module")
def melody() -> MelodyModel:
    model = load_model("bach-melody")
    assert isinstance(model, MelodyModel)
    return model


def play(responder: Singer, pitches: tuple[int, ...], start: float) -> tuple[list[float], float]:
    """Return what each note cost, in bits, and when the last began."""
    costs = []
    for number, pitch in enumerate(pitches):
        onset = start + number * STEP
        costs.append(-float(responder.proceed(onset)[pitch]) / np.log(2.0))
        responder.follow(pitch, onset)
    return costs, start + (len(pitches) - 1) * STEP


def moved(by: int) -> tuple[int, ...]:
    return tuple(pitch + by for pitch in TUNE[::-1])


@pytest.mark.parametrize("pause", [0.8, 3.0, 60.0])
def test_another_tune_in_another_key_soon_costs_what_it_costs_alone(melody: MelodyModel, pause: float) -> None:
    alone, _ = play(melody.responder(), moved(6), 0.0)
    responder = melody.responder()
    last = 0.0
    for _ in range(4):
        _, last = play(responder, TUNE, last + pause)
    after, _ = play(responder, moved(6), last + pause)
    assert np.mean(after[10:]) < np.mean(alone[10:]) + 0.15


def test_a_tune_that_comes_again_is_remembered(melody: MelodyModel) -> None:
    responder = melody.responder()
    means, last = [], 0.0
    for _ in range(4):
        costs, last = play(responder, TUNE, last + 3.0)
        means.append(np.mean(costs))
    assert means[3] < means[0] - 0.8


@given(notes=st.lists(st.tuples(st.integers(40, 80), st.floats(0.05, 3.0), st.booleans()), max_size=40))
def test_the_same_notes_come_to_the_same(melody: MelodyModel, notes: list[tuple[int, float, bool]]) -> None:
    first, second = melody.responder(), melody.responder()
    second.follow(1, 0.0)
    second.reset()
    now = 0.0
    for pitch, gap, own in notes:
        now += gap
        first.follow(pitch, now, own=own)
        second.proceed(now)
        second.follow(pitch, now, own=own)
    np.testing.assert_array_equal(first.proceed(now + 1), second.proceed(now + 1))
