"""The ledger: at any instant it names at least all that sounds, whatever is admitted before it is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.output.ledger import SIZE, Ledger
from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn, PitchBend
from tests.core.live.synth import Synth


def send(ledger: Ledger, *events: Event) -> list[Event]:
    """Admit and send events one by one; return what was sent."""
    sent = []
    for event in events:
        for part in ledger.admit(event):
            ledger.sent(part)
            sent.append(part)
    return sent


def test_a_note_is_entered_before_and_struck_out_after_it_is_sent() -> None:
    ledger = Ledger()
    assert ledger.admit(NoteOn(2, 60, 80)) == (NoteOn(2, 60, 80),)
    assert ledger.sounding == [(2, 60)]
    ledger.sent(NoteOn(2, 60, 80))
    assert ledger.admit(NoteOff(2, 60)) == (NoteOff(2, 60),)
    assert ledger.sounding == [(2, 60)]
    ledger.sent(NoteOff(2, 60))
    assert ledger.silent


def test_a_note_that_sounds_is_ended_before_it_starts_anew() -> None:
    ledger = Ledger()
    send(ledger, NoteOn(0, 60, 80))
    assert send(ledger, NoteOn(0, 60, 90)) == [NoteOff(0, 60), NoteOn(0, 60, 90)]
    assert ledger.sounding == [(0, 60)]


def test_a_note_off_of_what_does_not_sound_is_dropped() -> None:
    ledger = Ledger()
    assert ledger.admit(NoteOff(0, 60)) == ()
    send(ledger, NoteOn(0, 60, 80), NoteOff(0, 60))
    assert ledger.admit(NoteOff(0, 60)) == ()


def test_an_end_and_a_new_start_admitted_together_leave_the_note_entered() -> None:
    ledger = Ledger()
    send(ledger, NoteOn(0, 48, 80))
    parts = [part for event in (NoteOff(0, 48), NoteOn(0, 48, 80)) for part in ledger.admit(event)]
    assert parts == [NoteOff(0, 48), NoteOn(0, 48, 80)]
    for part in parts:
        ledger.sent(part)
    assert ledger.sounding == [(0, 48)]
    assert ledger.admit(NoteOff(0, 48)) == (NoteOff(0, 48),)


def test_pedals_and_bends_are_entered_until_they_are_back() -> None:
    ledger = Ledger()
    send(ledger, ControlChange(1, 64, 30), ControlChange(2, 66, 127), PitchBend(3, -1), ControlChange(4, 67, 127))
    assert ledger.releases() == (
        ControlChange(1, 64, 0),
        ControlChange(2, 66, 0),
        PitchBend(3, 0),
        *(ControlChange(channel, 123, 0) for channel in (1, 2, 3, 4)),
    )
    send(ledger, ControlChange(1, 64, 0), ControlChange(2, 66, 0), PitchBend(3, 0))
    assert ledger.silent


def test_silence_forgets_what_never_left() -> None:
    ledger = Ledger()
    ledger.admit(NoteOn(0, 60, 80))
    for event in ledger.silence():
        ledger.sent(event)
    assert ledger.silent
    assert ledger.admit(NoteOn(0, 60, 80)) == (NoteOn(0, 60, 80),)


def test_another_ledger_goes_on_from_the_same_buffer() -> None:
    buffer = bytearray(SIZE)
    send(Ledger(buffer), NoteOn(0, 60, 80), ControlChange(0, 64, 127))
    other = Ledger(buffer)
    assert other.sounding == [(0, 60)]
    assert other.admit(NoteOff(0, 60)) == (NoteOff(0, 60),)
    other.clear()
    assert other.silent
    other.close()
    buffer.clear()


def test_a_buffer_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="a ledger needs"):
        Ledger(bytearray(SIZE - 1))


channels, pitches = st.integers(0, 2), st.integers(60, 63)
EVENTS = st.one_of(
    st.builds(NoteOn, channels, pitches, st.integers(1, 127)),
    st.builds(NoteOff, channels, pitches),
    st.builds(ControlChange, channels, st.sampled_from((64, 66, 67, 1)), st.integers(0, 127)),
    st.builds(PitchBend, channels, st.integers(-8192, 8191)),
)


@given(st.lists(st.lists(EVENTS, max_size=6), max_size=12), st.data())
def test_whoever_outlives_the_sender_can_end_all_that_sounds(batches: list[list[Event]], data: st.DataObject) -> None:
    """Several messages are admitted before the first is sent; the sender dies anywhere, also before it says so."""
    ledger, synth = Ledger(), Synth()
    for batch in batches:
        parts = [part for event in batch for part in ledger.admit(event)]
        dies_at = data.draw(st.none() | st.integers(0, len(parts)), "dies at")
        for number, part in enumerate(parts):
            synth.take([part])
            if number == dies_at:
                break
            ledger.sent(part)
        if dies_at is not None:
            break
    assert synth.sounding <= {*ledger.sounding} | synth.kept
    survivor = Ledger(bytearray(ledger.snapshot()))
    assert not synth.errors
    synth.take(survivor.releases())
    assert synth.at_rest


def test_what_started_and_ended_between_two_looks_is_told_once() -> None:
    ledger = Ledger()
    other = Ledger(ledger._facts)  # the daemon's, on the same memory
    assert other.take_lately() == ()
    send(ledger, NoteOn(2, 60, 80), NoteOff(2, 60), PitchBend(2, 9), PitchBend(2, 0), ControlChange(3, 64, 127))
    ends = (NoteOff(2, 60), ControlChange(3, 64, 0), PitchBend(2, 0))
    all_off = (ControlChange(2, 123, 0), ControlChange(3, 123, 0))
    assert set(other.take_lately()) == {*ends, *all_off}
    assert set(other.take_lately()) == {ControlChange(3, 64, 0), *all_off}
    send(ledger, ControlChange(3, 64, 0))
    assert other.take_lately() == ()


def test_a_note_that_is_sent_ahead_counts_as_started_lately() -> None:
    ledger = Ledger()
    ledger.expect(NoteOn(0, 60, 80))
    assert NoteOff(0, 60) in ledger.take_lately()
