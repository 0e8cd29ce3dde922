"""Improvisers that hear each other: what is published is heard again, nothing sticks, nothing goes round in circles."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.codec import decode
from improviser.core.midi.event import ControlChange, NoteOff, NoteOn
from improviser.engine.protocol import Hear
from improviser.remote.ensemble import Ears, missing, published
from tests.jack_peer import held

SEVEN = st.integers(0, 127)
NOTES = st.builds(NoteOn, st.integers(0, 15), SEVEN, st.integers(1, 127)) | st.builds(
    NoteOff, st.integers(0, 15), SEVEN, SEVEN
)


def said(heard: list[Hear]) -> list[object]:
    return [decode(each.message) for each in heard]


def sounding(event: NoteOn | NoteOff, *via: str) -> bytes:
    payload = published(event, 1.0, via)
    assert payload is not None
    return payload


def test_what_one_plays_the_other_hears() -> None:
    ears = Ears("right")
    assert said(ears.hear(sounding(NoteOn(3, 60, 80), "left"), 5.0)) == [NoteOn(3, 60, 80)]
    assert said(ears.hear(sounding(NoteOff(3, 60, 40), "left"), 6.0)) == [NoteOff(3, 60, 40)]


def test_only_notes_are_published() -> None:
    assert published(ControlChange(0, 64, 127), 0.0, ()) is None


def test_a_note_knows_through_whom_it_came() -> None:
    ears = Ears("right")
    (heard,) = ears.hear(sounding(NoteOn(0, 60, 80), "middle", "left"), 5.0)
    assert ears.via(heard.stamp) == ("middle", "left")
    assert ears.via(heard.stamp) == ()
    assert ears.recently(6.0) == ("left", "middle")
    assert ears.recently(60.0) == ()


def test_what_came_from_us_is_ignored() -> None:
    ears = Ears("right")
    assert ears.hear(sounding(NoteOn(0, 60, 80), "right", "left"), 5.0) == []
    assert ears.hear(sounding(NoteOff(0, 60)), 5.5) == []
    assert ears.circles == 1


RELEASES: list[Callable[[Ears], list[Hear]]] = [
    lambda ears: ears.release(9.0),
    lambda ears: ears.hear(missing(3), 9.0),
]


@pytest.mark.parametrize("release", RELEASES, ids=["gone", "missing"])
def test_what_is_held_is_released_when_the_other_is_gone_or_events_are_missing(
    release: Callable[[Ears], list[Hear]],
) -> None:
    ears = Ears("right")
    for pitch in (60, 64):
        ears.hear(sounding(NoteOn(0, pitch, 80), "left"), 5.0)
    assert said(release(ears)) == [NoteOff(0, 60), NoteOff(0, 64)]
    assert release(ears) == []


@given(st.lists(st.tuples(NOTES, st.booleans())))
def test_no_order_of_events_leaves_a_note_held(events: list[tuple[NoteOn | NoteOff, bool]]) -> None:
    ears = Ears("right")
    heard = [each for event, own in events for each in ears.hear(sounding(event, "right" if own else "left"), 1.0)]
    heard += ears.release(2.0)
    assert not held([each.message for each in heard])
    stamps = [each.stamp for each in heard]
    assert stamps == sorted(set(stamps))


@given(st.binary(max_size=300))
def test_random_bytes_are_no_notes(payload: bytes) -> None:
    assert Ears("right").hear(payload, 1.0) == []


@given(st.recursive(st.none() | st.floats() | st.integers() | st.text(max_size=9), st.lists))
def test_fields_that_cannot_be_are_no_notes(value: object) -> None:
    try:
        event = msgspec.json.encode({"type": "note_on", "channel": 0, "pitch": value, "velocity": 300})
    except (msgspec.MsgspecError, OverflowError):
        return
    ears = Ears("right")
    assert ears.hear(event, 1.0) == []
    assert ears.unreadable == 1
