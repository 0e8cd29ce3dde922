"""Messages to a whole channel (CC 120-127): they end what the channel's keys hold, and nothing else."""

import pytest

from improviser.core.midi.event import (
    ChannelPressure,
    Continue,
    ControlChange,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    Start,
    Stop,
)
from tests.core.live.desk import Desk, notes

ENDING = [123, 124, 125, 126, 127]


def phrase(desk: Desk, ends_with: int | None = None, *, channel: int = 0) -> None:
    """Play six notes; a keyboard of some makes sends a message whenever the last key is up."""
    for pitch in (60, 62, 64, 65, 67, 69):
        desk.down(pitch, channel=channel)
        desk.up(pitch, channel=channel)
        if ends_with is not None:
            desk.hear(ControlChange(channel, ends_with, 0), 0.0)


@pytest.mark.parametrize("control", ENDING)
def test_all_notes_off_is_as_if_each_key_had_been_released(control: int) -> None:
    one, other = Desk(temperature=0.0, thru=True), Desk(temperature=0.0, thru=True)
    for desk in (one, other):
        desk.pedal(127)
        desk.down(60)
        desk.down(64)
        desk.hear(PitchBend(0, 100))
    ended = one.hear(ControlChange(0, control, 0))
    assert ended == other.up(60, after=0.25) + other.up(64, after=0.0)
    assert all(isinstance(event, NoteOff) for event in ended)
    assert one.synth.sounding == {(0, 60), (0, 48), (0, 64), (0, 52)}
    assert one.up(60) == one.up(64) == []
    assert one.pedal(0) == [ControlChange(0, 64, 0)]
    assert not one.synth.sounding


@pytest.mark.parametrize("control", [120, *ENDING])
@pytest.mark.parametrize("mode", ["answer", "solo"])
def test_a_phrase_is_answered_whatever_the_keyboard_sends_at_its_end(mode: str, control: int) -> None:
    plain, ended = Desk(temperature=0.0, mode=mode), Desk(temperature=0.0, mode=mode)
    phrase(plain)
    phrase(ended, control)
    first, second = plain.wait(3.0), ended.wait(3.0)
    assert len(notes([event for _, event in first])) >= 3
    assert first == second


def test_a_key_that_such_a_message_ends_is_up_for_the_phrase() -> None:
    desk = Desk(temperature=0.0, mode="answer")
    phrase(desk)
    desk.down(71)
    desk.hear(ControlChange(0, 123, 0), 0.2)
    other = Desk(temperature=0.0, mode="answer")
    phrase(other)
    other.down(71)
    other.up(71)
    assert desk.performer.deadline == other.performer.deadline


@pytest.mark.parametrize("control", [120, *ENDING])
def test_another_channel_goes_on(control: int) -> None:
    desk = Desk(temperature=0.0)
    desk.down(60, channel=2)
    desk.down(72, channel=3)
    assert desk.hear(ControlChange(3, control, 0)) == [NoteOff(3, 60)]
    assert desk.synth.sounding == {(2, 48)}


@pytest.mark.parametrize("control", range(120, 128))
def test_on_a_channel_that_is_not_heard_they_do_nothing(control: int) -> None:
    desk = Desk(temperature=0.0, input_channel=1, thru=True)
    desk.pedal(127)
    desk.down(60)
    assert desk.hear(ControlChange(5, control, 0)) == []
    assert desk.synth.sounding == {(0, 60), (0, 48)}
    assert desk.up(60) == [NoteOff(0, 60), NoteOff(0, 48)]


@pytest.mark.parametrize("control", [120, *ENDING])
def test_answers_end_where_they_sound(control: int) -> None:
    desk = Desk(temperature=0.0, channel=10)
    desk.down(60, channel=3)
    assert desk.hear(ControlChange(3, control, 0)) == [NoteOff(9, 48)]


def test_all_sound_off_ends_what_a_pedal_keeps_and_the_pedal_stays_down() -> None:
    desk = Desk(temperature=0.0, check_every_send=True)
    desk.pedal(127)
    desk.down(60)
    desk.down(62)
    desk.up(60)
    desk.pedal(127, control=66)
    desk.hear(ControlChange(0, 120, 0))
    assert not desk.synth.sounding
    desk.down(64)
    desk.up(64)
    assert desk.synth.sounding == {(0, 52)}
    desk.pedal(0, control=66)
    desk.pedal(0)
    assert desk.synth.at_rest
    assert desk.performer.ledger.silent


