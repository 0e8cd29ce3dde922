"""What a session goes on with when engines die: no request that kills them, and nothing that was not one."""

from collections.abc import Callable
from typing import Any

import pytest

from improviser.engine.live_state import (
    BURST,
    BUSY,
    ENDED,
    MOST_PENDING,
    MOST_SWAPS,
    RATE,
    REFUSED,
    REPLACED,
    Door,
    LiveState,
    Reply,
    without_request,
)
from improviser.engine.protocol import MODEL, AnyReport, Applied, Change, Lost, Step, Swap, Turned
from improviser.errors import EngineError

NOTE = Step(1.0, b"\x90<P", [], 0.0)


def state(*reports: AnyReport, clock: Any = lambda: 0.0) -> LiveState:
    fresh = LiveState(["bach-bass"], {"density": 0.5}, clock)
    for report in reports:
        fresh.take(report)
    return fresh


def ask(
    live: LiveState,
    parameter: str,
    value: Any,
    door: Door = "keys",
    tell: Callable[[Reply], None] = lambda _: None,
    **more: bool,
) -> Change | Swap:
    """Ask for something, and return what an engine gets for it."""
    live.request(parameter, value, door, tell, **more)
    (command,) = live.next_commands()
    return command


def begin(live: LiveState) -> list[Change | Swap]:
    """Begin another engine; return what it is asked for at first."""
    live.begin_engine()
    return live.next_commands()


def applied(command: Change | Swap, error: str | None = None) -> Applied:
    """Return an engine's word on a command."""
    if isinstance(command, Swap):
        return Applied(MODEL, command.models, error, request=command.request)
    return Applied(command.parameter, command.value, error, request=command.request)


def test_what_was_asked_for_is_shown_and_the_next_engine_begins_with_what_was_confirmed() -> None:
    live = state()
    asked = ask(live, "temperature", 2.0, "keys")
    assert live.parameters == {"density": 0.5, "temperature": 2.0}
    assert live.confirmed == {"density": 0.5}
    live.take(applied(asked))
    assert live.confirmed == {"density": 0.5, "temperature": 2.0}


def test_models_are_requested_and_confirmed_as_well() -> None:
    live = state()
    asked = ask(live, MODEL, ("echo",), "keys")
    assert (live.models, live.confirmed_models) == (["echo"], ["bach-bass"])
    live.take(applied(asked, "it is broken"))
    assert (live.models, live.confirmed_models) == (["bach-bass"], ["bach-bass"])
    live.take(applied(ask(live, MODEL, ("echo",))))
    assert (live.models, live.confirmed_models) == (["echo"], ["echo"])


def test_a_change_that_was_refused_is_forgotten() -> None:
    live = state()
    live.take(applied(ask(live, "density", 7), "no"))
    assert live.parameters == {"density": 0.5}


def test_each_request_gets_its_own_reply_whatever_the_values_are() -> None:
    """The same value is asked for twice, by two; the engine refuses the first, and a knob turns to it in between."""
    live, told = state(), list[tuple[str, Reply]]()
    first = ask(live, "density", 0.9, "mqtt", lambda reply: told.append(("first", reply)))
    second = ask(live, "density", 0.9, "keys", lambda reply: told.append(("second", reply)))
    live.take(Turned("density", 0.9))
    live.take(Applied("density", 0.9))
    assert told == []
    live.take(applied(second))
    assert told == [("second", Reply("density", 0.9))]
    live.take(applied(first, "no"))
    live.take(applied(first))
    assert told[1:] == [("first", Reply("density", 0.9, "no"))]


def test_of_several_changes_each_reply_answers_one() -> None:
    live = state()
    first, second = (ask(live, "density", value) for value in (0.1, 0.2))
    live.take(applied(first))
    assert live.parameters["density"] == 0.2
    live.take(applied(second))
    assert live.confirmed["density"] == 0.2


def test_what_no_engine_has_confirmed_is_asked_for_once_more_and_then_refused() -> None:
    live, told = state(), list[Reply]()
    asked = ask(live, "scale", "odd", "keys", told.append)
    assert live.end_engine() == []
    assert begin(live) == [asked]
    assert told == []
    assert live.end_engine() == [Applied("scale", "odd", REFUSED)]
    assert told == [Reply("scale", "odd", REFUSED)]
    assert live.parameters == {"density": 0.5}
    assert begin(live) == []
    assert live.end_engine() == []


