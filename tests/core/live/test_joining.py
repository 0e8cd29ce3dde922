"""Joining: what models know when they begin depends on nothing but when that is, however they came to know it."""

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.live.answering.joining import REMEMBERED, Heard, Joining
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.library import catalogue
from tests.core.live.responders import RuleModel

Lesson = tuple[int, float, int | None]


def heard_after(count: int) -> Heard:
    """Return what was heard after so many notes, each unlike those before."""
    numbers = range(max(0, count - REMEMBERED), count)
    return Heard(count, tuple((number % 128, number / 4) for number in numbers))


def all_at_once(heard: Heard) -> list[Lesson]:
    return [(pitch, onset, None) for pitch, onset in heard.notes]


@settings(deadline=None)
@given(
    st.integers(0, 150), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 200)), max_size=12), st.integers(0, 3)
)
def test_they_know_the_last_notes_in_order_and_nothing_else(
    begun: int, course: list[tuple[int, int]], count_of_models: int
) -> None:
    models = [RuleModel() for _ in range(count_of_models)]
    joining = Joining(models)
    count = begun
    for notes, lessons in course:
        count += notes
        ready = any(not joining.learn(heard_after(count)) for _ in range(lessons))
        if ready:
            known = [session.learned for model in models for session in model.sessions]
            assert not joining.learn(heard_after(count))
            assert [session.learned for model in models for session in model.sessions] == known
    heard = heard_after(count)
    responders = joining.finish(heard)
    assert len(responders) == count_of_models
    assert [responder.learned for responder in responders] == [all_at_once(heard)] * count_of_models  # type: ignore[attr-defined]
    assert not joining.learn(heard)


def lessons_of(joining: Joining, count: int, most: int) -> Iterator[bool]:
    for _ in range(most):
        yield joining.learn(heard_after(count))


@pytest.mark.parametrize("at_once", [2, 3, 10])
def test_they_are_ready_in_time_however_long_the_player_makes_no_pause(at_once: int) -> None:
    """With time for `at_once` notes between any two, far fewer than they have to learn."""
    joining = Joining([RuleModel()])
    for count in range(100, 100 + 3 * REMEMBERED):
        if not all(lessons_of(joining, count, at_once)):
            return
    pytest.fail("never ready")


def test_a_pause_is_enough() -> None:
    joining = Joining([RuleModel()])
    for count in range(100, 103):
        assert all(lessons_of(joining, count, 5))
    assert not all(lessons_of(joining, 102, 2 * REMEMBERED))


def play(performer: Performer, begin: float, notes: int) -> float:
    now = begin
    for number in range(notes):
        pitch = 60 + (number * number) % 13
        for event, after in ((NoteOn(0, pitch, 80), 0.2), (NoteOff(0, pitch), 0.05 if number % 9 else 2.0)):
            for sent in performer.hear(event, now).events:
                performer.sent(sent)
            performer.settle()
            while performer.deadline is not None and performer.deadline < now + after:
                for sent in performer.advance(performer.deadline).events:
                    performer.sent(sent)
            now += after
    return now


@pytest.mark.parametrize("name", ["bach-bass", "bach-melody", "echo", "auto"])
def test_what_plays_next_is_the_same_whether_they_learned_before_or_at_once(name: str) -> None:
    model = catalogue.load_model(name)
    played = []
    for beforehand in (False, True):
        performer = Performer([catalogue.load_model("bach-tenor")], Parameters(), np.random.default_rng(1))
        now = play(performer, 0.0, 70)
        joining = Joining([model])
        while beforehand and joining.learn(performer.heard):
            pass
        performer.swap(joining if beforehand else [model], now)
        events = []
        for number in range(12):
            outcome = performer.hear(NoteOn(0, 60 + number, 80), now + number)
            events += outcome.events
            performer.hear(NoteOff(0, 60 + number), now + number + 0.5)
        played.append(events)
    assert played[0] == played[1]


@pytest.mark.parametrize("mode", ["shadow", "answer", "solo"])
@pytest.mark.parametrize("name", ["bach-bass", "bach-melody", "echo", "auto"])
def test_nothing_outlives_its_use_without_the_collector_of_cycles(name: str, mode: str) -> None:
    """The engine runs without it; else each swap, and each new session, would leave something for ever."""
    gc.collect()
    gc.disable()
    try:
        models = [catalogue.load_model(name)]
        performer = Performer(models, Parameters(mode=mode), np.random.default_rng(1))
        now = play(performer, 0.0, 20)
        performer.foresee()
        parts = [weakref.ref(part) for part in performer._band.lineup.parts]
        performer.swap([catalogue.load_model("bach-tenor")], now)
        band = weakref.ref(performer._band)
        while performer._band.let_go():
            pass
        assert [part() for part in parts] == [None]
        play(performer, now, 3)
        performer.foresee()
        del performer
        assert band() is None
    finally:
        gc.enable()


def test_those_that_played_before_are_let_go_of_one_by_one() -> None:
    performer = Performer([catalogue.load_model("auto")], Parameters(), np.random.default_rng(1))
    first = weakref.ref(performer._band.lineup.parts[0].parts[0])  # type: ignore[attr-defined]
    performer.swap([], 1.0)
    assert first() is not None
    count = 0
    while performer.foresee():
        count += 1
    assert count > 2
    assert first() is None
