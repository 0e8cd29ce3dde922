"""Ends of notes are owed to who was gone, and sent again to who may not have been reached."""

from improviser.ports.ends_again import INTERVALS, EndsAgain
from improviser.ports.owed_releases import LATE_SECONDS, OwedReleases

OFF, OTHER = b"\x80\x3c\x40", b"\x80\x40\x40"


def test_ends_are_sent_again_at_growing_intervals_and_then_no_more() -> None:
    ends, now, moments = EndsAgain(), 5.0, []
    ends.add([OFF], now)
    while now < 200:
        if due := ends.due(now):
            assert due == [OFF]
            moments.append(now)
        now += 0.125
    gaps = [after - before for before, after in zip([5.0, *moments], moments, strict=False)]
    assert tuple(gaps) == INTERVALS
    assert list(INTERVALS) == sorted(INTERVALS)


def test_what_is_due_twice_is_sent_once() -> None:
    ends = EndsAgain()
    ends.add([OFF, OTHER], 0.0)
    ends.add([OFF], 0.25)
    ends.add([], 0.0)
    assert ends.due(1.0) == [OFF, OTHER]
    assert ends.due(1.0) == []


def test_what_ended_while_nobody_looked_is_owed_to_who_went_meanwhile() -> None:
    owed = OwedReleases()
    owed.look(set(), ())
    owed.sounded([OFF], 1.0)
    owed.look({"synth"}, ())  # it began, it ended, and the synthesiser is gone
    assert owed.due({"synth"}, []) == {"synth": [OFF]}
    owed.look(set(), ["synth"])
    owed.sounded([OTHER], 1.0 + 2 * LATE_SECONDS)
    owed.look({"synth"}, ())
    assert owed.due({"synth"}, [OTHER]) == {}  # it sounds anew


def test_it_may_be_told_late_that_a_destination_has_gone() -> None:
    """Many looks may follow each other within milliseconds before JACK tells the daemon what others know already."""
    owed = OwedReleases()
    owed.sounded([OFF], 1.0)
    for look in range(20):
        owed.sounded([], 1.0 + look / 1000)
        owed.look(set(), ())
    owed.look({"synth"}, ())
    assert owed.due({"synth"}, []) == {"synth": [OFF]}
    owed.sounded([], 1.0 + 2 * LATE_SECONDS)
    owed.look({"synth", "other"}, ())
    assert owed.due({"synth", "other"}, []) == {}
