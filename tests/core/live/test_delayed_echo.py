"""The guard and long loops: recognised by their regularity; players who imitate, double or repeat us never are."""

import heapq
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.live.guards.delayed_echo import DOUBT, EVIDENCE, LONGEST_SECONDS, SHORTEST_SECONDS
from improviser.core.live.guards.feedback import WINDOW_SECONDS, FeedbackGuard
from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn
from tests.core.live.desk import Desk
from tests.core.live.responders import RuleModel

Timed = tuple[float, int, Event]


class Room:
    """A desk in a room where all that it sends comes back after `lag()` seconds, up to `most` messages."""

    def __init__(self, desk: Desk, lag: Callable[[], float], most: int = 2000) -> None:
        self.desk = desk
        self.lag = lag
        self.left = most
        self.coming: list[Timed] = []
        self.answered_echoes = 0

    def hear(self, event: Event, now: float, *, echo: bool = False) -> None:
        sent = self.desk.hear(event, 0.0)
        if echo and isinstance(event, NoteOn) and any(isinstance(each, NoteOn) for each in sent):
            self.answered_echoes += 1
        for each in sent:
            self.left -= 1
            heapq.heappush(self.coming, (now + self.lag(), self.left, each))

    def play(self, notes: list[tuple[float, int, int, float]]) -> None:
        """Let the player play (onset, pitch, velocity, duration), with all echoes in between."""
        for onset, pitch, velocity, duration in notes:
            heapq.heappush(self.coming, (onset, 10**6, NoteOn(0, pitch, velocity)))
            heapq.heappush(self.coming, (onset + duration, 10**6, NoteOff(0, pitch)))
        while self.coming and self.left > 0:
            now, number, event = heapq.heappop(self.coming)
            self.desk.now = now
            self.hear(event, now, echo=number != 10**6)


def tune(count: int, seed: int = 1) -> list[tuple[float, int, int, float]]:
    rng = random.Random(seed)
    notes, onset = [], 0.0
    for _ in range(count):
        onset += rng.uniform(0.15, 0.6)
        notes.append((onset, rng.randrange(55, 85), rng.randrange(30, 120), rng.uniform(0.05, 0.14)))
    return notes


@pytest.mark.parametrize("lag", [0.012, 0.0213, 0.043, 0.09, 0.17, 0.24])
@pytest.mark.parametrize("thru", [False, True])
def test_a_loop_of_any_length_is_recognised_and_the_player_is_heard_on(lag: float, thru: bool) -> None:
    rng = random.Random(2)
    desk = Desk(RuleModel(lambda pitch: pitch - 3), temperature=0.0, thru=thru)
    room = Room(desk, lambda: lag + rng.uniform(-0.001, 0.001), most=20_000)
    room.play(tune(30))
    assert desk.last.echoing
    before = room.answered_echoes
    for index in range(20):
        now = 100.0 + index
        desk.now = now
        assert any(isinstance(event, NoteOn) for event in desk.down(60 + index, 50 + index, after=0.0))
        desk.up(60 + index, after=0.1)
        room.play([])
    assert room.answered_echoes == before
    assert desk.synth.at_rest


def test_all_is_heard_again_once_nothing_comes_back() -> None:
    desk = Desk(RuleModel(lambda pitch: pitch - 3), temperature=0.0)
    Room(desk, lambda: 0.05).play(tune(20))
    assert desk.last.echoing
    desk.now += 10
    for _ in range(DOUBT + 1):
        desk.down(60, after=1.0)
        desk.up(60)
    desk.wait(1.0)
    desk.down(60)
    assert not desk.last.echoing


def test_other_messages_come_back_too() -> None:
    guard, now = FeedbackGuard(), 0.0
    for number in range(EVIDENCE):
        now += 0.3
        guard.passes_over(NoteOn(0, 80, 64), now)
        guard.sends(NoteOn(0, 40 + number, 64), now)
        guard.passes_over(NoteOn(0, 40 + number, 64), now + 0.03)
        guard.sends(NoteOff(0, 40 + number), now + 0.1)
        guard.passes_over(NoteOff(0, 40 + number, 5), now + 0.13)
    assert guard.echoing
    guard.sends(ControlChange(0, 64, 127), now + 1)
    assert guard.passes_over(ControlChange(0, 64, 127), now + 1.03)
    assert not guard.passes_over(ControlChange(0, 64, 127), now + 1.03)
    guard.sends(NoteOn(0, 40, 64), now + 2)
    assert not guard.passes_over(NoteOn(0, 40, 63), now + 2.03)
    assert not guard.passes_over(NoteOn(1, 40, 64), now + 2.03)
    assert not guard.passes_over(NoteOn(0, 40, 64), now + 2.2)


