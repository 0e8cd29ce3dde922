"""The guard against hearing ourselves: loops are recognised, players never."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.guards.feedback import EVIDENCE, WINDOW_SECONDS, FeedbackGuard
from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn
from tests.core.live.desk import Desk, notes

LOOP_SECONDS = 0.003


def echo(desk: Desk, sent: list[Event], budget: int = 200) -> int:
    """Bring everything that is sent back in, and what is sent to that; return how many messages came back."""
    returned = 0
    queue = list(sent)
    while queue and returned < budget:
        returned += 1
        queue += desk.hear(queue.pop(0), LOOP_SECONDS / 4)
    return returned


def test_a_loop_is_recognised_and_the_player_is_heard_on() -> None:
    desk = Desk(temperature=0.0)
    for number in range(40):
        key = 60 + number % 12
        answer = desk.down(key, 50 + number)
        assert key - 12 in notes(answer)
        assert echo(desk, answer) < 100
        assert echo(desk, desk.up(key)) < 100
    assert desk.last.echoing
    assert len(notes(desk.down(60, 99))) == 1
    desk.up(60)
    assert desk.synth.at_rest


def test_pedals_do_not_go_round_in_a_loop() -> None:
    desk = Desk(temperature=0.0)
    for number in range(20):
        echo(desk, desk.down(60, 50 + number))
        echo(desk, desk.up(60))
    assert echo(desk, [*desk.pedal(127), *desk.hear(ControlChange(0, 64, 0), 0.001)]) < 10
    assert desk.synth.at_rest


def test_without_the_guard_all_is_heard() -> None:
    desk = Desk(temperature=0.0, guard=False)
    assert echo(desk, desk.down(120), budget=8) == 8


def test_all_is_heard_again_once_nothing_comes_back() -> None:
    desk = Desk(temperature=0.0)
    for number in range(20):
        echo(desk, desk.down(60, 50 + number))
        echo(desk, desk.up(60))
    for _ in range(4):
        desk.down(60)
        desk.up(60)
    desk.down(60)
    assert not desk.last.echoing


@given(
    st.lists(
        st.tuples(st.integers(0, 127), st.integers(1, 127), st.floats(1.2 * WINDOW_SECONDS, 0.5)),
        min_size=20,
        max_size=60,
    )
)
def test_who_imitates_us_is_heard(imitated: list[tuple[int, int, float]]) -> None:
    """Every note of ours is played again on its channel and with its velocity, but as late as a player would."""
    guard, now = FeedbackGuard(), 0.0
    for pitch, velocity, delay in imitated:
        guard.sends(NoteOn(0, pitch, velocity), now)
        now += delay
        assert not guard.passes_over(NoteOn(0, pitch, velocity), now)


@given(st.lists(st.integers(0, 127), min_size=20, max_size=60), st.floats(0.0, WINDOW_SECONDS))
def test_who_doubles_us_at_the_same_instant_with_a_touch_of_their_own_is_heard(
    pitches: list[int], delay: float
) -> None:
    guard, now = FeedbackGuard(), 0.0
    for number, pitch in enumerate(pitches):
        now += 0.2
        guard.sends(NoteOn(0, pitch, 80), now)
        touch = 80 if number % (EVIDENCE // 2) else 81
        assert not guard.passes_over(NoteOn(0, pitch, touch), now + delay)


def test_who_doubles_most_of_our_notes_exactly_is_heard() -> None:
    guard, now = FeedbackGuard(), 0.0
    for number in range(500):
        now += 0.2
        guard.sends(NoteOn(0, 48, 64), now)
        if number % (EVIDENCE - 1):
            assert not guard.passes_over(NoteOn(0, 48, 64), now + 0.001)


def test_in_a_loop_other_notes_than_ours_are_heard() -> None:
    guard, now = FeedbackGuard(), 0.0
    for _ in range(2 * EVIDENCE):
        now += 0.1
        guard.sends(NoteOn(0, 48, 64), now)
        guard.passes_over(NoteOn(0, 48, 64), now + 0.002)
    assert guard.echoing
    guard.sends(NoteOn(0, 48, 64), now)
    assert not guard.passes_over(NoteOn(0, 48, 65), now + 0.002)
    assert not guard.passes_over(NoteOn(1, 48, 64), now + 0.002)
    assert not guard.passes_over(NoteOn(0, 49, 64), now + 0.002)
    assert guard.passes_over(NoteOn(0, 48, 64), now + 0.002)
    assert not guard.passes_over(NoteOff(0, 48), now + 0.002)


PITCHES = st.sampled_from((60, 62, 64))
EVENTS = st.one_of(
    st.builds(NoteOn, st.just(0), PITCHES, st.just(80)),
    st.builds(NoteOff, st.just(0), PITCHES),
    st.builds(ControlChange, st.just(0), st.just(1), st.sampled_from((0, 1))),
)
MOVES = st.tuples(st.booleans(), EVENTS, st.sampled_from((0.001, 0.003, 0.1)))


@given(st.integers(0, EVIDENCE + 2), st.lists(MOVES, max_size=60))
def test_what_is_not_suspected_is_heard(loops: int, moves: list[tuple[bool, Event, float]]) -> None:
    """So the guard may look at it after the answer has left."""
    guard, now = FeedbackGuard(), 0.0
    loop = [(ours, NoteOn(0, 60 + number, 80), 0.003) for number in range(loops) for ours in (True, False)]
    for ours, event, gap in [*loop, *moves]:
        now += gap
        if ours:
            guard.sends(event, now)
        else:
            suspected = guard.suspects(event)
            assert not guard.passes_over(event, now) or suspected
