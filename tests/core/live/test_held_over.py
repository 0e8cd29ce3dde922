"""What is held over ends: also where improvisers hear each other, and hold each other's notes."""

import random

import pytest

from improviser.core.live.answering.held_over import HELD_SECONDS, HeldOver
from improviser.core.live.outcome import Outcome
from improviser.core.live.output.sounding import ANSWER, Sounding
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.library.catalogue import load_model
from tests.core.live.connected import ConnectedPerformers


@pytest.mark.parametrize(
    "models", [["bach-bass"], ["bach-bass", "bach-tenor"], ["bach-melody", "bach-melody"]], ids=" ".join
)
@pytest.mark.parametrize("latency", [0.0013, 0.0213, 0.06])
def test_improvisers_that_hear_each_other_do_not_hold_each_others_notes_for_ever(
    models: list[str], latency: float
) -> None:
    chance = random.Random(5)
    cables = [(0, 0)] if len(models) == 1 else [(0, 1), (1, 0)]
    loop = ConnectedPerformers(map(load_model, models), cables, latency=latency, jitter=0.1, guard=False)
    now = 0.5
    for _ in range(8):
        key = chance.randrange(50, 80)
        loop.play(0, NoteOn(0, key, chance.randrange(40, 110)), now)
        loop.play(0, NoteOff(0, key, 64), now + chance.choice([0.1, 0.35]))
        now += 0.25
        loop.run(now)
    for number, performer in enumerate(loop.performers):
        loop.take(number, Outcome(performer.change("mode", "mute", loop.now)))
    loop.run(now + 3 * HELD_SECONDS)
    assert all(synth.at_rest for synth in loop.synths)


def test_a_key_holds_over_for_a_while_and_what_it_strikes_as_long_as_it_is_down() -> None:
    sounding = Sounding()
    held_over = HeldOver(sounding)
    struck, later = (0, 60), (0, 64)
    sounding.start((ANSWER, *struck), [NoteOn(0, 40, 64)], 1.0)
    held_over.hold(later, (0, 40), 1.5)
    assert sounding.release(*struck, 2.0) == []
    dues = [held_over.due]
    assert held_over.expire(1.5 + HELD_SECONDS) == [NoteOff(0, 40, 64)]
    assert [*dues, held_over.due] == [1.5 + HELD_SECONDS, None]
    sounding.start((ANSWER, *struck), [NoteOn(0, 40, 64)], 8.0)
    held_over.hold(later, (0, 40), 8.5)
    assert held_over.expire(20.0) == []
    assert sounding.release(*struck, 21.0) == [NoteOff(0, 40, 64)]


def test_what_a_key_struck_anew_is_not_taken_from_it() -> None:
    sounding = Sounding()
    held_over = HeldOver(sounding)
    sounding.start((ANSWER, 0, 60), [NoteOn(0, 40, 64)], 1.0)
    held_over.hold((0, 64), (0, 40), 1.5)
    sounding.release(0, 64, 2.0)
    held_over.strike((0, 64))
    sounding.start((ANSWER, 0, 64), [NoteOn(0, 40, 64)], 2.5)
    assert held_over.due is None
    assert held_over.expire(30.0) == []


def test_a_note_that_moves_is_held_over_where_it_goes() -> None:
    sounding = Sounding()
    held_over = HeldOver(sounding)
    sounding.start((ANSWER, 0, 60), [NoteOn(0, 40, 64)], 1.0)
    sounding.start((ANSWER, 0, 64), [NoteOn(0, 43, 64)], 1.0)
    held_over.hold((0, 67), (0, 40), 1.5)
    held_over.move((0, 40), (0, 43))
    sounding.share((ANSWER, 0, 67), 0, 43)
    sounding.release(0, 64, 2.0)
    sounding.release(0, 60, 2.0)
    assert held_over.expire(1.5 + HELD_SECONDS) == [NoteOff(0, 43, 64)]
