"""What has surely arrived: ends that may be lost are sent again, and the ledger names what may sound until then."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.output.delivery import AGAIN_SECONDS, SAME_PERIOD_SECONDS, SETTLING_SECONDS, TRIES, Delivery
from improviser.core.live.output.ledger import Ledger
from improviser.core.midi.event import SUSTAIN, ControlChange, Event, NoteOff, NoteOn, PitchBend

ON, OFF = NoteOn(0, 60, 80), NoteOff(0, 60)


def delivery() -> Delivery:
    return Delivery(Ledger())


def play(following: Delivery, now: float, *events: Event) -> None:
    for event in events:
        following.sends(event)
    following.leaves(len(events), now)


def test_an_end_is_struck_out_once_it_has_surely_arrived_and_not_before() -> None:
    following = delivery()
    play(following, 0.0, ON)
    play(following, 1.0, OFF)
    assert following.settle(1.0 + SETTLING_SECONDS / 2) == []
    assert following.ledger.sounding == [(0, 60)]
    assert following.settle(1.0 + SETTLING_SECONDS + 0.01) == []
    assert following.ledger.silent


def test_what_has_not_left_is_not_delivered_however_late_it_is() -> None:
    following = delivery()
    play(following, 0.0, ON)
    following.sends(OFF)
    assert following.settle(100.0) == []
    assert following.waiting
    assert not following.ledger.silent


def test_an_end_in_doubt_is_sent_again_until_a_period_passes_without_one() -> None:
    following = delivery()
    play(following, 0.0, ON)
    following.settle(0.5)
    play(following, 1.0, OFF)
    following.doubts(1.0)
    assert following.settle(1.0 + AGAIN_SECONDS + 0.01) == [OFF]
    following.leaves(1, 1.1)
    following.doubts(1.1)
    assert following.settle(1.1 + AGAIN_SECONDS + 0.01) == [OFF]
    following.leaves(1, 1.2)
    assert not following.ledger.silent
    assert following.settle(1.2 + SETTLING_SECONDS + 0.01) == []
    assert following.ledger.silent


def test_a_doubt_concerns_only_what_had_left_by_then() -> None:
    following = delivery()
    play(following, 0.0, ON)
    play(following, 1.0, OFF)
    following.doubts(1.0 - 2 * SAME_PERIOD_SECONDS)
    assert following.settle(1.0 + SETTLING_SECONDS + 0.01) == []
    assert following.ledger.silent


def test_a_start_is_never_sent_again_and_stays_in_the_ledger() -> None:
    following = delivery()
    play(following, 1.0, ON)
    following.doubts(1.0)
    assert following.settle(2.0) == []
    assert following.ledger.sounding == [(0, 60)]


def test_an_end_is_not_sent_again_once_its_note_has_started_anew() -> None:
    following = delivery()
    play(following, 0.0, ON)
    following.settle(0.5)
    play(following, 1.0, OFF, NoteOn(0, 60, 90))
    following.doubts(1.0)
    assert following.settle(2.0) == []
    assert following.ledger.sounding == [(0, 60)]


def test_pedals_and_bends_at_rest_are_ends_as_well() -> None:
    pairs: list[tuple[Event, Event]] = [
        (ControlChange(3, SUSTAIN, 127), ControlChange(3, SUSTAIN, 0)),
        (PitchBend(3, 500), PitchBend(3, 0)),
    ]
    for start, end in pairs:
        following = delivery()
        play(following, 0.0, start)
        following.settle(0.5)
        play(following, 1.0, end)
        following.doubts(1.0)
        assert following.settle(2.0) == [end]
        assert not following.ledger.silent


def test_where_every_period_is_lost_it_ends_at_last() -> None:
    following = delivery()
    play(following, 0.0, ON)
    following.settle(0.5)
    following.sends(OFF)
    now, sent = 1.0, 1
    while following.waiting:
        following.leaves(1, now)
        following.doubts(now)
        now += SETTLING_SECONDS + 0.01
        sent += len(following.settle(now))
    assert sent == TRIES
    assert following.ledger.silent


@given(st.lists(st.tuples(st.integers(60, 63), st.booleans(), st.booleans()), max_size=40))
def test_a_listener_that_loses_what_is_doubted_hears_every_end_at_last(
    steps: list[tuple[int, bool, bool]],
) -> None:
    """Whatever is lost with a doubt: when all has settled, what sounds at the listener is what was not ended."""
    following, now = delivery(), 0.0
    wanted: set[int] = set()
    sounding: set[int] = set()

    def arrive(events: list[Event], *, lost: bool) -> None:
        following.leaves(len(events), now)
        if lost:
            following.doubts(now)
            return
        for event in events:
            if isinstance(event, NoteOn):
                sounding.add(event.pitch)
            elif isinstance(event, NoteOff):
                sounding.discard(event.pitch)

    for pitch, starts, lost in steps:
        event = NoteOn(0, pitch, 64) if starts else NoteOff(0, pitch)
        (wanted.add if starts else wanted.discard)(pitch)
        following.sends(event)
        arrive([event], lost=lost)
        now += 0.3
        while again := following.settle(now):
            arrive(again, lost=False)
            now += 0.3
        assert sounding <= {pitch for _, pitch in following.ledger.sounding}
    now += SETTLING_SECONDS + 0.01
    following.settle(now)
    assert sounding <= wanted
    assert {pitch for _, pitch in following.ledger.sounding} == wanted
