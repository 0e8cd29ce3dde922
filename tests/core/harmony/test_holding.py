"""Notes that are held over: what a voice sees, learns and does where it stays on its pitch."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import improviser
from improviser.core.harmony.holding import BASS, INNER, WEIGHTS, probability, seen
from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import Accompaniment
from improviser.core.music.note import Note
from improviser.core.networks.choir import read_settings
from improviser.errors import ModelError
from improviser.training.holding import FEWEST, breed, cases_of, held_over

TUNE = (67, 69, 71, 72, 71, 69, 67, 66)


def bass() -> HarmonyModel:
    model = improviser.load_model("bach-bass")
    assert isinstance(model, HarmonyModel)
    return model


@given(st.floats(-1e3, 1e3), st.floats(0, 10))
def test_odds_are_a_probability_at_any_temperature(odds: float, temperature: float) -> None:
    chance = probability(odds, temperature)
    assert 0 <= chance <= 1
    assert (chance > 0.5) <= (odds > 0)
    if temperature and abs(odds / temperature) < 30:
        assert math.isclose(chance + probability(-odds, temperature), 1.0)


def test_there_is_a_weight_for_all_that_is_seen() -> None:
    assert len(BASS) == len(INNER) == WEIGHTS
    session = Accompaniment((36, 64), (57, 81))
    for number in range(200):
        numbers = seen(session.look(57 + number * 7 % 25, 0.3 * number + 0.1 * (number % 3)))
        assert len({*numbers}) == len(numbers)
        assert all(0 <= each < WEIGHTS for each in numbers)
        session.learn(57 + number * 7 % 25, 0.3 * number + 0.1 * (number % 3), 40 + number // 3 % 12)


def test_what_a_voice_holds_over_is_what_it_does_not_strike() -> None:
    player = [Note(pitch, 0.5 * number, 0.5) for number, pitch in enumerate(TUNE)]
    own = [Note(48, 0.0, 1.0), Note(48, 1.0, 0.5), Note(50, 2.0, 1.5)]  # a rest at 1.5, and at 3.5
    assert held_over(player, own) == [False, True, False, False, False, True, True, False]


def test_a_rule_of_holding_is_learned_and_followed() -> None:
    """A bass that strikes with every other note of the tune, whatever these are, holds over the others."""
    pieces = []
    for piece in range(8):
        player = [Note(60 + (number * 5 + piece) % 13, 0.5 * (number + piece), 0.5) for number in range(32)]
        own = [Note(48, note.onset_seconds, 1.0) for note in player[::2]]
        pieces.append((player, own))
    settings = bass().settings
    cases = [case for some in cases_of(pieces, settings) for case in some]
    assert len(cases) == 8 * 31
    weights = breed(cases, 1)
    assert weights == breed(cases, 1)
    right = [(sum(weights[each] for each in numbers) > 0) == held for numbers, held in cases]
    assert sum(right) / len(right) > 0.9
    assert breed(cases[: FEWEST - 1], 1) == ()


def test_the_weights_of_a_model_are_kept_in_its_file() -> None:
    model = bass()
    weights = tuple(number / 10 for number in range(WEIGHTS))
    settings = replace(model.settings, holding=weights)
    assert read_settings(settings.to_json()) == settings
    assert tuple(HarmonyModel("mine", settings, model.genomes).holding.weights) == weights
    assert "holding" not in model.settings.to_json()  # it has those of its voice
    assert tuple(model.holding.weights) == BASS
    with pytest.raises(ModelError, match="incomplete"):
        HarmonyModel("mine", replace(settings, holding=weights[1:]), model.genomes).responder()
    for damaged in ("much", [1.0, "a"], [math.nan], [1e9]):
        with pytest.raises(ModelError, match="holding"):
            read_settings(model.settings.to_json() | {"holding": damaged})
