"""The performer in shadow and mute: what each note gets, and how it ends."""

import pytest

from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, ProgramChange
from improviser.errors import ConfigError
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import RuleModel, SingerModel


def test_a_note_is_answered_at_once_and_ends_with_its_key() -> None:
    desk = Desk(temperature=0.0)
    assert desk.down(72, 33, channel=5) == [NoteOn(5, 60, 33)]
    assert desk.hear(NoteOff(5, 72, 99)) == [NoteOff(5, 60, 99)]
    assert desk.synth.at_rest


def test_a_key_struck_again_without_a_note_off_ends_its_answer_first() -> None:
    desk = Desk(temperature=0.0)
    desk.down(72)
    assert desk.down(72) == [NoteOff(0, 60), NoteOn(0, 60, 80)]
    assert desk.up(72) == [NoteOff(0, 60)]
    assert desk.up(72) == []


def test_answers_that_share_a_pitch_end_with_the_last_key() -> None:
    desk = Desk(RuleModel(lambda _: 48), temperature=0.0)
    desk.down(72)
    assert desk.down(76) == [NoteOff(0, 48), NoteOn(0, 48, 80)]
    assert desk.up(72) == []
    assert desk.up(76) == [NoteOff(0, 48)]


def test_the_notes_of_a_chord_get_distinct_answers() -> None:
    desk = Desk(RuleModel(lambda _: 48), temperature=0.0)
    answers = [pitch for pitch in (60, 64, 67, 71) for pitch in notes(desk.down(pitch, after=0.004))]
    assert len(set(answers)) == 4
    assert notes(desk.down(72, after=0.5)) == [48]


def test_chords_on_different_channels_do_not_mind_each_other() -> None:
    desk = Desk(RuleModel(lambda _: 48), temperature=0.0)
    assert notes(desk.down(60, channel=0, after=0.0)) == notes(desk.down(64, channel=1, after=0.0)) == [48]


def test_several_voices_answer_each_note_with_distinct_pitches() -> None:
    desk = Desk(RuleModel(lambda _: 48), RuleModel(lambda _: 48), RuleModel(lambda p: p - 7), temperature=0.0)
    chord = [pitch for key in (60, 64) for pitch in notes(desk.down(key, after=0.001))]
    assert len(chord) == len(set(chord)) == 6
    desk.up(60)
    desk.up(64)
    assert desk.synth.at_rest


def test_density_is_the_share_of_answered_notes() -> None:
    desk = Desk(density=0.3)
    answered = 0
    for _ in range(1000):
        answered += len(notes(desk.down(60)))
        desk.up(60)
    assert 240 < answered < 360
    assert desk.synth.at_rest


def test_the_register_and_the_scale_bound_every_answer() -> None:
    desk = Desk(RuleModel(lambda p: p), temperature=4.0, low=40, high=52, scale="D minor")
    for pitch in range(0, 128, 3):
        (answer,) = notes(desk.down(pitch))
        assert 40 <= answer <= 52
        assert (answer - 2) % 12 in (0, 2, 3, 5, 7, 8, 10)


def test_the_register_holds_where_the_scale_has_no_pitch_in_it() -> None:
    assert notes(Desk(low=61, high=61, scale="C major").down(60)) == [61]


def test_thru_sends_the_players_own_note_as_well() -> None:
    desk = Desk(temperature=0.0, thru=True)
    assert desk.down(72) == [NoteOn(0, 72, 80), NoteOn(0, 60, 80)]
    assert sorted(event.pitch for event in desk.up(72) if isinstance(event, NoteOff)) == [60, 72]
    assert desk.hear(ProgramChange(0, 7)) == []
    desk.change("programs", False)
    assert desk.hear(ProgramChange(0, 7)) == [ProgramChange(0, 7)]
    assert Desk().hear(ProgramChange(0, 7)) == []


