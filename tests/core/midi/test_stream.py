"""The wire: whatever comes in between, complete messages come out whole, in order, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.stream import MidiStream, is_message, length_of

DATA = st.integers(0, 0x7F)
REAL_TIME = st.sampled_from([bytes((status,)) for status in (0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF)])
UNDEFINED = st.sampled_from([b"\xf4", b"\xf5", b"\xf9", b"\xfd"])
STATUSES = [status for status in range(0x80, 0x100) if length_of(status)]


@st.composite
def complete(draw: st.DrawFn) -> bytes:
    """A message that is whole and defined, real-time ones included."""
    status = draw(st.sampled_from(STATUSES))
    return bytes([status, *(draw(DATA) for _ in range((length_of(status) or 1) - 1))])


@st.composite
def cut_short(draw: st.DrawFn) -> bytes:
    """A message that lacks its end; the status that comes next tells."""
    message = draw(complete().filter(lambda whole: len(whole) > 1))
    return message[: draw(st.integers(1, len(message) - 1))]


@st.composite
def sysex(draw: st.DrawFn) -> bytes:
    """SysEx with or without its end, and real-time messages that nobody defined in it."""
    inside = draw(st.lists(st.one_of(DATA.map(lambda byte: bytes((byte,))), st.sampled_from([b"\xf9", b"\xfd"]))))
    return b"\xf0" + b"".join(inside) + draw(st.sampled_from([b"", b"\xf7"]))


NOT_REAL_TIME = complete().filter(lambda message: message[0] < 0xF8)
GARBAGE = st.one_of(cut_short(), sysex(), UNDEFINED, st.just(b"\xf7"))


def test_messages_come_out_whole_however_they_are_cut_into_pieces() -> None:
    stream = MidiStream()
    assert stream.feed(b"\x90\x3c") == []
    assert stream.feed(b"") == []
    assert stream.feed(b"\x40\x3d\x41") == [b"\x90\x3c\x40", b"\x90\x3d\x41"]
    assert stream.feed([0x3E]) == []
    assert stream.feed([0x00, 0xC3]) == [b"\x90\x3e\x00"]
    assert stream.feed(b"\x07\x08") == [b"\xc3\x07", b"\xc3\x08"]


def test_real_time_messages_pass_in_the_middle_of_others() -> None:
    assert MidiStream().feed(b"\x90\xf8\x3c\xfe\x40\xfa\x3d\xf9\x41") == [
        *(b"\xf8", b"\xfe", b"\x90\x3c\x40", b"\xfa", b"\x90\x3d\x41"),
    ]


@pytest.mark.parametrize("end", [b"\x80\x3c\x00", b"\xf2\x10\x00", b"\xf6", b"\xc0\x01"], ids=bytes.hex)
def test_any_status_but_a_real_time_one_ends_a_sysex(end: bytes) -> None:
    assert MidiStream().feed(b"\xf0\x7e\x00\xf8\x06" + end) == [b"\xf8", end]


@pytest.mark.parametrize("between", [b"\xf0\x01\xf7", b"\xf1\x05", b"\xf2\x05\x06", b"\xf6", b"\xf4", b"\xf7"])
def test_system_messages_end_the_running_status(between: bytes) -> None:
    messages = MidiStream().feed(b"\x90\x3c\x40" + between + b"\x3c\x00\x3c\x00\x80\x3c\x40")
    assert [message for message in messages if message[0] < 0xF0] == [b"\x90\x3c\x40", b"\x80\x3c\x40"]


def test_a_sysex_of_any_length_is_kept_nowhere() -> None:
    stream = MidiStream()
    for _ in range(1000):
        assert stream.feed(b"\xf0" + bytes(10_000)) == []
    assert len(stream._message) == 0
    assert stream.feed(b"\xf7\x90\x3c\x40") == [b"\x90\x3c\x40"]


@given(st.lists(st.tuples(GARBAGE, NOT_REAL_TIME)), st.data())
def test_garbage_between_messages_costs_none_and_adds_none(
    parts: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    wire = b"".join(garbage + message for garbage, message in parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)))))
    stream = MidiStream()
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert [message for piece in pieces for message in stream.feed(piece)] == [message for _, message in parts]


@given(st.lists(st.tuples(st.lists(REAL_TIME), NOT_REAL_TIME)), st.data())
def test_real_time_messages_anywhere_leave_the_others_as_they_are(
    parts: list[tuple[list[bytes], bytes]], data: st.DataObject
) -> None:
    wire = bytearray()
    for beats, message in parts:
        at = len(wire)
        wire += message
        for beat in beats:
            place = data.draw(st.integers(at, len(wire)))
            wire[place:place] = beat
    messages = MidiStream().feed(wire)
    assert [message for message in messages if message[0] < 0xF8] == [message for _, message in parts]
    assert sum(message[0] >= 0xF8 for message in messages) == sum(len(beats) for beats, _ in parts)


@given(st.lists(st.binary()))
def test_what_comes_out_is_complete_whatever_comes_in(pieces: list[bytes]) -> None:
    stream = MidiStream()
    for message in (message for piece in pieces for message in stream.feed(piece)):
        assert len(message) == length_of(message[0])
        assert all(byte <= 0x7F for byte in message[1:])


@given(st.binary(), complete())
def test_random_bytes_cost_no_later_message(noise: bytes, message: bytes) -> None:
    assert MidiStream().feed(noise + message)[-1] == message


@given(st.one_of(complete(), st.binary(max_size=4), st.tuples(st.integers(0x70, 0xFF), DATA, DATA).map(bytes)))
def test_what_is_a_message_by_itself_comes_out_as_it_is(data: bytes) -> None:
    assert is_message(data) == (len(data) == 3 and data[0] < 0xF0 and MidiStream().feed(data) == [data])
