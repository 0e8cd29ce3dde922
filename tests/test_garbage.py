"""Garbage on the wire: nothing is raised, and the notes before and after it are answered and end as ever."""

from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.midi.codec import decode, decode_transport, encode
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.midi.stream import MidiStream
from tests.core.live.desk import Desk
from tests.core.midi.test_stream import GARBAGE

ANYTHING = st.one_of(st.binary(max_size=12), st.lists(st.integers(-300, 300), max_size=5))
PITCHES = st.integers(0, 127)


@settings(deadline=None)
@given(ANYTHING)
def test_no_bytes_are_too_odd_to_be_decoded(message: bytes | list[int]) -> None:
    for said in (decode(message), decode_transport(message)):
        assert said is None or all(getattr(said, name) is not None for name in type(said).__slots__)


@settings(deadline=None)
@given(st.lists(ANYTHING))
def test_the_performer_bears_whatever_can_be_decoded(messages: list[bytes | list[int]]) -> None:
    desk = Desk(temperature=0.0)
    for message in messages:
        event = decode_transport(message) or decode(message)
        if event is not None:
            desk.hear(event, 0.01)
    desk.panic()
    assert desk.synth.at_rest
    desk.change("mode", "shadow")
    assert not desk.synth.errors


@settings(deadline=None)
@given(st.lists(st.tuples(GARBAGE, PITCHES, st.integers(1, 127)), min_size=1, max_size=8), st.data())
def test_notes_among_garbage_are_answered_as_without(parts: list[tuple[bytes, int, int]], data: st.DataObject) -> None:
    """Cut-short messages, SysEx without an end, undefined bytes: between any two messages of the notes."""
    clean, dirty = Desk(temperature=0.0), Desk(temperature=0.0)
    stream = MidiStream()
    for garbage, pitch, velocity in parts:
        for event in (NoteOn(0, pitch, velocity), NoteOff(0, pitch)):
            clean.hear(event)
            heard = [decode(message) for message in stream.feed(garbage + encode(event))]
            assert heard == [event]
            dirty.hear(event)
            garbage = data.draw(GARBAGE)  # noqa: PLW2901  another one before the end of the note
    assert dirty.sent == clean.sent
    assert dirty.synth.at_rest


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=10), PITCHES)
def test_after_any_noise_a_note_is_answered_and_ends(noise: list[bytes], pitch: int) -> None:
    desk, stream = Desk(temperature=0.0), MidiStream()
    for piece in noise:
        for message in stream.feed(piece):
            event = decode_transport(message) or decode(message)
            if event is not None:
                desk.hear(event, 0.001)
    desk.panic()
    for name, value in (("mode", "shadow"), ("guard", False)):
        desk.change(name, value)
    stream.feed(b"")
    (on,) = stream.feed(encode(NoteOn(0, pitch, 80)))[-1:]
    event = decode(on)
    assert event == NoteOn(0, pitch, 80)
    assert NoteOn in {type(each) for each in desk.hear(event)}
    assert [type(each) for each in desk.up(pitch)] == [NoteOff]
