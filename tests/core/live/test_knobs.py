"""Knobs: every position of each is a value that its parameter can have, and turning it is a change like any other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.parameters.kinds import Range
from improviser.core.live.parameters.table import MODES, Parameters
from improviser.core.live.player.knobs import LEARNABLE, MODEL, RANGES, Knobs, Picked, place_of, rebound, value_at
from improviser.core.live.player.votes import COMMANDS
from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, ProgramChange
from improviser.errors import ConfigError
from improviser.settings.checking import validate
from improviser.settings.schema import LIVE_KEYS
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import RuleModel


def test_all_that_changes_live_can_be_turned_but_what_says_how() -> None:
    assert set(LEARNABLE) == {*LIVE_KEYS, *COMMANDS} - {
        "controls",
        "programs",
        "pickup",
        "thru_inputs",
        "balance",
        "registers",
        "instruments",
    }


@given(st.sampled_from(sorted(RANGES)), st.integers(0, 127))
def test_every_position_is_a_value_that_the_settings_allow(parameter: str, position: int) -> None:
    value = value_at(parameter, position, Parameters())
    assert validate(parameter, value) == value
    assert type(validate(parameter, value)) in (type(value), float)


@pytest.mark.parametrize("parameter", sorted(RANGES))
def test_the_ends_are_the_ends_and_choices_have_equal_parts(parameter: str) -> None:
    span = RANGES[parameter]
    values = [value_at(parameter, position, Parameters()) for position in range(128)]
    if isinstance(span, Range):
        assert (values[0], values[-1]) == (span.low, span.high)
        assert values == sorted(values)
        beyond = (span.low - 0.01, span.high + 0.01) if not span.whole else (span.low - 1, span.high + 1)
        for value in beyond:
            with pytest.raises(ConfigError):
                validate(parameter, value)
    else:
        assert list(dict.fromkeys(values)) == list(span)
        counts = [values.count(value) for value in span]
        assert max(counts) - min(counts) <= 1


def test_a_bound_stops_at_its_counterpart() -> None:
    playing = Parameters(low=40, high=60)
    assert value_at("low", 127, playing) == 60
    assert value_at("high", 0, playing) == 40
    assert value_at("low", 50, playing) == 50


@pytest.mark.parametrize(
    ("controls", "says"),
    [
        ({"warmth": 21}, "no control can turn 'warmth'; what one can turn: model, mode, "),
        ({"controls": 21}, "no control can turn 'controls'"),
        ({"low": 64}, "control 64 is the sustain pedal and cannot be bound"),
        ({"low": {"control": 66}}, "the sostenuto pedal"),
        ({"low": 67}, "the soft pedal"),
        ({"low": 120}, "a message to a whole channel"),
        ({"low": 123}, "a message to a whole channel"),
        ({"low": 0}, "bank select"),
        ({"low": 128}, "there is no control 128"),
        ({"low": -1}, "numbered 0–127"),
        ({"low": 21, "high": 21}, "control 21 is bound to both low and high"),
        ({"low": {"control": 21, "channel": 2}, "high": 21}, "bound to both"),
        ({"low": 21, "high": {"control": 21, "channel": 2}}, "bound to both"),
    ],
)
def test_what_cannot_be_bound_is_refused(controls: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Knobs(controls)
    desk = Desk()
    with pytest.raises(ConfigError, match=says):
        desk.change("controls", controls)
    assert desk.performer.parameters.controls == {}


def test_a_binding_may_be_of_one_channel_or_of_all() -> None:
    knobs = Knobs({"low": {"control": 21, "channel": 2}, "high": {"control": 21, "channel": 3}, "split": 22})
    assert [knobs.turned_by(ControlChange(channel, 21, 5)) for channel in range(4)] == [None, "low", "high", None]
    assert [knobs.turned_by(ControlChange(channel, 22, 5)) for channel in (0, 15)] == ["split"] * 2
    assert knobs.turned_by(ControlChange(0, 23, 5)) is None


BINDINGS = st.integers(1, 31) | st.builds(
    lambda control, channel: {"control": control, "channel": channel}, st.integers(1, 31), st.integers(1, 16)
)


@given(st.lists(st.tuples(st.sampled_from(LEARNABLE), BINDINGS), max_size=20))
def test_binding_anew_never_makes_two_of_one(steps: list[tuple[str, Any]]) -> None:
    controls: dict[str, Any] = {}
    for parameter, binding in steps:
        controls = rebound(controls, parameter, binding)
        control, channel = place_of(binding)
        assert Knobs(controls).turned_by(ControlChange(max(0, channel - 1), control, 1)) == parameter


def turned(desk: Desk) -> tuple[str, Any] | None:
    return desk.last.turned


def test_a_turned_knob_is_a_change_and_is_not_passed_on() -> None:
    desk = Desk(temperature=0.0, thru=True, input_channel=1, controls={"transpose": {"control": 21, "channel": 16}})
    assert 60 in notes(desk.down(72))
    assert desk.hear(ControlChange(15, 21, 127)) == []
    assert turned(desk) == ("transpose", 48)
    desk.up(72)
    assert turned(desk) is None
    assert desk.performer.parameters.transpose == 48
    assert NoteOn(0, 108, 80) in desk.down(72)
    desk.hear(ControlChange(15, 21, 127))
    assert turned(desk) is None  # it is so already
    assert desk.hear(ControlChange(0, 21, 3)) == [ControlChange(0, 21, 3)]  # another channel's goes through
    desk.up(72)
    assert desk.synth.at_rest


def positions(desk: Desk, *moves: int) -> list[int]:
    """Return where the density is after each move of its knob, in positions."""
    found = []
    for position in moves:
        desk.hear(ControlChange(0, 21, position))
        found.append(round(desk.performer.parameters.density * 127))
    return found


def test_a_knob_may_have_to_come_by_before_it_turns() -> None:
    desk = Desk(density=0.5, pickup=True, controls={"density": 21, "mode": 30})
    assert positions(desk, 0, 20, 40) == [64, 64, 64]
    assert positions(desk, 80, 70, 127, 1) == [80, 70, 127, 1]  # it has come by, and holds on, however fast
    desk.change("temperature", 0.2)
    assert positions(desk, 90) == [90]
    desk.change("density", 0.25)  # somebody else was at it
    assert positions(desk, 100, 110) == [32, 32]
    assert positions(desk, 30, 40) == [30, 40]
    desk.change("density", 0.5)
    desk.change("pickup", False)
    assert positions(desk, 120) == [120]
    desk.change("pickup", True)
    desk.hear(ControlChange(0, 30, 127))  # one of a choice, as buttons have it, turns at once
    assert desk.performer.parameters.mode == MODES[-1]


def test_a_knob_that_is_where_things_are_turns_at_once() -> None:
    desk = Desk(density=1.0, pickup=True, controls={"density": 21})
    assert positions(desk, 126, 60) == [126, 60]


@given(st.sampled_from([name for name, span in RANGES.items() if isinstance(span, Range)]), st.integers(0, 127))
def test_a_position_and_its_place_agree(parameter: str, position: int) -> None:
    span = RANGES[parameter]
    assert isinstance(span, Range)
    assert span.at(round(span.place_of(span.at(position)))) == span.at(position)


def test_a_knob_of_the_mode_ends_what_the_mode_ends() -> None:
    desk = Desk(temperature=0.0, controls={"mode": 30})
    desk.down(72)
    for position in range(128):
        desk.hear(ControlChange(0, 30, position), 0.001)
    assert desk.performer.parameters.mode == MODES[-1] == "mute"
    assert desk.synth.at_rest


def test_models_are_picked_and_played_when_they_come() -> None:
    desk = Desk(temperature=0.0, controls={MODEL: 30})
    desk.down(72)
    assert desk.hear(ProgramChange(0, 3)) == []
    assert desk.last.picked == Picked(3)
    assert desk.last.picked.among(2) == 3
    desk.swap(RuleModel(lambda pitch: pitch + 7))
    assert desk.up(72) == [NoteOff(0, 60)]
    assert notes(desk.down(60)) == [67]
    desk.hear(ControlChange(0, 30, 64))
    assert desk.last.picked == Picked(64, 128)
    assert [Picked(position, 128).among(4) for position in (0, 31, 32, 127)] == [0, 0, 1, 3]
    desk.up(60)
    assert desk.synth.at_rest


def test_programs_of_a_channel_that_is_not_heard_pick_nothing() -> None:
    desk = Desk(input_channel=2, thru=True)
    assert desk.hear(ProgramChange(0, 3)) == []
    assert desk.last.picked is None
