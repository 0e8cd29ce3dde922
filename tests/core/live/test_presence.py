"""A player who is gone: what keys and pedals hold is released, when active sensing ends or a limit is reached."""

import pytest

from improviser.core.live.player.presence import SENSING_SECONDS
from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, PitchBend, Tick
from tests.core.live.desk import Desk, notes


def sense(desk: Desk) -> None:
    desk.performer.sense(desk.now, promised=True)


def test_what_a_source_holds_is_released_once_its_active_sensing_ends() -> None:
    desk = Desk(temperature=0.0, thru=True, check_every_send=True)
    for _ in range(8):
        sense(desk)
        desk.wait(0.25)
    desk.pedal(127)
    desk.hear(PitchBend(3, 99))
    desk.down(60)
    desk.down(62, channel=5)
    for _ in range(40):
        sense(desk)
        assert desk.wait(0.3) == []
    assert desk.synth.keys
    desk.wait(SENSING_SECONDS - 0.3 + 0.01)
    assert desk.synth.at_rest
    assert desk.performer.ledger.silent
    assert desk.up(60) == desk.up(62, channel=5) == []


def test_the_outcome_says_once_that_the_source_is_gone() -> None:
    desk = Desk(temperature=0.0)
    sense(desk)
    desk.down(60)
    found = []
    while (due := desk.performer.deadline) is not None:
        outcome = desk.performer.advance(due)
        found.append((outcome.lost, outcome.events))
        desk.send(outcome.events)
    assert found == [(True, [NoteOff(0, 48)])]
    desk.hear(Tick(), 1.0)
    assert not desk.last.lost
    sense(desk)
    desk.down(60)
    desk.hear(Tick(), SENSING_SECONDS + 1)  # what was due before an event is part of what comes of it
    assert desk.last.lost


def test_a_source_that_never_promised_anything_may_be_silent() -> None:
    desk = Desk(temperature=0.0)
    desk.down(60)
    assert desk.performer.deadline is None
    assert desk.wait(3600.0) == []


def test_whatever_comes_in_counts_as_a_sign_of_life() -> None:
    desk = Desk(temperature=0.0)
    sense(desk)
    desk.down(60)
    for _ in range(20):
        desk.hear(Tick(), 0.2)
        desk.wait(0.4)
    assert desk.synth.keys


def test_one_lost_message_of_active_sensing_ends_nothing() -> None:
    desk = Desk(temperature=0.0)
    desk.down(60)
    for _ in range(10):
        sense(desk)
        desk.wait(0.6)  # of one that comes every 300 ms, every other one
    assert desk.synth.keys


@pytest.mark.parametrize("mode", ["answer", "solo"])
def test_the_phrase_of_a_source_that_is_gone_is_answered(mode: str) -> None:
    desk = Desk(temperature=0.0, mode=mode)
    sense(desk)
    for pitch in (60, 62, 64, 65):
        desk.down(pitch)
        desk.up(pitch)
    desk.down(67)
    assert len(notes([event for _, event in desk.wait(6.0)])) >= 4


def test_a_source_without_active_sensing_that_comes_after_it_is_left_in_peace() -> None:
    desk = Desk(temperature=0.0)
    sense(desk)
    desk.wait(2.0)
    desk.down(60)
    desk.wait(10.0)
    assert desk.synth.keys


def test_a_replay_that_is_told_the_moment_plays_the_same() -> None:
    live, replay = Desk(temperature=0.0, delay=0.4, mode="shadow"), Desk(temperature=0.0, delay=0.4)
    sense(live)
    live.down(60)
    live.wait(SENSING_SECONDS + 0.4 + 1.0)
    assert [type(event) for _, event in live.sent] == [NoteOn, NoteOff]
    replay.down(60)
    replay.wait(SENSING_SECONDS - 0.01)
    replay.now = 0.25 + SENSING_SECONDS
    replay.send(replay.performer.lose(replay.now))
    replay.wait(5.0)
    assert replay.sent == live.sent


def test_a_limit_on_silence_releases_what_the_player_holds() -> None:
    desk = Desk(temperature=0.0, release_after=2.0, check_every_send=True)
    desk.pedal(127)
    desk.down(60)
    assert desk.wait(1.9) == []
    desk.hear(ControlChange(0, 1, 5), 0.0)  # a sign of life
    assert desk.wait(1.9) == []
    for _ in range(4):  # what machines send by themselves is none
        desk.hear(Tick(), 0.02)
        sense(desk)
    desk.wait(0.1)
    assert desk.synth.at_rest
    assert desk.performer.deadline is None
    assert notes(desk.down(62)) == [50]


def test_the_limit_leaves_alone_what_is_not_held() -> None:
    desk = Desk(temperature=0.0, release_after=0.5, mode="answer")
    for pitch in (60, 62, 64, 65):
        desk.down(pitch)
        desk.up(pitch)
    assert len(notes([event for _, event in desk.wait(6.0)])) >= 3
    assert desk.performer.deadline is None
    desk.down(60)
    desk.change("release_after", 0.0)
    assert desk.wait(2.0) == []


def test_the_limit_can_be_set_while_a_note_is_held() -> None:
    desk = Desk(temperature=0.0)
    desk.down(60)
    desk.wait(10.0)
    desk.change("release_after", 5.0)
    desk.wait(0.1)
    assert desk.synth.at_rest