def test_one_pitch_for_thru_and_several_voices_is_ended_once() -> None:
    desk = Desk(RuleModel(lambda p: p), RuleModel(), RuleModel(), check_every_send=True, thru=True, low=60, high=60)
    desk.down(60)
    desk.down(60)
    desk.up(60)
    assert desk.synth.at_rest
    assert not desk.synth.errors


def test_pedals_are_passed_and_note_offs_do_not_wait_for_them() -> None:
    desk = Desk(temperature=0.0)
    assert desk.pedal(127) == [ControlChange(0, 64, 127)]
    desk.down(72)
    assert desk.up(72) == [NoteOff(0, 60)]
    assert desk.synth.sounding == {(0, 60)}
    assert desk.down(72) == [NoteOn(0, 60, 80)]
    desk.up(72)
    assert desk.pedal(0) == [ControlChange(0, 64, 0)]
    assert desk.synth.at_rest
    assert desk.pedal(9, control=66) == [ControlChange(0, 66, 9)]
    assert desk.pedal(9, control=67) == [ControlChange(0, 67, 9)]
    assert desk.pedal(9, control=1) == []


def test_mute_ends_the_answers_and_listens_on() -> None:
    model = RuleModel()
    desk = Desk(model, temperature=0.0)
    desk.down(72)
    assert desk.change("mode", "mute") == [NoteOff(0, 60)]
    assert desk.down(74) == []
    assert desk.change("mode", "shadow") == []
    assert desk.up(72) == desk.up(74) == []
    assert notes(desk.down(76)) == [64]
    assert [(pitch, played) for pitch, _, played in model.sessions[0].learned] == [(72, 60), (74, None), (76, 64)]


def test_ending_thru_ends_what_it_sent_and_not_the_answers() -> None:
    desk = Desk(temperature=0.0, thru=True)
    desk.down(72)
    assert desk.change("thru", value=False) == [NoteOff(0, 72)]
    assert desk.synth.sounding == {(0, 60)}


def test_a_change_that_cannot_be_changes_nothing() -> None:
    desk = Desk()
    with pytest.raises(ConfigError, match=r"scale must be off, auto .*; it is 'H major'"):
        desk.change("scale", "H major")
    with pytest.raises(ConfigError, match="no parameter 'volume'"):
        desk.change("volume", 7)
    assert desk.performer.parameters == Desk().performer.parameters


def test_other_models_play_from_the_next_note_on() -> None:
    desk = Desk(temperature=0.0)
    desk.down(72)
    desk.swap(RuleModel(lambda p: p + 1))
    assert notes(desk.down(74)) == [75]
    assert desk.up(72) == [NoteOff(0, 60)]
    assert desk.up(74) == [NoteOff(0, 75)]


def test_without_a_model_nothing_is_answered() -> None:
    desk = Desk()
    desk.swap()
    assert desk.down(60) == []


def test_the_same_seed_and_stamps_give_the_same_answers() -> None:
    def play(seed: int) -> list[object]:
        desk = Desk(seed=seed, temperature=4.0)
        for pitch in range(50, 80):
            desk.down(pitch)
            desk.up(pitch)
        return [event for _, event in desk.sent]

    assert play(1) == play(1) != play(2)


def test_what_is_learned_waits_for_the_answer_to_be_sent() -> None:
    model = RuleModel()
    desk = Desk(model, temperature=0.0)
    events = desk.performer.hear(NoteOn(0, 60, 64), 1.0).events
    assert model.sessions[0].learned == []
    desk.send(events)
    assert model.sessions[0].learned == [(60, 1.0, 48)]


def test_a_second_line_does_not_repeat_one_pitch_for_ever() -> None:
    model = SingerModel()
    model.rule = lambda _: 65
    desk = Desk(model, temperature=0.0)
    answers = [pitch for _ in range(12) for pitch in notes(desk.down(60))]
    assert all(len(set(answers[place : place + 4])) > 1 for place in range(9))
