"""Foresight: what is likely is thought of first, and thinking changes nothing that is played."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.live.answering.foresight import (
    FASTEST,
    FINEST_SECONDS,
    IN_A_ROW,
    LENGTHS,
    OFF_SECONDS,
    PREDICTED,
    likely_notes,
    likely_onsets,
)
from improviser.core.midi.event import NoteOn, TimedEvent
from improviser.library import catalogue
from tests.core.live.desk import Desk
from tests.core.live.responders import RuleModel

TUNE = (60, 62, 64, 60, 67, 65, 64, 62)
BUNDLED = ("bach-bass", "bach-tenor", "bach-melody", "bach-chorale", "echo")

Action = tuple[str, Any]
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("down"), st.tuples(st.integers(55, 80), st.sampled_from((0.0, 0.012, 0.1, 0.25, 0.25, 0.5)))),
    st.tuples(st.just("down"), st.tuples(st.integers(55, 80), st.sampled_from((0.25, 0.27, 1.0)))),
    st.tuples(st.just("up"), st.integers(55, 80)),
    st.tuples(st.just("mode"), st.sampled_from(("shadow", "answer", "solo", "mute"))),
    st.tuples(st.just("temperature"), st.sampled_from((0.0, 0.7, 2.0))),
    st.tuples(st.just("scale"), st.sampled_from(("off", "auto", "D minor"))),
    st.tuples(st.just("low"), st.sampled_from((0, 50))),
    st.tuples(st.just("transpose"), st.sampled_from((0, 7))),
    st.tuples(st.just("swap"), st.sampled_from(BUNDLED)),
    st.tuples(st.just("wait"), st.sampled_from((0.1, 2.0))),
)


def notes(pitches: Sequence[int], moments: Iterable[tuple[Hashable, float, float]]) -> list[tuple[int, float]]:
    return [*likely_notes(pitches, moments)]


def think(desk: Desk, most: int) -> int:
    """Think ahead, so many predictions at most; return how many there were."""
    return next((count for count in range(most) if not desk.performer.foresee()), most)


def carry_out(desk: Desk, action: Action) -> None:
    match action:
        case "down", (pitch, after):
            desk.down(pitch, after=after)
        case "up", pitch:
            desk.up(pitch, after=0.0)
        case "swap", name:
            desk.swap(catalogue.load_model(name))
        case "wait", seconds:
            desk.wait(seconds)
        case name, value:
            desk.change(name, value)


def all_sent(models: list[str], actions: list[Action], predictions: list[int]) -> list[TimedEvent]:
    desk = Desk(*map(catalogue.load_model, models), seed=7)
    for action, most in zip(actions, predictions, strict=False):
        carry_out(desk, action)
        think(desk, most)
    desk.panic()
    return desk.sent


@given(
    models=st.lists(st.sampled_from(BUNDLED), min_size=1, max_size=3),
    actions=st.lists(ACTIONS, min_size=1, max_size=60),
    predictions=st.lists(st.sampled_from((0, 1, 5, 200)), min_size=60, max_size=60),
)
@settings(max_examples=40, deadline=None)
def test_thinking_ahead_changes_nothing_that_is_played(
    models: list[str], actions: list[Action], predictions: list[int]
) -> None:
    assert all_sent(models, actions, predictions) == all_sent(models, actions, [0] * 60)


def test_a_note_does_not_join_a_chord_that_models_began_which_play_no_more() -> None:
    actions: list[Action] = [("down", (56, 0.0)), ("swap", "echo"), ("down", (55, 0.0))]
    struck = [event for _, event in all_sent(["bach-bass"], actions, [0] * 60) if isinstance(event, NoteOn)]
    assert len(struck) == 2


@pytest.mark.parametrize("name", BUNDLED)
def test_a_tune_that_comes_again_is_foreseen(name: str) -> None:
    desk = Desk(catalogue.load_model(name))
    foreseen = []
    for pitch in TUNE * 3:
        desk.down(pitch)
        foreseen.append(desk.last.foreseen)
        desk.up(pitch)
        think(desk, PREDICTED)
    assert all(foreseen[len(TUNE) :])
    assert not foreseen[0]


def test_what_is_no_note_was_not_foreseen() -> None:
    desk = Desk()
    for _ in range(3):
        desk.down(60, after=0.5)
        think(desk, PREDICTED)
    assert desk.last.foreseen
    desk.up(60)
    assert not desk.last.foreseen


def test_nothing_is_thought_of_where_nothing_is_answered_at_once() -> None:
    for mode in ("answer", "solo", "mute"):
        desk = Desk(mode=mode)
        desk.down(60)
        assert think(desk, 1) == 0


def test_thinking_comes_to_an_end_and_begins_anew_with_a_note() -> None:
    desk = Desk(RuleModel(), RuleModel(lambda pitch: pitch - 5))
    for pitch in TUNE:
        desk.down(pitch)
        assert 0 < think(desk, 1000) <= PREDICTED + LENGTHS
        assert think(desk, 1) == 0


def test_before_the_first_note_there_is_nothing_to_think_about() -> None:
    assert think(Desk(), 1) == 0
    assert likely_onsets([]) == []


def test_a_length_that_was_heard_lately_may_come_again_not_quite_in_time() -> None:
    weights = dict(likely_onsets([1.0, 1.5, 2.5, 3.0]))
    assert max(weights, key=weights.__getitem__) == 3.5
    assert weights[3.5] > weights[4.0] > weights[4.0 + OFF_SECONDS] > weights[4.0 + 2 * OFF_SECONDS] > 0
    assert weights[4.0 + OFF_SECONDS] == weights[4.0 - OFF_SECONDS]


def test_after_the_first_note_anything_may_come() -> None:
    onsets = [onset for onset, _ in likely_onsets([1.0])]
    assert min(onsets) == 1.0
    assert max(onsets) > 1.1


def test_so_do_the_places_on_a_grid_of_the_usual_length() -> None:
    onsets = [onset for onset, _ in likely_onsets([1.0, 1.5, 2.5, 3.0])]
    for step in range(1, 17):
        assert min(abs(3.0 + 0.125 * step - onset) for onset in onsets) <= FINEST_SECONDS


def test_who_plays_too_fast_is_not_thought_about() -> None:
    fast = [number * FASTEST * 0.9 for number in range(IN_A_ROW + 1)]
    assert likely_onsets(fast) == []
    assert likely_onsets(fast[1:]) != []
    assert likely_onsets([number * FASTEST * 1.1 for number in range(IN_A_ROW + 1)]) != []


def test_what_was_heard_often_and_what_lies_near_comes_first() -> None:
    heard = [72, 72, 72, 60]
    found = notes(heard, [("as before", 1.0, 1.0), ("twice as long", 2.0, 0.9), ("as before", 1.0, 0.8)])
    assert found[0] == (72, 1.0)
    assert found.index((60, 1.0)) < found.index((60, 2.0))
    assert found.index((61, 1.0)) < found.index((63, 1.0)) < found.index((63, 2.0))
    assert len(notes(heard, [(number, float(number), 1.0) for number in range(40)])) == PREDICTED


def test_what_has_followed_a_pitch_and_the_steps_that_were_taken_come_before_others() -> None:
    found = [pitch for pitch, _ in notes([60, 70, 55, 65, 50, 60], [("now", 1.0, 1.0)])]
    assert found.index(70) < found.index(50)  # it has followed 60, and ten semitones up are usual
    assert found.index(45) < found.index(59)  # 15 down are, too


def test_what_is_hardly_likely_is_not_thought_of() -> None:
    sure = [(number, float(number), 1.0 if number == 3 else 1e-4) for number in range(8)]
    assert {onset for _, onset in notes([60] * 20, sure)} == {3.0}


@given(
    pitches=st.lists(st.integers(0, 127), min_size=1, max_size=64),
    moments=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 10), st.floats(0.001, 1)), min_size=1, max_size=16),
)
def test_what_is_likely_can_be_played_and_is_thought_of_once(
    pitches: list[int], moments: list[tuple[int, float, float]]
) -> None:
    found = notes(pitches, moments)
    first: dict[int, float] = {}
    for moment, onset, _ in moments:
        first.setdefault(moment, onset)
    assert 1 <= len(found) <= PREDICTED
    assert all(0 <= pitch < 128 and onset in first.values() for pitch, onset in found)


@pytest.mark.parametrize("name", ["bach-bass", "bach-chorale"])
def test_what_was_thought_before_a_note_is_freed_little_by_little(name: str) -> None:
    """And it never grows, however seldom there is time to think, or none at all."""
    desk = Desk(catalogue.load_model(name))
    band = desk.performer._band
    desk.down(60)
    think(desk, 40)
    desk.down(62)
    left = sum(map(len, band._stale))
    assert left >= 10
    think(desk, 1)
    while think(desk, 1) and band._stale:
        now = sum(map(len, band._stale))
        assert left - 4 <= now <= left
        left = now
    think(desk, 4 * PREDICTED)
    assert not any(band._stale)
    for pitch in TUNE * 3:
        desk.down(pitch)
        assert sum(map(len, band._stale)) <= PREDICTED


def test_a_note_that_is_half_thought_of_is_answered_as_if_it_were_not() -> None:
    answers = []
    for pieces in (0, 2, 3, 4):
        desk = Desk(catalogue.load_model("bach-chorale"))
        for pitch in TUNE:
            desk.down(pitch)
            think(desk, pieces)
        answers.append(desk.sent)
    assert all(sent == answers[0] for sent in answers)


def test_the_half_of_a_note_is_worth_nothing_once_things_stand_differently() -> None:
    desk = Desk(catalogue.load_model("bach-chorale"))
    desk.down(60)
    choir = desk.performer._band.lineup.choirs[0]

    def half_thought() -> bool:
        return choir._considered is not None

    assert choir.consider(62, desk.now + 0.25)
    assert half_thought()
    desk.change("transpose", 12)
    assert not half_thought()
    assert choir.consider(62, desk.now + 0.25)
    expected, fresh = choir.expect(62, desk.now + 0.25)
    assert fresh
    assert not choir.consider(62, desk.now + 0.25)
    again, fresh = choir.expect(62, desk.now + 0.25)
    assert again is expected
    assert not fresh
