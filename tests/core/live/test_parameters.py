"""The live parameters: what is heard, and how answers sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.parameters.table import Parameters
from improviser.core.midi.event import (
    ChannelPressure,
    ControlChange,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
)
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import RuleModel


@given(st.integers(1, 127), st.floats(0, 2), st.floats(0.25, 4))
def test_every_answer_can_be_heard(velocity: int, scale: float, curve: float) -> None:
    assert 1 <= Parameters(velocity_scale=scale, velocity_curve=curve).loudness(velocity) <= 127


def test_velocity_follows_the_player_with_a_curve() -> None:
    assert [Parameters().loudness(velocity) for velocity in (1, 64, 127)] == [1, 64, 127]
    assert [Parameters(velocity_scale=0.5).loudness(velocity) for velocity in (1, 64, 127)] == [1, 32, 64]
    assert [Parameters(velocity_curve=0.5).loudness(velocity) for velocity in (1, 32, 127)] == [11, 64, 127]
    assert Desk(velocity_scale=2.0).down(60, 100) == [NoteOn(0, 48, 127)]


def test_a_fixed_channel_is_that_of_the_answers_and_their_ends() -> None:
    desk = Desk(temperature=0.0, channel=10, thru=True)
    assert desk.down(60, channel=3) == [NoteOn(3, 60, 80), NoteOn(9, 48, 80)]
    assert desk.up(60, channel=3) == [NoteOff(3, 60), NoteOff(9, 48)]


def test_a_note_ends_on_the_channel_it_began_on() -> None:
    desk = Desk(temperature=0.0)
    desk.down(60)
    desk.change("channel", 5)
    assert desk.up(60) == [NoteOff(0, 48)]


def test_answers_are_transposed_within_register_and_scale() -> None:
    model = RuleModel()
    desk = Desk(model, temperature=0.0, transpose=7)
    assert notes(desk.down(60)) == [55]
    assert model.sessions[0].learned[0][2] == 48
    bound = Desk(temperature=4.0, transpose=1, scale="C major", low=60)
    answers = [pitch for key in range(40, 80) for pitch in notes(bound.down(key))]
    assert all(pitch >= 60 and pitch % 12 in (0, 2, 4, 5, 7, 9, 11) for pitch in answers)


def test_a_register_elsewhere_moves_answers_by_octaves() -> None:
    assert notes(Desk(temperature=0.0, low=72).down(60)) == [72]
    assert notes(Desk(temperature=0.0, high=30).down(63)) == [27]


def test_auto_keeps_to_the_key_that_is_played() -> None:
    desk = Desk(RuleModel(lambda p: p - 11), temperature=4.0, scale="auto")
    scale = (62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 62)
    for pitch in scale:
        desk.down(pitch)
    answers = [pitch for _ in range(5) for key in scale for pitch in notes(desk.down(key))]
    assert {pitch % 12 for pitch in answers} == {1, 2, 4, 6, 7, 9, 11}


def test_auto_keeps_to_a_mode_of_fewer_notes() -> None:
    desk = Desk(RuleModel(lambda p: p - 11), temperature=4.0, scale="auto")
    riff = (69, 72, 74, 75, 76, 79, 76, 75, 74, 72, 69, 69)
    for pitch in riff * 3:
        desk.down(pitch)
    answers = [pitch for _ in range(5) for key in riff for pitch in notes(desk.down(key))]
    assert {pitch % 12 for pitch in answers} == {9, 0, 2, 3, 4, 7}


def test_another_channel_or_key_is_not_heard() -> None:
    model = RuleModel()
    desk = Desk(model, input_channel=2, input_low=40, input_high=80, thru=True)
    assert desk.down(60, channel=0) == desk.down(39, channel=1) == desk.down(81, channel=1) == []
    assert desk.hear(ControlChange(0, 64, 127)) == desk.hear(ControlChange(0, 7, 1)) == []
    assert len(desk.down(60, channel=1)) == 2
    assert len(model.sessions[0].learned) == 1


def test_what_sounds_ends_even_if_its_key_is_not_heard_any_more() -> None:
    desk = Desk(temperature=0.0)
    desk.down(60)
    desk.change("input_channel", 16)
    assert desk.up(60) == [NoteOff(0, 48)]


@pytest.mark.parametrize(("side", "answered"), [("both", [48, 47]), ("above", [48]), ("below", [47])])
def test_one_side_of_the_split_is_answered_and_the_other_passes(side: str, answered: list[int]) -> None:
    desk = Desk(temperature=0.0, side=side, split=60, thru=True)
    sent = notes([*desk.down(60), *desk.down(59)])
    assert [pitch for pitch in sent if pitch not in (60, 59)] == answered
    assert {60, 59} <= set(sent)


def test_with_thru_answers_do_not_double_the_chord_of_the_player() -> None:
    desk = Desk(RuleModel(lambda _: 60), RuleModel(lambda _: 64), temperature=0.0, thru=True)
    answers: list[int] = []
    for number, key in enumerate((60, 64, 67)):
        _, *answered = notes(desk.down(key, after=0.002))
        assert not {*answered} & {*answers, *(60, 64, 67)[: number + 1]}
        answers += answered
    assert len(answers) == 6
    for key in (60, 64, 67):
        desk.up(key)
    assert desk.synth.at_rest


def test_bend_and_aftertouch_are_passed_or_dropped() -> None:
    bend, pressure = PitchBend(0, 100), ChannelPressure(0, 50)
    assert Desk().hear(bend) == [bend]
    assert Desk().hear(pressure) == [pressure]
    assert Desk(bend=False).hear(bend) == []
    assert Desk(aftertouch=False).hear(pressure) == []
    assert Desk(bend=False, thru=True).hear(bend) == []
    assert Desk(aftertouch=False, thru=True).hear(KeyPressure(0, 60, 9)) == []


def test_aftertouch_of_a_key_reaches_its_answers() -> None:
    desk = Desk(temperature=0.0, channel=4)
    desk.down(60)
    assert desk.hear(KeyPressure(0, 60, 99)) == [KeyPressure(3, 48, 99)]
    assert desk.hear(KeyPressure(0, 61, 99)) == []


def test_answers_can_come_later_and_keep_their_length() -> None:
    desk = Desk(temperature=0.0, delay=0.5)
    assert desk.down(60) == []
    assert desk.up(60, after=0.2) == []
    begun = desk.now - 0.2
    played = desk.wait(2.0)
    assert [event for _, event in played] == [NoteOn(0, 48, 80), NoteOff(0, 48)]
    assert [moment - begun for moment, _ in played] == pytest.approx([0.5, 0.7])


class TestUnderHeldControls:
    """What a change does to pedals and wheels that are not at rest."""

    def test_another_channel_takes_them_along(self) -> None:
        desk = Desk()
        desk.pedal(127)
        desk.hear(PitchBend(0, 100))
        moved = desk.change("channel", 3)
        assert set(moved) == {ControlChange(0, 64, 0), ControlChange(2, 64, 127), PitchBend(0, 0), PitchBend(2, 100)}
        desk.pedal(0)
        desk.hear(PitchBend(0, 0))
        assert desk.synth.at_rest

    def test_mute_lifts_them_and_its_end_puts_them_back(self) -> None:
        desk = Desk(temperature=0.0)
        desk.pedal(100)
        desk.down(60)
        desk.up(60)
        assert desk.synth.sounding == {(0, 48)}
        desk.change("mode", "mute")
        assert desk.synth.at_rest
        assert desk.change("mode", "shadow") == [ControlChange(0, 64, 100)]

    def test_dropping_bends_centres_the_wheel(self) -> None:
        desk = Desk()
        desk.hear(PitchBend(0, -8192))
        assert desk.change("bend", value=False) == [PitchBend(0, 0)]

    def test_two_channels_at_one_output_hold_one_pedal(self) -> None:
        desk = Desk(channel=1)
        desk.pedal(127, channel=0)
        desk.pedal(90, channel=1)
        assert desk.synth.sustained == {0}
        assert desk.pedal(0, channel=0) == []
        assert desk.pedal(0, channel=1) == [ControlChange(0, 64, 0)]

    def test_a_pedal_that_is_where_it_was_is_not_sent_again(self) -> None:
        for thru in (False, True):
            desk = Desk(thru=thru)
            assert desk.pedal(127) == [ControlChange(0, 64, 127)]
            assert desk.pedal(127) == []
            assert desk.hear(ControlChange(0, 7, 100)) == ([ControlChange(0, 7, 100)] if thru else [])
