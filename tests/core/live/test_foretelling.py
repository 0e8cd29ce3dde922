"""Foretelling: what a note will be answered is what it then is answered, and telling changes nothing that is played."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.midi.event import NoteOff, NoteOn
from improviser.library import catalogue
from tests.core.live.desk import Desk
from tests.core.live.responders import RuleModel
from tests.core.live.test_foresight import ACTIONS, BUNDLED, TUNE, Action, carry_out, think

MORE: st.SearchStrategy[Action] = st.one_of(
    ACTIONS,
    ACTIONS,
    st.tuples(st.just("density"), st.sampled_from((0.3, 1.0))),
    st.tuples(st.just("thru"), st.booleans()),
    st.tuples(st.just("delay"), st.sampled_from((0.0, 0.2))),
    st.tuples(st.just("channel"), st.sampled_from((0, 2))),
    st.tuples(st.just("release_after"), st.sampled_from((0.0, 0.3))),
    st.tuples(st.just("guard"), st.booleans()),
    st.tuples(st.just("side"), st.sampled_from(("both", "above"))),
    st.tuples(st.just("velocity_scale"), st.sampled_from((0.5, 1.0))),
)


@given(
    models=st.lists(st.sampled_from(BUNDLED), min_size=1, max_size=3),
    actions=st.lists(MORE, min_size=1, max_size=60),
)
@settings(max_examples=40, deadline=None)
def test_what_is_foretold_is_what_is_played(models: list[str], actions: list[Action]) -> None:
    """The desk compares the two, note by note; and all is as if nothing had been foretold."""
    sent = []
    for foretells in (True, False):
        desk = Desk(*map(catalogue.load_model, models), seed=7, foretells=foretells)
        for action in actions:
            carry_out(desk, action)
        desk.panic()
        sent.append(desk.sent)
    assert sent[0] == sent[1]


@pytest.mark.parametrize("name", BUNDLED)
def test_an_ordinary_tune_is_foretold_note_by_note(name: str) -> None:
    desk = Desk(catalogue.load_model(name), foretells=True, guard=False)  # which may take a note for our own
    for pitch in TUNE * 3:
        desk.down(pitch)
        desk.up(pitch)
    assert desk.foretold == 3 * len(TUNE)


def test_a_chord_is_foretold_and_its_notes_are_answered_by_different_pitches() -> None:
    desk = Desk(RuleModel(lambda _: 48), RuleModel(lambda _: 48), foretells=True)
    answers = [desk.down(pitch, after=0.01) for pitch in (60, 64, 67)]
    assert desk.foretold == 3
    assert len({event.pitch for events in answers for event in events if isinstance(event, NoteOn)}) == 6


def test_what_comes_in_floods_is_not_foretold_wrongly() -> None:
    """A burst, and more than anybody plays by hand, about which the guard asks."""
    for gap in (0.0005, 0.004, 0.019, 0.15):
        desk = Desk(foretells=True)
        for number in range(300):
            desk.down(60 + number % 12, after=gap / 2)
            desk.up(60 + number % 12, after=gap / 2)
        assert desk.foretold


def test_our_own_notes_that_come_back_are_not_foretold() -> None:
    desk = Desk(RuleModel(lambda pitch: pitch + 1), foretells=True)
    for number in range(20):
        coming = [event for event in desk.down(50 + number, after=0.3) if isinstance(event, NoteOn)]
        for _ in range(20):
            if coming:
                coming += [event for event in desk.hear(coming.pop(0), 0.002) if isinstance(event, NoteOn)]
    assert desk.last.echoing


@pytest.mark.parametrize(
    ("parameters", "note"),
    [
        ({"mode": "answer"}, (0, 60, 80)),
        ({"thru": True}, (0, 60, 80)),
        ({"delay": 0.5}, (0, 60, 80)),
        ({"quantise": "1/4"}, (0, 60, 80)),
        ({"density": 0.0}, (0, 60, 80)),
        ({"input_channel": 2}, (0, 60, 80)),
        ({"input_low": 61}, (0, 60, 80)),
        ({"side": "above", "split": 61}, (0, 60, 80)),
        ({}, (0, 62, 80)),
    ],
)
def test_what_is_unusual_is_not_foretold(parameters: dict[str, Any], note: tuple[int, int, int]) -> None:
    """The last of them is a key that is down already."""
    desk = Desk(**parameters)
    desk.down(62)
    desk.performer.foresee()
    assert desk.performer.foretell(*note, desk.now + 0.25, think=True) is None


def test_nothing_is_foretold_before_all_is_settled() -> None:
    desk = Desk()
    desk.performer.hear(NoteOn(0, 60, 80), 0.25)
    assert not desk.performer.foresee()
    assert desk.performer.foretell(0, 62, 80, 0.5, think=True) is None
    desk.performer.settle()
    assert desk.performer.foretell(0, 62, 80, 0.5, think=True) is not None
    desk.performer.sense(0.5, promised=True)
    assert desk.performer.foretell(0, 62, 80, 0.5, think=True) is None


def test_what_is_not_thought_of_is_foretold_only_by_thinking() -> None:
    desk = Desk()
    desk.down(60)
    think(desk, 1)
    assert desk.performer.foretell(0, 100, 80, desk.now + 0.33, think=False) is None
    told = desk.performer.foretell(0, 100, 80, desk.now + 0.33, think=True)
    assert told is not None
    assert not told[1]


def test_a_usual_note_is_answered_before_it_is_taken_in() -> None:
    """What is asked of the performer in between finds it taken in."""
    desk = Desk(RuleModel(lambda _: 48), release_after=2.0)
    outcome = desk.performer.hear(NoteOn(0, 60, 80), 0.25)
    assert [event.pitch for event in outcome.events if isinstance(event, NoteOn)] == [48]
    assert desk.performer.ledger.sounding == [(0, 48)]
    assert not desk.performer._sounding.keys
    assert desk.performer.deadline == 2.25
    assert desk.performer._sounding.keys == {(0, 60)}
    desk.send(outcome.events)
    assert desk.up(60)
    assert desk.performer.ledger.silent


def test_what_is_due_by_the_next_note_comes_before_its_answer() -> None:
    desk = Desk(RuleModel(lambda _: 48), release_after=0.2)
    desk.down(60)
    assert [type(event) for event in desk.down(62)] == [NoteOff, NoteOn]


def test_a_wrong_answer_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the ledger ends what sounds then."""
    desk = Desk(RuleModel(lambda _: 48))
    wrong = ([NoteOn(0, 50, 80)], True)
    monkeypatch.setattr(desk.performer._playing, "foretell", lambda *_, **__: wrong, raising=False)
    assert desk.performer.hear(NoteOn(0, 60, 80), 0.25).events == wrong[0]
    with pytest.raises(RuntimeError):
        desk.performer.settle()
    assert desk.performer.ledger.sounding == [(0, 50)]
