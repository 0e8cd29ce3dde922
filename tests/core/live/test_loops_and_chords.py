"""A loop is recognised as soon where chords are answered as where every note is, and never holds a note of ours."""

import random

import pytest

from improviser.core.live.answering.held_over import HELD_SECONDS
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.library.catalogue import load_model
from tests.core.live.connected import ConnectedPerformers
from tests.core.live.desk import Desk
from tests.core.live.responders import RuleModel
from tests.core.live.test_delayed_echo import Room, tune


@pytest.mark.parametrize("latency", [0.0015, 0.02, 0.06])
@pytest.mark.parametrize("hands", [1, 2])
def test_a_loop_is_recognised_within_a_few_notes(hands: int, latency: float) -> None:
    chance = random.Random(1)
    loop = ConnectedPerformers([load_model("bach-bass")], [(0, 0)], latency=latency, jitter=0.02)
    now = 0.5
    for _ in range(8):
        low = chance.randrange(40, 52)
        keys = [chance.randrange(60, 80), low, low + 4, low + 7][: 1 if hands == 1 else 4]
        velocity = chance.randrange(40, 110)
        for key in keys:
            loop.play(0, NoteOn(0, key, velocity), now + chance.random() * 0.01)
            loop.play(0, NoteOff(0, key, 64), now + 0.2 + chance.random() * 0.01)
        now += 0.3
        loop.run(now)
    assert loop.noticed
    loop.run(now + 4.0)
    assert loop.synths[0].at_rest


def test_our_own_note_does_not_hold_itself() -> None:
    loop = ConnectedPerformers([load_model("bach-bass")], [(0, 0)], latency=0.03, guard=False, density=1.0)
    for number, key in enumerate((72, 48, 52, 55)):
        loop.play(0, NoteOn(0, key, 70 + number), 0.5)
        loop.play(0, NoteOff(0, key, 64), 0.9)
    loop.run(0.8)
    for performer in loop.performers:
        performer.change("mode", "mute", 0.8)
    loop.run(3.0)
    assert loop.synths[0].at_rest


@pytest.mark.parametrize(
    ("models", "latency", "thru"),
    [
        (("bach-chorale", "bach-bass"), 0.0015, False),
        (("bach-bass", "bach-tenor"), 0.02, False),
        (("bach-bass", "bach-bass"), 0.3, True),
        (("bach-bass", "bach-melody"), 0.47, True),
    ],
)
def test_two_that_hear_each_other_come_to_rest(models: tuple[str, ...], latency: float, thru: bool) -> None:
    circle = ConnectedPerformers(map(load_model, models), [(0, 1), (1, 0)], latency=latency, jitter=0.1, thru=thru)
    for number, key in enumerate((72, 76, 79, 77, 74, 72)):
        circle.play(0, NoteOn(0, key, 80), 0.5 + 0.4 * number)
        circle.play(0, NoteOff(0, key, 64), 0.8 + 0.4 * number)
    circle.run(25.0)
    assert [circle.notes(index, since=20.0) for index in range(2)] == [0, 0]
    assert all(synth.at_rest for synth in circle.synths)


@pytest.mark.parametrize("model", ["bach-bass", "bach-tenor"])
@pytest.mark.parametrize("thru", [False, True])
@pytest.mark.parametrize("lag", [0.0015, 0.0213, 0.09, 0.24])
def test_a_harmony_model_that_hears_itself_notices_and_nothing_sounds_on(model: str, thru: bool, lag: float) -> None:
    rng = random.Random(2)
    desk = Desk(load_model(model), thru=thru)
    room = Room(desk, lambda: lag + rng.uniform(-0.001, 0.001))
    room.play(tune(20))
    assert desk.last.echoing
    before = room.answered_echoes
    for index in range(12):
        desk.now = 100.0 + index
        assert any(isinstance(event, NoteOn) for event in desk.down(60 + index, 50 + index, after=0.0))
        desk.up(60 + index, after=0.1)
        room.play([])
    assert room.answered_echoes == before
    desk.wait(HELD_SECONDS)
    assert desk.synth.at_rest


def test_a_key_that_may_be_a_note_of_ours_come_back_holds_its_answer_for_a_while_only() -> None:
    desk = Desk(RuleModel(lambda pitch: pitch - 12), temperature=0.0)
    desk.down(72, 80)
    desk.down(60, 80, after=0.02)  # the very message that we sent
    assert desk.synth.sounding == {(0, 60), (0, 48)}
    desk.wait(HELD_SECONDS - 0.1)
    assert desk.synth.sounding == {(0, 60), (0, 48)}
    desk.wait(0.2)
    assert desk.synth.sounding == {(0, 60)}
    desk.wait(60.0)
    assert desk.synth.sounding == {(0, 60)}
    desk.up(60)  # a player's would be no harm
    desk.down(60, 70)
    desk.wait(60.0)
    assert desk.synth.sounding == {(0, 60), (0, 48)}
