"""The voice: a note sounds until the last of its owners lets go."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.output.voice import Voice
from improviser.core.midi.event import NoteOff, NoteOn


def test_a_note_ends_with_its_owner() -> None:
    voice = Voice()
    assert voice.start("key", NoteOn(3, 48, 90)) == NoteOn(3, 48, 90)
    assert list(voice.sounding) == [(3, 48)]
    assert voice.stop("key", 70) == [NoteOff(3, 48, 70)]
    assert list(voice.sounding) == []
    assert voice.stop("key") == []


def test_an_owner_may_hold_several_notes() -> None:
    voice = Voice()
    voice.start("key", NoteOn(0, 48, 90))
    voice.start("key", NoteOn(0, 55, 90))
    assert voice.owners == ("key",)
    assert voice.stop("key") == [NoteOff(0, 48), NoteOff(0, 55)]


def test_a_shared_note_ends_with_the_last_owner() -> None:
    voice = Voice()
    voice.start("one", NoteOn(0, 48, 90))
    voice.start("other", NoteOn(0, 48, 60))
    assert voice.stop("one") == []
    assert voice.stop("other") == [NoteOff(0, 48)]


def test_the_same_pitch_of_another_channel_is_another_note() -> None:
    voice = Voice()
    voice.start("one", NoteOn(0, 48, 90))
    voice.start("other", NoteOn(1, 48, 90))
    assert voice.stop("one") == [NoteOff(0, 48)]


def test_clearing_forgets_everyone() -> None:
    voice = Voice()
    voice.start("key", NoteOn(0, 48, 90))
    voice.clear()
    assert list(voice.owners) == list(voice.sounding) == []
    assert voice.stop("key") == []


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(60, 62)))


@given(STEPS)
def test_what_sounds_is_what_somebody_holds(steps: list[tuple[bool, int, int]]) -> None:
    voice = Voice()
    held: dict[int, list[int]] = {}
    for starts, owner, pitch in steps:
        if starts:
            voice.start(owner, NoteOn(0, pitch, 64))
            held.setdefault(owner, []).append(pitch)
        else:
            before = {pitch for pitches in held.values() for pitch in pitches}
            held.pop(owner, None)
            after = {pitch for pitches in held.values() for pitch in pitches}
            assert {off.pitch for off in voice.stop(owner)} == before - after
        assert {pitch for _, pitch in voice.sounding} == {pitch for pitches in held.values() for pitch in pitches}
        assert set(voice.owners) == set(held)
