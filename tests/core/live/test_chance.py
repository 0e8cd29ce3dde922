"""Chance that is drawn ahead: the numbers are the generator's own, whoever asks and whenever they were drawn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.answering.chance import AHEAD, Chance


@given(
    seed=st.integers(0, 2**32 - 1),
    asked=st.lists(
        st.sampled_from(("random", "random", "random", "prepare", "integers", "normal")), max_size=4 * AHEAD
    ),
)
def test_numbers_drawn_ahead_are_those_of_the_generator(seed: int, asked: list[str]) -> None:
    chance, rng = Chance(np.random.default_rng(seed)), np.random.default_rng(seed)
    for wish in asked:
        match wish:
            case "random":
                assert chance.random() == rng.random()
            case "integers":
                assert chance.generator.integers(1000) == rng.integers(1000)
            case "normal":
                assert chance.generator.normal() == rng.normal()
            case _:
                chance.prepare()


def test_more_numbers_than_were_drawn_ahead() -> None:
    chance = Chance(np.random.default_rng(3))
    chance.prepare()
    assert [chance.random() for _ in range(3 * AHEAD)] == np.random.default_rng(3).random(3 * AHEAD).tolist()
