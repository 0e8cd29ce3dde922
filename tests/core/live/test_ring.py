"""Rings: improvisers that hear each other in a circle come to rest; whoever plays fast by themselves is answered."""

from typing import Any

import numpy as np
import pytest

from improviser.core.live.guards.ring import LONGEST_SECONDS, RingGuard
from improviser.core.midi.event import QUESTION, ControlChange, NoteOff, NoteOn, PitchBend
from tests.core.live.connected import ConnectedPerformers
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import RuleModel

STEPS = (3, -5, 4, -9, 2)
"""What each of them makes of a note: none of them sends back what it heard."""


def ring(size: int, latency: float, **parameters: Any) -> ConnectedPerformers:
    models = [RuleModel(lambda pitch, step=step: 24 + (pitch + step) % 72) for step in STEPS[:size]]  # type: ignore[misc]
    cables = [(index, (index + 1) % size) for index in range(size)]
    return ConnectedPerformers(models, cables, latency=latency, jitter=0.2, temperature=0.0, **parameters)


def phrase(group: ConnectedPerformers, start: float, count: int = 16, step: float = 0.25) -> float:
    """Let somebody play to the first performer; return when they have ended."""
    for number in range(count):
        pitch, at = 40 + 5 * number % 47, start + number * step
        group.play(0, NoteOn(0, pitch, 60 + number), at)
        group.play(0, NoteOff(0, pitch), at + 0.8 * step)
    return start + count * step


@pytest.mark.parametrize("latency", [0.0003, 0.0013, 0.005, 0.012, 0.025])
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_a_ring_comes_to_rest_and_the_player_is_answered_on(size: int, latency: float) -> None:
    group = ring(size, latency)
    group.run(phrase(group, 1.0) + 4.0)
    # With some rules a note comes round that is like one of ours: that is known as a loop.
    assert group.noticed
    before = [group.notes(index, group.now - 1.0) for index in range(size)]
    assert before == [0] * size
    start = group.now
    group.run(phrase(group, start, 20, 0.35) + 2.0)
    answered = group.notes(0, start)
    assert 20 <= answered <= 15 * 20  # few times round, where a loop is made out of it
    assert sum(group.notes(index, group.now - 1.0) for index in range(size)) == 0
    assert all(synth.at_rest for synth in group.synths)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_one_note_that_circles_is_enough(size: int) -> None:
    group = ring(size, 0.0013)
    group.play(0, NoteOn(0, 60, 80), 1.0)
    group.play(0, NoteOff(0, 60), 1.5)
    group.run(4.0)
    assert any(outcome.circling for outcome in group.outcomes)
    assert all(synth.at_rest for synth in group.synths)
    assert max(group.heard.values()) < 1500


def test_a_slow_ring_is_found_by_its_not_ending() -> None:
    group = ring(5, 0.025)
    group.play(0, NoteOn(0, 60, 80), 1.0)
    group.play(0, NoteOff(0, 60), 1.5)
    group.run(40.0)
    assert any(outcome.circling for outcome in group.outcomes)
    assert group.notes(0, 35.0) == 0
    assert all(synth.at_rest for synth in group.synths)


@pytest.mark.parametrize("changes", [{"velocity_scale": 0.5}, {"channel": 5}, {"bend": False}])
def test_a_ring_is_found_whatever_it_does_to_the_notes(changes: dict[str, Any]) -> None:
    group = ring(3, 0.0013, **changes)
    group.play(0, NoteOn(0, 60, 80), 1.0)
    group.play(0, NoteOff(0, 60), 1.2)
    group.run(6.0)
    assert any(outcome.circling for outcome in group.outcomes)
    assert sum(group.notes(index, 5.0) for index in range(3)) == 0
    assert all(synth.at_rest for synth in group.synths)


@pytest.mark.parametrize("seconds", [5e-6, 5e-5])
def test_what_grows_into_a_flood_is_asked_about_at_once(seconds: float) -> None:
    guard, asked = RingGuard(), []
    for number in range(1100):
        event = NoteOn(0, number % 128, 80)
        assert not guard.recognises(event, number * seconds)
        guard.sends(event, number * seconds)
        asked += guard.probes(number * seconds, lambda _: 0)
    assert len(asked) == 1


def test_a_ring_that_passes_the_notes_on_as_well_is_found_before_it_bursts() -> None:
    group = ring(2, 0.012, thru=True)
    group.play(0, NoteOn(0, 60, 80), 1.0)
    group.play(0, NoteOff(0, 60), 1.2)
    group.run(6.0)
    assert sum(group.notes(index, 5.0) for index in range(2)) == 0
    assert all(synth.at_rest for synth in group.synths)


def test_once_it_is_cut_all_is_heard_again() -> None:
    group = ring(3, 0.0013)
    group.run(phrase(group, 1.0) + 4.0)
    group._cables.clear()
    start = group.now
    group.run(phrase(group, start, 12) + 1.0)
    assert not group.outcomes[0].circling
    assert group.notes(0, start) == 12


