"""A computer keyboard as a musical one."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.typed_notes import HELD_SECONDS, NOTE_SECONDS, TypedNotes


def test_a_note_ends_when_the_next_one_starts() -> None:
    notes = TypedNotes()
    assert notes.press("a", 0.0) == [NoteOn(0, 60, 80)]
    assert notes.press("w", 0.3) == [NoteOff(0, 60), NoteOn(0, 61, 80)]
    assert notes.end_seconds == 0.3 + NOTE_SECONDS


def test_a_note_ends_by_itself() -> None:
    notes = TypedNotes()
    notes.press(";", 0.0)
    assert notes.lapse(NOTE_SECONDS - 0.01) == []
    assert notes.lapse(NOTE_SECONDS) == [NoteOff(0, 76)]
    assert notes.end_seconds is None
    assert notes.lapse(99.0) == []


def test_a_key_that_is_held_prolongs_its_note() -> None:
    notes = TypedNotes()
    notes.press("a", 0.0)
    assert notes.press("a", 0.5) == [NoteOff(0, 60), NoteOn(0, 60, 80)], "a finger may have done that"
    assert notes.press("a", 0.53) == []
    assert notes.press("a", 0.56) == []
    assert notes.lapse(0.57) == []
    assert notes.lapse(0.56 + HELD_SECONDS) == [NoteOff(0, 60)]
    assert notes.press("a", 0.56 + HELD_SECONDS + 0.01) == [NoteOn(0, 60, 80)]


def test_octaves_and_loudness_have_ends() -> None:
    notes = TypedNotes()
    assert [notes.press(key, 0.0) for key in "zzzzzzzvvvvvvv"] == [[]] * 14
    assert notes.press("a", 0.0) == [NoteOn(0, 0, 127)]
    for key in "xxxxxxxxxxxxxccccccccccc":
        notes.press(key, 0.0)
    assert notes.press("'", 1.0) == [NoteOff(0, 0), NoteOn(0, 125, 16)]


def test_other_keys_are_somebody_elses() -> None:
    notes = TypedNotes()
    assert [notes.press(key, 0.0) for key in ("m", " ", "up", "q", "é")] == [None] * 5
    assert notes.press("A", 0.0) == [NoteOn(0, 60, 80)], "with the shift key too"


@given(st.lists(st.tuples(st.sampled_from("awsedftgyhujkolp;'zxcvmq"), st.floats(0, 1))))
def test_there_is_never_more_than_one_note_and_it_always_has_an_end(keys: list[tuple[str, float]]) -> None:
    notes, sounding, now = TypedNotes(), [], 0.0
    for key, wait in keys:
        now += wait
        for event in [*notes.lapse(now), *(notes.press(key, now) or [])]:
            if isinstance(event, NoteOn):
                sounding.append(event.pitch)
            else:
                sounding.remove(event.pitch)
        assert len(sounding) <= 1
        assert (notes.end_seconds is None) == (not sounding)
    assert [event.pitch for event in notes.lapse(now + NOTE_SECONDS)] == sounding
