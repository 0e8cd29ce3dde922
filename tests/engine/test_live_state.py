"""What a session goes on with when engines die: no wish that kills them, and nothing that was not one."""

from improviser.engine.live_state import LiveState
from improviser.engine.protocol import MODEL, AnyReport, Applied, Change, Step, Swap

NOTE = Step(1.0, b"\x90<P", [], 0.0)


def state(*reports: AnyReport) -> LiveState:
    fresh = LiveState(["bach-bass"], {"density": 0.5})
    for report in reports:
        fresh.take(report)
    return fresh


def test_what_was_asked_for_is_shown_and_the_next_engine_begins_with_what_was_confirmed() -> None:
    live = state()
    live.request(Change("temperature", 2.0))
    assert live.parameters == {"density": 0.5, "temperature": 2.0}
    assert live.confirmed == {"density": 0.5}
    live.take(Applied("temperature", 2.0))
    assert live.confirmed == {"density": 0.5, "temperature": 2.0}


def test_a_change_that_was_refused_is_forgotten() -> None:
    live = state()
    live.request(Change("density", 7))
    live.take(Applied("density", 7, "no"))
    assert live.parameters == {"density": 0.5}


def test_of_several_changes_each_reply_answers_one() -> None:
    live = state()
    live.request(Change("density", 0.1))
    live.request(Change("density", 0.2))
    live.take(Applied("density", 0.1))
    assert live.parameters["density"] == 0.2
    live.take(Applied("density", 0.2))
    assert live.confirmed["density"] == 0.2


def test_what_no_engine_has_confirmed_is_asked_for_once_more_and_then_refused() -> None:
    live = state()
    live.request(Change("scale", "odd"))
    again, refused = live.end_engine()
    assert (again, refused) == ([Change("scale", "odd")], [])
    again, refused = live.end_engine()
    assert again == []
    assert [(reply.parameter, reply.value) for reply in refused] == [("scale", "odd")]
    assert refused[0].error
    assert live.parameters == {"density": 0.5}
    assert live.end_engine() == ([], [])


def test_a_new_wish_has_its_two_tries_as_well() -> None:
    live = state()
    live.request(Change("scale", "odd"))
    live.end_engine()
    live.request(Change("scale", "C major"))
    assert live.end_engine() == ([Change("scale", "C major")], [])


def test_parameters_with_which_every_engine_dies_are_taken_back() -> None:
    live = state(NOTE)
    live.request(Change("quantise", "1/5"))
    live.take(Applied("quantise", "1/5"))
    said = live.fall_back()
    assert said is not None
    assert "quantise" in said
    assert live.parameters == {"density": 0.5}
    assert live.fall_back() is None


def test_parameters_that_an_engine_has_played_with_stay() -> None:
    live = state(NOTE)
    live.request(Change("density", 0.9))
    live.take(Applied("density", 0.9))
    live.take(NOTE)
    assert live.fall_back() is None
    assert live.parameters == {"density": 0.9}


def test_models_with_which_every_engine_dies_are_taken_back_first() -> None:
    live = state(NOTE)
    live.request(Swap(["worse"]))
    live.take(Applied(MODEL, ["worse"]))
    assert live.fall_back() is not None
    assert live.models == ["bach-bass"]
