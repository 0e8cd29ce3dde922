"""The performer in answer and solo: replies in the player's own rhythm, that the player can always interrupt."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.live.due import LATE_SECONDS
from improviser.core.midi.event import NoteOff, NoteOn, TimedEvent
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import RuleModel, SingerModel

TUNE = ((60, 0.0, 0.2, 90), (64, 0.25, 0.1, 40), (62, 0.75, 0.3, 70), (67, 1.25, 0.4, 100))


def play(desk: Desk, tune: Sequence[tuple[int, float, float, int]] = TUNE, *, channel: int = 0) -> float:
    """Play pitches at onsets for durations with velocities; return when the last note began."""
    start = desk.now + 0.25
    moments: list[TimedEvent] = []
    for pitch, onset, duration, velocity in tune:
        moments.append((start + onset, NoteOn(channel, pitch, velocity)))
        moments.append((start + onset + duration, NoteOff(channel, pitch)))
    for moment, event in sorted(moments, key=lambda timed: timed[0]):
        desk.wait(moment - desk.now)
        desk.hear(event, 0.0)
    return start + tune[-1][1]


def sounded(sent: Sequence[TimedEvent]) -> list[tuple[float, float, int, int]]:
    """Return (onset, duration, pitch, velocity) of each note."""
    found = []
    for number, (onset, event) in enumerate(sent):
        if isinstance(event, NoteOn):
            ends = (at for at, other in sent[number:] if isinstance(other, NoteOff) and other.pitch == event.pitch)
            end = next(ends, math.inf)
            found.append((onset, end - onset, event.pitch, event.velocity))
    return found


def test_nothing_is_answered_while_the_player_plays() -> None:
    desk = Desk(SingerModel(), mode="answer")
    play(desk)
    assert desk.sent == []
    assert desk.performer.deadline is not None


@pytest.mark.parametrize("model", [RuleModel(), SingerModel(), RuleModel(task="echo")])
def test_a_phrase_is_replied_to_in_its_own_rhythm(model: RuleModel) -> None:
    desk = Desk(model, mode="answer", temperature=0.0)
    last = play(desk)
    reply = sounded(desk.wait(20.0))
    onsets = [onset - reply[0][0] for onset, _, _, _ in reply]
    assert onsets == pytest.approx([onset for _, onset, _, _ in TUNE])
    assert [duration for _, duration, _, _ in reply] == pytest.approx([duration for _, _, duration, _ in TUNE])
    assert [velocity for _, _, _, velocity in reply] == [velocity for _, _, _, velocity in TUNE]
    assert 0.35 <= reply[0][0] - last <= 3.0
    assert desk.synth.at_rest
    assert desk.performer.deadline is None
    assert desk.wait(100.0) == []


def test_a_melody_goes_on_from_what_was_played() -> None:
    model = SingerModel()
    desk = Desk(model, mode="answer", temperature=0.0)
    play(desk)
    assert notes([event for _, event in desk.wait(20.0)]) == [68, 69, 70, 71]
    assert [pitch for pitch, _ in model.singers[0].followed] == [60, 64, 62, 67, 68, 69, 70, 71]


def test_an_echo_answers_the_phrase_note_by_note() -> None:
    model = RuleModel(lambda pitch: pitch + 2, task="echo")
    desk = Desk(model, mode="answer", temperature=0.0)
    play(desk)
    assert notes([event for _, event in desk.wait(20.0)]) == [62, 66, 64, 69]
    assert [(pitch, played) for pitch, _, played in model.sessions[0].learned] == [
        (60, 62),
        (64, 66),
        (62, 64),
        (67, 69),
    ]


def test_a_harmony_plays_to_the_phrase_as_it_is_remembered() -> None:
    model = RuleModel(lambda pitch: pitch - 12)
    desk = Desk(model, mode="answer", temperature=0.0)
    play(desk)
    reply = notes([event for _, event in desk.wait(20.0)])
    learned = model.sessions[0].learned
    assert [(pitch, played) for pitch, _, played in learned[:4]] == [(60, None), (64, None), (62, None), (67, None)]
    assert [played for _, _, played in learned[4:]] == reply
    assert [pitch - 12 for pitch, _, _ in learned[4:]] == reply


def test_harmonies_answer_the_melody_that_leads() -> None:
    desk = Desk(RuleModel(lambda pitch: pitch - 12), SingerModel(), mode="answer", temperature=0.0)
    play(desk)
    assert notes([event for _, event in desk.wait(20.0)]) == [68, 56, 69, 57, 70, 58, 71, 59]


def test_the_first_note_of_the_player_ends_the_reply_at_once() -> None:
    desk = Desk(SingerModel(), mode="answer", temperature=0.0)
    play(desk)
    assert desk.performer.deadline is not None
    desk.wait(desk.performer.deadline - desk.now + 0.1)
    assert len(desk.synth.sounding) == 1
    (off,) = desk.down(72, after=0.01)
    assert isinstance(off, NoteOff)
    assert desk.synth.at_rest
    desk.up(72)
    assert desk.wait(0.2) == []


def test_one_note_is_a_phrase() -> None:
    desk = Desk(SingerModel(), mode="answer", temperature=0.0)
    desk.down(60)
    desk.up(60, after=0.5)
    ((_, duration, pitch, _),) = sounded(desk.wait(10.0))
    assert duration == pytest.approx(0.5)
    assert pitch == 61


def test_phrase_after_phrase_is_replied_to() -> None:
    desk = Desk(SingerModel(), mode="answer", temperature=0.0)
    for _ in range(5):
        play(desk)
        assert len(sounded(desk.wait(10.0))) == 4


def test_a_reply_does_not_repeat_one_pitch_for_ever() -> None:
    desk = Desk(SingerModel(step=0), mode="answer", temperature=0.0)
    play(desk, [(60, 0.3 * number, 0.1, 80) for number in range(16)])
    pitches = notes([event for _, event in desk.wait(20.0)])
    assert len(pitches) == 16
    assert all(len(set(pitches[place : place + 4])) > 1 for place in range(13))


def test_a_reply_follows_density_register_velocity_and_channel() -> None:
    desk = Desk(SingerModel(), mode="answer", low=72, high=83, channel=16, velocity_scale=0.5, transpose=1)
    play(desk, channel=2)
    reply = [event for _, event in desk.wait(20.0)]
    assert {event.channel for event in reply if isinstance(event, NoteOn)} == {15}
    assert all(72 <= pitch <= 83 for pitch in notes(reply))
    assert [event.velocity for event in reply if isinstance(event, NoteOn)] == [45, 20, 35, 50]
    quiet = Desk(SingerModel(), mode="answer", density=0.0)
    play(quiet)
    assert quiet.wait(20.0) == []


def test_a_phrase_that_was_over_before_is_not_replied_to() -> None:
    desk = Desk(SingerModel())
    play(desk)
    desk.wait(10.0)
    desk.change("mode", "answer")
    assert desk.wait(20.0) == []


def test_a_change_of_mode_ends_the_reply() -> None:
    for mode in ("shadow", "mute", "solo"):
        desk = Desk(SingerModel(), mode="answer")
        play(desk)
        assert desk.performer.deadline is not None
        desk.wait(desk.performer.deadline - desk.now + 0.1)
        desk.change("mode", mode)
        assert desk.synth.at_rest


def test_answers_that_sound_when_the_mode_changes_end_with_their_keys() -> None:
    desk = Desk(temperature=0.0)
    desk.down(72)
    assert desk.change("mode", "answer") == []
    assert desk.synth.sounding == {(0, 60)}
    assert desk.up(72) == [NoteOff(0, 60)]


def test_other_models_go_on_with_the_reply_and_know_what_was_played() -> None:
    desk = Desk(SingerModel(), mode="answer", temperature=0.0)
    play(desk)
    assert desk.performer.deadline is not None
    desk.wait(desk.performer.deadline - desk.now + 0.3)
    model = SingerModel(step=-1)
    desk.swap(model)
    assert [pitch for pitch, _ in model.singers[0].followed] == [60, 64, 62, 67]
    assert notes([event for _, event in desk.wait(10.0)]) == [66, 65]
    assert desk.synth.at_rest


def test_a_solo_goes_on_in_the_players_rhythm_until_the_player_plays() -> None:
    desk = Desk(SingerModel(), mode="solo")
    assert desk.wait(60.0) == []
    play(desk)
    desk.wait(60.0)
    desk.change("mode", "mute")
    solo = sounded(desk.sent)
    assert len(solo) > 40
    onsets = [onset for onset, _, _, _ in solo]
    gaps = {round(after - before, 6) for before, after in pairwise(onsets)}
    assert {0.25, 0.5} <= gaps
    assert {velocity for _, _, _, velocity in solo} == {90, 40, 70, 100}


def test_a_player_ends_a_solo_and_is_listened_to() -> None:
    desk = Desk(SingerModel(), mode="solo")
    play(desk)
    desk.wait(10.3)
    desk.down(60)
    assert desk.synth.at_rest
    assert desk.wait(0.3) == []
    desk.up(60)
    assert desk.wait(10.0)


def test_a_solo_begins_at_once_if_the_player_has_played_before() -> None:
    desk = Desk(SingerModel())
    play(desk)
    desk.wait(30.0)
    desk.change("mode", "solo")
    assert desk.performer.deadline == desk.now
    assert sounded(desk.wait(5.0))


def test_a_panic_ends_a_solo_until_the_player_plays() -> None:
    desk = Desk(SingerModel(), mode="solo")
    play(desk)
    desk.wait(10.0)
    desk.panic()
    assert desk.synth.at_rest
    assert desk.wait(60.0) == []
    play(desk)
    assert desk.wait(10.0)


def test_after_a_sleep_of_the_machine_it_goes_on_without_a_burst() -> None:
    desk = Desk(SingerModel(), mode="solo")
    play(desk)
    desk.wait(5.0)
    desk.now += 3600.0
    late = desk.send(desk.performer.advance(desk.now).events)
    assert len(notes(late)) <= 1
    assert desk.performer.deadline is not None
    assert desk.performer.deadline - desk.now < 4.0


def test_a_reply_is_postponed_once_however_much_was_due_meanwhile() -> None:
    desk = Desk(SingerModel(), mode="answer")
    desk.performer.sense(desk.now, promised=True)
    desk.hear(NoteOn(0, 60, 80), 0.0)
    desk.now += 60.0  # the machine sleeps through the loss of the source, and the time for a reply
    desk.send(desk.performer.advance(desk.now).events)
    desk.wait(10.0)
    assert desk.synth.at_rest
    assert desk.performer.ledger.silent


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.001, 0.9 * LATE_SECONDS), min_size=1, max_size=80), st.sampled_from(("answer", "solo")))
def test_what_is_played_does_not_depend_on_when_the_timer_fires(steps: list[float], mode: str) -> None:
    punctual, sloppy = (Desk(SingerModel(), RuleModel(), mode=mode, temperature=2.0) for _ in range(2))
    play(punctual)
    play(sloppy)
    for step in steps:
        punctual.wait(step)
        sloppy.now += step
        sloppy.send(sloppy.performer.advance(sloppy.now).events)
    assert [event for _, event in punctual.sent] == [event for _, event in sloppy.sent]
    assert punctual.performer.deadline == sloppy.performer.deadline