def test_all_sound_off_ends_a_reply_to_its_channel_and_no_other() -> None:
    for channel, goes_on in ((4, False), (5, True)):
        desk = Desk(temperature=0.0, mode="answer")
        phrase(desk, channel=4)
        while not desk.synth.keys:
            desk.wait(0.05)
        desk.hear(ControlChange(channel, 120, 0), 0.0)
        assert bool(desk.synth.keys) == goes_on
        assert bool(notes([event for _, event in desk.wait(3.0)])) == goes_on


def test_all_sound_off_drops_what_was_to_come() -> None:
    desk = Desk(temperature=0.0, delay=0.5)
    desk.down(60)
    desk.hear(ControlChange(0, 120, 0), 0.1)
    assert desk.wait(5.0) == []
    assert desk.up(60) == []


def test_all_notes_off_lets_a_late_answer_sound_as_long_as_its_key() -> None:
    desk = Desk(temperature=0.0, delay=0.5)
    desk.down(60)
    desk.hear(ControlChange(0, 123, 0), 0.25)
    assert [(stamp, event) for stamp, event in desk.wait(5.0)] == [(0.75, NoteOn(0, 48, 80)), (1.0, NoteOff(0, 48))]


def test_the_stop_of_a_sequencer_leaves_nothing_on() -> None:
    desk = Desk(temperature=0.0, thru=True)
    desk.hear(Start())
    for channel in range(16):
        desk.down(40 + channel, channel=channel)
    desk.hear(Stop())
    for channel in range(16):
        desk.hear(ControlChange(channel, 123, 0), 0.0)
    assert desk.synth.at_rest
    desk.hear(Continue())
    assert notes(desk.down(60)) == [60, 48]


def test_a_reply_goes_on_through_all_notes_off() -> None:
    desk = Desk(temperature=0.0, mode="answer")
    phrase(desk)
    while not desk.synth.keys:
        desk.wait(0.05)
    assert desk.hear(ControlChange(0, 123, 0), 0.0) == []
    assert desk.synth.keys


def test_reset_all_controllers_resets_them_here_and_at_the_synth() -> None:
    desk = Desk(temperature=0.0, check_every_send=True)
    away: list[Event] = [ControlChange(0, 64, 127), ControlChange(0, 67, 127), PitchBend(0, -5), ChannelPressure(0, 9)]
    for event in away:
        desk.hear(event)
    desk.down(60)
    desk.up(60)
    reset = desk.hear(ControlChange(0, 121, 0))
    assert reset == [
        *(ControlChange(0, 64, 0), ControlChange(0, 67, 0), PitchBend(0, 0), ChannelPressure(0, 0)),
        ControlChange(0, 121, 0),
    ]
    assert desk.synth.at_rest
    assert desk.performer.ledger.silent
    assert desk.change("channel", 5) == []  # nothing is brought along that is held no more
    assert desk.hear(ControlChange(0, 121, 0)) == []  # else it would go round for ever where our output comes in


def test_a_reset_ends_the_pedal_for_the_phrase() -> None:
    desk = Desk(temperature=0.0, mode="answer")
    desk.pedal(127)
    phrase(desk)
    held = desk.performer.deadline
    desk.hear(ControlChange(0, 121, 0), 0.0)
    assert held is not None
    assert desk.performer.deadline is not None
    assert desk.performer.deadline < held


def test_a_reset_leaves_what_another_channel_holds_at_the_same_output() -> None:
    desk = Desk(temperature=0.0, channel=1)
    desk.pedal(127, channel=2)
    desk.pedal(127, channel=3)
    desk.hear(PitchBend(3, 50))
    assert desk.hear(ControlChange(3, 121, 0)) == [PitchBend(0, 0)]
    assert desk.pedal(0, channel=2) == [ControlChange(0, 64, 0)]


def test_a_reset_follows_aftertouch_of_single_keys() -> None:
    desk = Desk(temperature=0.0)
    desk.down(60)
    desk.hear(KeyPressure(0, 60, 90))
    assert desk.hear(ControlChange(0, 121, 0)) == [ControlChange(0, 121, 0)]
    assert desk.up(60) == [NoteOff(0, 48)]


def test_with_thru_a_reset_is_passed_on_and_modes_are_not() -> None:
    desk = Desk(temperature=0.0, thru=True, mode="mute")
    assert desk.hear(ControlChange(2, 121, 0)) == [ControlChange(2, 121, 0)]
    assert desk.hear(ControlChange(2, 126, 1)) == []
    assert desk.down(60, channel=2) == [NoteOn(2, 60, 80)]