def test_models_that_no_engine_lives_to_confirm_are_refused_too() -> None:
    live, told = state(), list[Reply]()
    asked = ask(live, MODEL, ["worse"], "program", told.append)
    for again in ([asked], []):
        live.end_engine()
        assert live.confirmed_models == ["bach-bass"]
        assert begin(live) == again
    assert told == [Reply(MODEL, ["worse"], REFUSED)]
    assert live.models == ["bach-bass"]


def test_only_what_kills_engines_is_refused() -> None:
    """Of what a first engine left unconfirmed, each is tried alone; what came later waits for that."""
    live, told = state(), list[Reply]()
    good = ask(live, "density", 0.1, "mqtt", told.append)
    bad = ask(live, "scale", "odd", "mqtt", told.append)
    better = ask(live, "low", 40, "mqtt", told.append)
    assert live.end_engine() == []
    assert begin(live) == [good]
    live.request("high", 90, "keys", told.append)
    assert live.next_commands() == []
    live.take(applied(good))
    assert live.next_commands() == [bad]
    assert [refused.parameter for refused in live.end_engine()] == ["scale"]
    assert begin(live) == [better]
    assert live.next_commands() == []
    live.take(applied(better))
    (last,) = live.next_commands()
    live.take(applied(last))
    assert [(reply.parameter, reply.error) for reply in told] == [
        *(("density", None), ("scale", REFUSED), ("low", None), ("high", None)),
    ]


def test_a_new_request_has_its_two_tries_as_well() -> None:
    live, told = state(), list[Reply]()
    ask(live, "scale", "odd", "keys", told.append)
    live.end_engine()
    begin(live)
    live.request("scale", "C major", "keys")
    assert live.end_engine() == []
    assert told == [Reply("scale", "odd", REPLACED)]
    (asked,) = begin(live)
    assert isinstance(asked, Change)
    assert asked.value == "C major"
    assert live.end_engine() == []
    assert begin(live) == [asked]


def test_what_is_asked_for_while_there_is_no_engine_has_its_two_tries() -> None:
    live, told = state(), list[Reply]()
    live.request("scale", "odd", "keys", told.append, has_engine=False)
    live.request("scale", "C major", "keys", told.append, has_engine=False)
    assert told == [Reply("scale", "odd", REPLACED)]
    asked = begin(live)
    assert [command.value for command in asked if isinstance(command, Change)] == ["C major"]
    assert live.end_engine() == []
    assert begin(live) == asked
    assert [refused.error for refused in live.end_engine()] == [REFUSED]


def test_a_next_engine_is_asked_in_the_order_in_which_the_requests_came() -> None:
    live = state()
    for name in ("split", MODEL, "low", "high"):
        live.request(name, ["echo"] if name == MODEL else 1, "keys", has_engine=False)
    first, swap, *others = begin(live)
    assert isinstance(swap, Swap)
    assert [command.parameter for command in (first, *others) if isinstance(command, Change)] == [
        "split",
        "low",
        "high",
    ]


def test_whatever_waits_at_the_end_gets_its_reply() -> None:
    live, told = state(), list[Reply]()
    live.request("density", 0.1, "keys", told.append)
    live.request(MODEL, ["echo"], "keys", told.append)
    live.end()
    assert [reply.error for reply in told] == [ENDED, ENDED]


class TestLimits:
    def test_a_door_that_floods_is_refused_and_keeps_nobody_out_of_another(self) -> None:
        now = [0.0]
        live = state(clock=lambda: now[0])
        for number in range(int(BURST)):
            live.take(applied(ask(live, "density", number, "mqtt")))
        with pytest.raises(EngineError, match="busy"):
            live.request("density", 0.5, "mqtt")
        ask(live, "density", 0.5, "keys")
        now[0] = 1.0
        for number in range(int(RATE)):
            live.take(applied(ask(live, "density", number, "mqtt")))
        with pytest.raises(EngineError, match="busy"):
            live.request("density", 0.5, "mqtt")

    def test_no_more_wait_than_can_be(self) -> None:
        now = [0.0]
        live = state(clock=lambda: now[0])
        asked = []
        for number in range(MOST_PENDING):
            now[0] += 1.0
            asked.append(ask(live, "density", number, "mqtt"))
        now[0] += 1.0
        with pytest.raises(EngineError) as raised:
            live.request("low", 1, "mqtt")
        assert str(raised.value) == BUSY
        live.take(applied(asked[0], "no"))
        live.request("low", 1, "mqtt")

    def test_loading_models_takes_time_so_few_wait(self) -> None:
        live = state()
        asked = [ask(live, MODEL, [str(number)], "mqtt") for number in range(MOST_SWAPS)]
        with pytest.raises(EngineError, match="busy"):
            live.request(MODEL, ["another"], "mqtt")
        live.request("density", 0.1, "mqtt")
        live.request(MODEL, ["another"], "program")
        live.take(applied(asked[0]))
        live.request(MODEL, ["another"], "mqtt")

    def test_while_there_is_no_engine_the_newest_counts(self) -> None:
        live = state()
        for number in range(2 * MOST_SWAPS):
            live.request(MODEL, [str(number)], "mqtt", has_engine=False)
        (asked,) = begin(live)
        assert isinstance(asked, Swap)
        assert asked.models == [str(2 * MOST_SWAPS - 1)]