def test_what_was_answered_at_once_and_does_not_come_back_opens_the_ears_too() -> None:
    group = ring(3, 0.0013)
    group.run(phrase(group, 1.0) + 4.0)
    group._cables.clear()
    for number in range(5):
        group.play(0, NoteOn(0, 50 + number, 80), group.now + 0.001 * number)
        group.play(0, NoteOff(0, 50 + number), group.now + 0.3)
    group.run(group.now + 2.0)
    start = group.now
    group.run(phrase(group, start, 4) + 1.0)
    assert not group.outcomes[0].circling
    assert group.notes(0, start) == 4


def test_pedals_and_wheels_come_to_rest_too() -> None:
    group = ring(3, 0.0013)
    group.run(phrase(group, 1.0) + 2.0)
    for number in range(20):
        group.play(0, PitchBend(0, 100 * number), group.now + 0.001 * number)
        group.play(0, ControlChange(0, 64, 127 * (number % 2)), group.now + 0.001 * number)
    group.play(0, PitchBend(0, 0), group.now + 0.03)
    group.play(0, ControlChange(0, 64, 0), group.now + 0.03)
    group.run(group.now + 1.0)
    before = [len(played) for played in group.played]
    group.run(group.now + 1.0)
    assert [len(played) for played in group.played] == before
    assert all(synth.at_rest for synth in group.synths)


def test_a_pedal_that_is_released_is_never_missed() -> None:
    """Also if the ring is cut while the pedal moves, and nothing comes back any more."""
    group = ring(3, 0.0013)
    group.run(phrase(group, 1.0) + 2.0)
    assert group.outcomes[0].circling
    group._cables.clear()
    for number, value in enumerate((127, 0, 127, 0, 127, 127, 0)):
        group.play(0, ControlChange(0, 64, value), group.now + 0.01 * number)
    group.play(0, PitchBend(0, 5), group.now + 0.1)
    group.play(0, PitchBend(0, 0), group.now + 0.11)
    group.run(group.now + 1.0)
    assert group.synths[0].at_rest


def test_without_the_guard_it_goes_round() -> None:
    group = ring(3, 0.0013, guard=False)
    group.play(0, NoteOn(0, 60, 80), 1.0)
    group.run(2.0)
    assert group.notes(0, 1.5) > 50


@pytest.mark.parametrize("rate", [60, 300, 1000, 10_000])
@pytest.mark.parametrize("regular", [True, False])
def test_a_sequencer_that_plays_as_fast_is_answered(rate: int, regular: bool) -> None:
    """Each note once; and what it is asked by is nothing that can be heard."""
    desk, rng = Desk(temperature=0.0), np.random.default_rng(3)
    count = 3000
    sounding: list[int] = []
    answered = 0
    for _ in range(count):
        gap = (1 if regular else float(rng.exponential())) / rate
        pitch = int(rng.integers(30, 100))
        answered += len(notes(desk.down(pitch, int(rng.integers(1, 128)), after=gap / 2)))
        sounding.append(pitch)
        if len(sounding) > 4:
            desk.up(sounding.pop(0), after=gap / 2)
    assert answered == count
    assert not desk.last.circling
    for pitch in sounding:
        desk.up(pitch, after=0.0)
    desk.wait(2 * LONGEST_SECONDS)
    pedal = [event for _, event in desk.sent if isinstance(event, ControlChange)]
    assert all(event.control == QUESTION for event in pedal)
    assert not pedal or pedal[-1].value == 0
    assert len(pedal) <= 2 * (2 + count / rate / 4)
    assert desk.synth.at_rest


def test_two_in_a_row_that_a_machine_floods_are_no_ring() -> None:
    group = ConnectedPerformers(
        [RuleModel(), RuleModel(lambda pitch: pitch + 7)], [(0, 1)], latency=0.0013, temperature=0.0
    )
    for number in range(3000):
        group.play(0, NoteOn(0, 40 + number % 40, 80), 1 + number / 300)
        group.play(0, NoteOff(0, 40 + number % 40), 1.002 + number / 300)
    group.run(12.0)
    assert not any(outcome.circling for outcome in group.outcomes)
    assert group.notes(0) == group.notes(1) == 3000


def test_nobody_who_plays_by_hand_is_asked() -> None:
    desk, rng = Desk(temperature=0.0), np.random.default_rng(5)
    for number in range(120):  # a trill, 16 notes a second
        desk.down(60 + 2 * (number % 2), after=max(0.02, 1 / 16 + float(rng.normal(0, 0.006))) - 0.02)
        desk.up(60 + 2 * (number % 2), after=0.02)
    desk.wait(1.0)
    for _ in range(12):  # chords of ten fingers, three a second
        for pitch in range(40, 70, 3):
            desk.down(pitch, after=0.002)
        for pitch in range(40, 70, 3):
            desk.up(pitch, after=0.03)
    assert not [event for _, event in desk.sent if isinstance(event, ControlChange)]
    assert not desk.last.circling


def test_a_controller_that_is_held_comes_back_to_where_it_was() -> None:
    desk = Desk(temperature=0.0)
    desk.pedal(100, control=QUESTION)
    for number in range(200):
        desk.down(40 + number % 40, after=0.003)
        desk.up(40 + number % 40, after=0.0)
    desk.wait(LONGEST_SECONDS)
    pedal = [event.value for _, event in desk.sent if isinstance(event, ControlChange)]
    assert len(pedal) > 2
    assert pedal[-1] == 100
