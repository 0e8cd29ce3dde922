"""A burst of notes: all are answered, the models hear a few, and nobody who plays by hand is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.answering.burst import BURST_NOTES, BURST_SECONDS, HEARD_ONE_IN, Burst
from improviser.core.live.parameters.table import MODES
from improviser.core.midi.event import Event, NoteOff, NoteOn
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import RuleModel, SingerModel

GAP = 0.0001
MANY = 2000


def played_by(desk: Desk, count: int = MANY) -> list[tuple[int, list[Event]]]:
    """Let a machine play; return each pitch and what answered it at once."""
    played = []
    for number in range(count):
        pitch = 36 + number * 7 % 60
        answers = desk.down(pitch, after=GAP / 2)
        desk.up(pitch, after=GAP / 2)
        played.append((pitch, answers))
    return played


@pytest.mark.parametrize(
    "models", [(RuleModel(),), (RuleModel(), RuleModel(lambda pitch: pitch - 5)), (SingerModel(),)]
)
def test_each_note_of_a_crowd_is_answered_at_once_and_ended(models: tuple[RuleModel, ...]) -> None:
    desk = Desk(*models)
    assert all(len(notes(answers)) == len(models) for _, answers in played_by(desk))
    assert desk.synth.at_rest


def test_the_models_hear_a_few_of_them() -> None:
    model = RuleModel()
    played_by(Desk(model))
    heard = len(model.sessions[-1].learned)
    assert (MANY - BURST_NOTES) // HEARD_ONE_IN <= heard <= BURST_NOTES + MANY // HEARD_ONE_IN + 1


def test_the_others_are_answered_by_chance_from_what_was_thought_of_those() -> None:
    desk = Desk(RuleModel(), temperature=4.0)
    answered = [pitch for _, answers in played_by(desk) for pitch in notes(answers)]
    assert len({*answered[-4 * HEARD_ONE_IN :]}) > 8  # of those, four opinions alone would make four


def test_what_is_asked_for_holds_in_a_crowd_too() -> None:
    desk = Desk(RuleModel(), temperature=4.0)
    played_by(desk, 200)
    desk.change("scale", "C pentatonic")
    desk.change("low", 48)
    answered = [pitch for _, answers in played_by(desk, 200) for pitch in notes(answers)]
    assert {pitch % 12 for pitch in answered} <= {0, 2, 4, 7, 9}
    assert min(answered) >= 48


def test_a_model_that_comes_in_a_crowd_is_heard() -> None:
    desk = Desk(RuleModel(), temperature=0.0)
    played_by(desk, 200)
    high = RuleModel(lambda _: 100)
    desk.swap(high)
    assert {pitch for _, answers in played_by(desk, 20) for pitch in notes(answers)} == {100}


def test_a_crowd_goes_on_when_nobody_plays_any_more() -> None:
    desk = Desk(RuleModel())
    played_by(desk, 200)
    desk.swap()
    assert not [pitch for _, answers in played_by(desk, 20) for pitch in notes(answers)]


def test_the_note_after_a_crowd_is_heard_and_answered_as_ever() -> None:
    model = RuleModel()
    desk = Desk(model)
    played_by(desk)
    assert notes(desk.down(72, after=1.0)) == [60]
    assert model.sessions[-1].learned[-1][:2] == (72, desk.now)


def test_the_same_crowd_is_answered_alike() -> None:
    first, second = Desk(RuleModel(), temperature=4.0), Desk(RuleModel(), temperature=4.0)
    assert played_by(first) == played_by(second)


@pytest.mark.parametrize("mode", MODES)
def test_a_crowd_is_survived_in_any_mode(mode: str) -> None:
    desk = Desk(RuleModel(), SingerModel(), mode=mode)
    played_by(desk, 500)
    desk.wait(30.0)
    desk.change("mode", "mute")
    assert desk.synth.at_rest
    assert {type(event) for _, event in desk.sent} <= {NoteOn, NoteOff}


@given(st.lists(st.tuples(st.integers(1, 10), st.floats(0.02, 1.0)), max_size=60))
def test_ten_fingers_are_no_crowd(chords: list[tuple[int, float]]) -> None:
    """Not even if all of them strike fifty times a second."""
    burst, now = Burst(), 0.0
    for size, gap in chords:
        assert not any(burst.drops(now + finger * 0.001) for finger in range(size))
        now += gap


def test_who_is_slower_than_a_crowd_is_none() -> None:
    burst = Burst()
    assert not any(burst.drops(number * BURST_SECONDS / (BURST_NOTES - 1.5)) for number in range(500))