def test_parameters_with_which_every_engine_dies_are_taken_back() -> None:
    live = state(NOTE)
    live.take(applied(ask(live, "quantise", "1/5")))
    said = live.fall_back()
    assert said is not None
    assert "quantise" in said
    assert live.parameters == {"density": 0.5}
    assert live.fall_back() is None


def test_parameters_that_an_engine_has_played_with_stay() -> None:
    live = state(NOTE)
    live.take(applied(ask(live, "density", 0.9)))
    live.take(NOTE)
    assert live.fall_back() is None
    assert live.parameters == {"density": 0.9}


@pytest.mark.parametrize("order", [("scale", MODEL, "density"), (MODEL, "scale"), ("scale", MODEL), (MODEL, "density")])
def test_what_was_changed_last_is_taken_back_first(order: tuple[str, ...]) -> None:
    live = state(NOTE)
    values: dict[str, Any] = {MODEL: ["worse"], "scale": "odd", "density": 0.9}
    states = []
    for name in order:
        states.append((dict(live.parameters), live.models))
        live.take(applied(ask(live, name, values[name])))
    for name, before in zip(reversed(order), reversed(states), strict=True):
        said = live.fall_back()
        assert said is not None
        assert said.startswith("worse ends" if name == MODEL else f"{name} as it was set ends")
        assert (live.parameters, live.models) == before
    assert live.fall_back() is None


def test_a_parameter_is_taken_back_before_models_that_have_played() -> None:
    live = state(NOTE)
    live.take(applied(ask(live, MODEL, ["better"])))
    live.take(NOTE)
    live.take(applied(ask(live, "density", 0.9)))
    assert live.fall_back() == "density as it was set ends every engine; set as before"
    assert (live.parameters, live.models) == ({"density": 0.5}, ["better"])
    assert live.fall_back() == "better ends every engine; playing with bach-bass again"
    assert live.fall_back() is None


def test_what_is_set_to_what_it_is_is_no_change() -> None:
    live = state(NOTE)
    live.take(applied(ask(live, "density", 0.5)))
    live.take(applied(ask(live, MODEL, ["bach-bass"])))
    assert live.fall_back() is None


def test_a_knob_that_is_turned_is_one_change_and_no_step_on_the_way_back_crosses_bounds() -> None:
    live = LiveState(["bach-bass"], {"low": 40, "high": 60}, lambda: 0.0)
    for name, value in (("high", 80), ("high", 90), ("low", 70), ("low", 80), ("high", 85)):
        live.take(Turned(name, value))
    passed = []
    while live.fall_back() is not None:
        passed.append((live.parameters["low"], live.parameters["high"]))
    assert passed == [(80, 90), (40, 90), (40, 60)]


def test_of_models_that_no_engine_has_played_with_none_is_gone_back_to() -> None:
    live = state(NOTE)
    for models in (["worse"], ["even worse"]):
        live.take(applied(ask(live, MODEL, models)))
    assert live.fall_back() == "even worse ends every engine; playing with bach-bass again"
    assert live.fall_back() is None


def test_models_with_which_every_engine_dies_are_taken_back_for_good() -> None:
    live = state(NOTE)
    live.take(applied(ask(live, MODEL, ["worse"])))
    assert live.fall_back() == "worse ends every engine; playing with bach-bass again"
    assert live.models == live.confirmed_models == ["bach-bass"]
    assert live.fall_back() is None


def test_the_number_of_a_request_stays_between_hub_and_engine() -> None:
    asked = ask(state(), "density", 0.1)
    assert without_request(applied(asked)) == Applied("density", 0.1)
    assert without_request(Lost(1)) == Lost(1)