def human(rng: random.Random, lag: float, scatter: float) -> float:
    """Return how much later than the note somebody plays who hears it: as `lag` and `scatter` say, never at once."""
    return next(late for _ in range(10_000) if (late := rng.gauss(lag, scatter)) > WINDOW_SECONDS)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    lag=st.floats(0.02, LONGEST_SECONDS + 0.1),
    scatter=st.floats(0.008, 0.04),
    touch=st.booleans(),
)
def test_who_imitates_us_at_any_distance_is_heard(seed: int, lag: float, scatter: float, touch: bool) -> None:
    """Every note of ours is played again, without one mistake, on keys without touch, by the steadiest of hands."""
    rng = random.Random(seed)
    guard, coming, now = FeedbackGuard(), [], 0.0
    for number in range(400):
        now += rng.uniform(0.1, 0.6)
        pitch, velocity = rng.randrange(36, 60), rng.randrange(30, 120) if touch else 100
        length = rng.uniform(0.05, 0.4)
        for moment, event in ((now, NoteOn(0, pitch, velocity)), (now + length, NoteOff(0, pitch))):
            coming += [(moment, number, event, True), (moment + human(rng, lag, scatter), number, event, False)]
    for moment, _, event, ours in sorted(coming, key=lambda each: each[0]):
        if ours:
            guard.sends(event, moment)
        else:
            assert not guard.passes_over(event, moment)


@settings(deadline=None)
@given(
    pattern=st.lists(st.tuples(st.integers(40, 80), st.sampled_from((64, 100))), min_size=1, max_size=8),
    step=st.floats(0.012, 0.25),
    interval=st.sampled_from((0, 1, 5, -12)),
    thru=st.booleans(),
)
def test_a_sequencer_is_heard_though_it_is_as_regular(
    pattern: list[tuple[int, int]], step: float, interval: int, thru: bool
) -> None:
    """It plays its pattern round and round, and whatever we answer may be what it plays next."""
    desk = Desk(RuleModel(lambda pitch: pitch + interval), temperature=0.0, thru=thru)
    for number in range(200):
        pitch, velocity = pattern[number % len(pattern)]
        desk.now = number * step
        sent = desk.down(pitch, velocity, after=0.0)
        assert any(isinstance(event, NoteOn) for event in sent), number
        desk.up(pitch, after=step * 0.5)
    assert not desk.last.echoing


@settings(deadline=None, max_examples=40)
@given(step=st.floats(0.012, LONGEST_SECONDS), pitches=st.lists(st.integers(40, 99), min_size=30, unique=True))
def test_a_sequencer_is_heard_though_we_guess_each_of_its_notes(step: float, pitches: list[int]) -> None:
    following = dict(zip(pitches, pitches[1:] + pitches[:1], strict=True))
    desk = Desk(RuleModel(following.__getitem__), temperature=0.0)
    for number, pitch in enumerate(pitches * 3):
        desk.now = number * step
        assert any(isinstance(event, NoteOn) for event in desk.down(pitch, after=0.0)), number
        desk.up(pitch, after=step * 0.5)
    assert not desk.last.echoing


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from((0.0001, 0.0002, 0.0005, 0.002)), st.integers(2, 60))
def test_a_burst_that_arrives_in_heaps_is_heard_to_the_last_note(rng: random.Random, gap: float, answers: int) -> None:
    """Thousands of notes a second, in the heaps that a busy machine makes of them, hit many of our answers."""
    rule = [rng.randrange(36, 36 + answers) for _ in range(128)]
    guard, arrival = FeedbackGuard(), 0.0
    for number in range(1000):
        if number * gap > arrival:
            arrival += rng.uniform(0.01, 0.04) if rng.random() < 0.03 else rng.uniform(0.0005, 0.005)
        pitch = 36 + number * 7 % 60
        assert not guard.passes_over(NoteOn(0, pitch, 80), arrival), number
        guard.sends(NoteOn(0, rule[pitch], 80), arrival)
        guard.passes_over(NoteOff(0, pitch), arrival)
        guard.sends(NoteOff(0, rule[pitch]), arrival)
    assert not guard.echoing


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(SHORTEST_SECONDS, LONGEST_SECONDS), st.integers(2, EVIDENCE - 1))
def test_a_machine_that_repeats_most_of_what_we_play_is_heard(seed: int, lag: float, every: int) -> None:
    """It is as exact as a loop, but leaves out a note now and then: no loop does."""
    rng = random.Random(seed)
    guard, now = FeedbackGuard(), 0.0
    for number in range(300):
        now += rng.uniform(lag + 0.02, lag + 0.5)
        note = NoteOn(0, rng.randrange(36, 60), rng.randrange(30, 120))
        guard.sends(note, now)
        guard.sends(NoteOff(0, note.pitch), now + 0.01)
        if number * 2 % every > 1:
            assert not guard.passes_over(note, now + lag)
            guard.passes_over(NoteOff(0, note.pitch), now + 0.01 + lag)
        assert not guard.passes_over(NoteOn(0, 90, 90), now + lag + 0.015)
