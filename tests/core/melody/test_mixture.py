"""The mixture: who foresees the player has more to say, nobody is lost for ever, and nobody is asked in vain."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.melody.mixture import SELDOM, MixedModel, MixedResponder
from improviser.core.networks.responder import LogProbabilities
from improviser.errors import ModelError


class Stubborn:
    """A model that expects one pitch, whatever comes, with a chance of .9."""

    task = "melody"

    def __init__(self, name: str, pitch: int, offset: float = 0.0) -> None:
        self.name, self.pitch, self.offset = name, pitch, offset
        self.asked = 0
        self.followed: list[tuple[int, bool]] = []

    def responder(self) -> "Stubborn":
        return self

    def distribution(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def session(self) -> Any:
        raise NotImplementedError

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        return self.proceed(onset_seconds) + self.offset

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        self.asked += 1
        logs = np.full(128, np.log(0.1 / 127))
        logs[self.pitch] = np.log(0.9)
        return logs

    def moment(self, onset_seconds: float) -> Hashable:
        return onset_seconds

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None: ...

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:
        self.followed.append((pitch, own))

    def reset(self) -> None: ...


class Torn(Stubborn):
    """A model that expects two pitches alike."""

    def __init__(self, name: str, pitches: tuple[int, int]) -> None:
        super().__init__(name, pitches[0])
        self.pitches = pitches

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        logs = np.full(128, np.log(0.02 / 126))
        logs[list(self.pitches)] = np.log(0.49)
        return logs


def mixed(*models: Stubborn) -> MixedResponder:
    return MixedModel("auto", models).responder()


def test_who_foresees_the_player_has_more_to_say() -> None:
    mixture = mixed(Stubborn("a", 60), Stubborn("b", 62))
    assert mixture.weights == {"a": 0.5, "b": 0.5}
    # Half of it is the mean of what both say, half what both agree on: the square root of the product.
    agreed = np.sqrt(0.9 * 0.1 / 127) / (2 * np.sqrt(0.9 * 0.1 / 127) + 126 * 0.1 / 127)
    assert np.exp(mixture.proceed(0.0))[[60, 62]] == pytest.approx([(0.45 + 0.05 / 127 + agreed) / 2] * 2)
    mixture.follow(62, 0.0)
    assert mixture.weights["b"] > 0.75
    assert mixture.proceed(0.5).argmax() == 62


def test_opinions_that_are_off_by_a_constant_count_the_same() -> None:
    mixture = mixed(Stubborn("a", 60, offset=50.0), Stubborn("b", 62, offset=-50.0))
    assert np.exp(mixture.propose(64, 0.0))[[60, 62]] == pytest.approx([0.45 + 0.05 / 127] * 2)


def test_what_all_expect_is_likelier_than_each_says() -> None:
    """Two who know other things, and agree on one: as a product of chances that one is nearly sure."""
    first, second = Torn("a", (60, 62)), Torn("b", (60, 64))
    mixture = mixed(first, second)
    for number in range(40):
        mixture.follow(60, number * 0.5)
    chances = np.exp(mixture.proceed(20.0))
    assert chances[60] > 0.8
    assert chances.sum() == pytest.approx(1.0)


def test_its_own_notes_are_no_evidence_but_all_models_hear_them() -> None:
    a, b = Stubborn("a", 60), Stubborn("b", 62)
    mixture = mixed(a, b)
    for number in range(20):
        mixture.follow(62, number * 0.5, own=True)
    assert mixture.weights == {"a": 0.5, "b": 0.5}
    assert a.followed == b.followed == [(62, True)] * 20


def test_who_was_wrong_for_long_is_listened_to_again_soon() -> None:
    mixture = mixed(Stubborn("a", 60), Stubborn("b", 62))
    for number in range(500):
        mixture.follow(60, number * 0.5)
    needed = 0
    while mixture.weights["b"] < 0.5:
        mixture.follow(62, 250 + needed * 0.5)
        needed += 1
    assert needed < 30


def test_who_is_far_behind_is_asked_rarely() -> None:
    a, b = Stubborn("a", 60), Stubborn("b", 62)
    mixture = mixed(a, b)
    for number in range(10):
        mixture.follow(60, number * 0.5)
    a.asked = b.asked = 0
    for number in range(10 * SELDOM):
        mixture.proceed(5 + number * 0.5)
        mixture.follow(60, 5 + number * 0.5)
    assert a.asked == 20 * SELDOM
    assert b.asked == 10


@given(notes=st.lists(st.tuples(st.integers(0, 127), st.booleans()), max_size=60))
def test_weights_and_chances_always_sum_to_one(notes: Sequence[tuple[int, bool]]) -> None:
    mixture = mixed(Stubborn("a", 60), Stubborn("b", 62), Stubborn("c", 0))
    for number, (pitch, own) in enumerate(notes):
        mixture.follow(pitch, number * 0.5, own=own)
        assert sum(mixture.weights.values()) == pytest.approx(1.0)
        assert np.exp(mixture.proceed(number * 0.5)).sum() == pytest.approx(1.0)


def test_none_is_no_mixture() -> None:
    with pytest.raises(ModelError, match="there is none"):
        MixedModel("auto", [])
