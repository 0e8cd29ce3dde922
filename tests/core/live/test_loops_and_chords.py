"""A loop is recognised as soon where chords are answered as where every note is, and never holds a note of ours."""

import random

import pytest

from improviser.core.midi.event import NoteOff, NoteOn
from improviser.library.catalogue import load_model
from tests.core.live.connected import ConnectedPerformers


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
