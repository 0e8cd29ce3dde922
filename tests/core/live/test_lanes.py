"""Several inputs: what each plays is its own, and what is sent has a channel, whichever input it came by."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.parameters.allowed import check
from improviser.core.live.parameters.table import MODES
from improviser.core.live.player.presence import SENSING_SECONDS
from improviser.core.midi.event import (
    ChannelPressure,
    ControlChange,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
)
from improviser.core.midi.lanes import channel_of, input_of, lanes_of, on_lane, to_send
from improviser.errors import ConfigError
from tests.core.live.desk import Desk, notes

channels = st.sampled_from((0, 1, 9, 15))
pitches = st.integers(55, 65)
values = st.integers(0, 127)
controls = st.sampled_from((1, 7, 20, 64, 66, 67, 119, 120, 121, 123))
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(NoteOn, channels, pitches, st.integers(1, 127)),
    st.builds(NoteOff, channels, pitches, values),
    st.builds(ControlChange, channels, controls, values),
    st.builds(PitchBend, channels, st.integers(-8192, 8191)),
    st.builds(ChannelPressure, channels, values),
    st.builds(KeyPressure, channels, pitches, values),
    st.builds(ProgramChange, channels, values),
)
settings = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(MODES),
        "thru": st.booleans(),
        "programs": st.booleans(),
        "channel": st.sampled_from((0, 3)),
        "input_channel": st.sampled_from((0, 1, 16)),
        "delay": st.sampled_from((0.0, 0.1)),
        "controls": st.sampled_from(({}, {"transpose": {"control": 20, "channel": 2}}, {"mode": 20})),
    }
)


@given(events, st.integers(0, 7))
def test_a_lane_holds_input_and_channel(event: Event, number: int) -> None:
    lane = on_lane(event, number).channel
    assert (input_of(lane), channel_of(lane)) == (number, event.channel)
    assert lane in lanes_of(number)
    assert to_send(on_lane(event, number)) == event


@given(settings, st.lists(st.tuples(events, st.sampled_from((0.0, 0.02, 0.3, 2.0))), max_size=30), st.integers(1, 7))
def test_whichever_input_one_plays_on_it_sounds_the_same(
    parameters: dict[str, Any], played: list[tuple[Event, float]], number: int
) -> None:
    first, other = (Desk(check_every_send=True, foretells=True, **parameters) for _ in range(2))
    for event, after in played:
        assert first.wait(after) == other.wait(after)
        assert first.hear(event, 0.0) == other.hear(event, 0.0, number=number)
    assert first.wait(10) == other.wait(10)
    assert first.performer.lose(first.now) == other.performer.lose(other.now, number)


def test_the_same_key_of_two_keyboards_is_two_keys() -> None:
    desk = Desk()
    desk.down(60)
    desk.hear(NoteOn(0, 60, 90), number=1)
    assert desk.hear(NoteOff(0, 60)) == []
    assert [type(event) for event in desk.hear(NoteOff(0, 60), number=1)] == [NoteOff]
    assert desk.synth.at_rest


@pytest.mark.parametrize("thru", [False, True])
def test_who_is_unplugged_lets_go_of_their_own_keys_pedals_and_wheels_alone(thru: bool) -> None:
    desk = Desk(thru=thru)
    for number, pitch in enumerate((60, 72)):
        desk.hear(NoteOn(0, pitch, 80), number=number)
        desk.hear(ControlChange(0, 64, 100 + number), number=number)
        desk.hear(PitchBend(0, (-1) ** number * 1000), number=number)
    before = set(desk.synth.keys)
    desk.send(desk.performer.lose(desk.now, 1))
    assert desk.synth.keys
    assert set(desk.synth.keys) < before
    assert desk.performer.hear(ControlChange(0, 64, 0), desk.now, 1).events == []  # the other one's is still down
    desk.send(desk.performer.lose(desk.now, 0))
    assert desk.synth.at_rest


def test_a_wheel_at_rest_leaves_the_other_keyboards_bend_as_it_is() -> None:
    desk = Desk()
    bend = PitchBend(0, 1000)
    assert desk.hear(bend) == [bend]
    assert desk.hear(PitchBend(0, -500), number=1) == [PitchBend(0, -500)]
    assert desk.hear(PitchBend(0, 0), number=1) == [bend]
    assert desk.hear(PitchBend(0, 0)) == [PitchBend(0, 0)]


@pytest.mark.parametrize("control", [120, 121, 123])
def test_messages_to_a_whole_channel_are_to_that_of_their_input(control: int) -> None:
    desk = Desk()
    desk.down(60)
    desk.pedal(127)
    desk.hear(ControlChange(0, control, 0), number=1)
    assert len(desk.synth.keys) == 1
    assert desk.performer.lose(desk.now)[0] == NoteOff(0, 48)


def test_each_source_that_ends_its_active_sensing_is_lost_by_itself_and_told_of_alone() -> None:
    desk = Desk()
    for number in (1, 2):
        desk.performer.sense(0.0, number, promised=True)
        desk.hear(NoteOn(0, 60 + number, 80), 0.0, number=number)
    desk.down(60, after=0.0)  # of a source that promises nothing
    found = []
    while (due := desk.performer.deadline) is not None and due <= 10:
        outcome = desk.performer.advance(due)
        desk.send(outcome.events)
        found.append((outcome.lost, outcome.lost_input, [event.channel for event in outcome.events]))
    assert found == [(True, 1, [0]), (True, 2, [0])]
    assert len(desk.synth.keys) == 1


def test_another_input_is_no_sign_of_life() -> None:
    desk = Desk()
    desk.performer.sense(0.0, promised=True)
    desk.down(60, after=0.0)
    desk.performer.sense(0.1, 1, promised=True)
    assert [event for _, event in desk.wait(SENSING_SECONDS + 0.05)] == [NoteOff(0, 48)]


def test_a_limit_on_silence_holds_for_each_input() -> None:
    desk = Desk(release_after=1.0)
    desk.down(60, after=0.0)
    for _ in range(4):
        desk.hear(NoteOn(0, 72, 80), 0.2, number=1)
        desk.hear(NoteOff(0, 72), 0.2, number=1)
    assert not desk.synth.keys


def test_notes_of_both_are_one_phrase() -> None:
    desk = Desk(mode="answer")
    for pitch, number in zip((60, 62, 64, 65), (0, 1, 0, 1), strict=True):
        desk.hear(NoteOn(0, pitch, 80), 0.25, number=number)
        desk.hear(NoteOff(0, pitch), 0.2, number=number)
    replied = notes([event for _, event in desk.wait(10)])
    assert len(replied) == 4
    assert desk.synth.at_rest


def test_a_knob_of_any_input_turns() -> None:
    desk = Desk(controls={"transpose": {"control": 20, "channel": 2}})
    desk.hear(ControlChange(1, 20, 127), number=3)
    assert desk.performer.parameters.transpose == 48
    assert desk.last.turned == ("transpose", 48)


def test_thru_may_be_for_some_inputs_alone_and_what_is_taken_out_ends() -> None:
    desk = Desk(thru=True, mode="mute", thru_inputs="1,3")
    for number in range(3):
        desk.hear(NoteOn(0, 60 + number, 80), number=number)
        desk.hear(ControlChange(number, 64, 127), number=number)
    assert set(desk.synth.keys) == {(0, 60), (0, 62)}
    assert desk.hear(ProgramChange(0, 1), number=1) == desk.hear(ControlChange(0, 7, 1), number=1) == []
    assert desk.change("thru_inputs", "2,3") == [NoteOff(0, 60), ControlChange(0, 64, 0), ControlChange(1, 64, 127)]
    assert desk.hear(NoteOff(0, 60)) == []
    desk.change("thru", False)
    assert desk.synth.at_rest


@pytest.mark.parametrize(
    ("value", "means"), [("all", "all"), ("3, 1,1", "1,3"), (2, "2"), ([2, 1], "1,2"), ((8,), "8")]
)
def test_inputs_are_all_or_numbers(value: object, means: str) -> None:
    assert check("thru_inputs", value) == means


@pytest.mark.parametrize("value", ["", "0", "9", "1,", "all,1", "²", "one", 0, 9, True, [], [1, "2"], None, {}, 1.5])
def test_other_inputs_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="thru_inputs must be all, or numbers of inputs from 1 to 8"):
        check("thru_inputs", value)
