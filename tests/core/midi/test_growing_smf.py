"""A MIDI file that grows: whole after every write, and all that sounds in it ends."""

from io import BytesIO

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.midi.growing_smf import LARGEST_NUMBER, SMALLEST_FILLER, GrowingFile, GrowingTrack, filler, number

messages = st.one_of(
    st.builds(lambda c, p, v: bytes((0x90 | c, p, v)), st.integers(0, 1), st.integers(60, 62), st.integers(0, 127)),
    st.builds(lambda c, p: bytes((0x80 | c, p, 64)), st.integers(0, 1), st.integers(60, 62)),
    st.builds(lambda c, v: bytes((0xB0, c, v)), st.sampled_from([7, 64, 66]), st.integers(0, 127)),
    st.builds(lambda low, high: bytes((0xE1, low, high)), st.integers(0, 127), st.integers(0, 127)),
    st.sampled_from([b"\xc0\x05", b"\xd1\x20", b"\xf8", b"\xfa", b""]),
)
played = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 0.5), messages), max_size=40)


def check(data: bytes) -> mido.MidiFile:
    """Read a file as strangers do; assert that nothing in it sounds for ever."""
    file = mido.MidiFile(file=BytesIO(data))
    assert [track.name for track in file.tracks] == ["Player", "Improviser"]
    for track in file.tracks:
        assert track[-1].type == "end_of_track"
        sounding: set[tuple[int, int]] = set()
        held: dict[object, int] = {}
        for message in track:
            if message.type == "note_on" and message.velocity:
                assert (message.channel, message.note) not in sounding
                sounding.add((message.channel, message.note))
            elif message.type in ("note_on", "note_off"):
                sounding.remove((message.channel, message.note))
            elif message.type == "control_change" and message.control != 7:
                held[message.channel, message.control] = message.value
            elif message.type == "pitchwheel":
                held[message.channel] = message.pitch
        assert not sounding
        assert not any(held.values())
    return file


def apply(data: bytes, patches: list[tuple[int, bytes]]) -> bytes:
    grown = bytearray(data)
    for place, patch in patches:
        assert place + len(patch) <= len(grown)
        grown[place : place + len(patch)] = patch
    return bytes(grown)


@settings(deadline=None, max_examples=60)
@given(st.lists(played, max_size=6))
def test_the_file_is_whole_after_every_write(batches: list[list[tuple[int, float, bytes]]]) -> None:
    growing = GrowingFile("Player", "Improviser", room=100)
    data = growing.image(0.0)
    now = 0.0
    for batch in batches:
        for track, gap, message in batch:
            now += gap
            growing.add(track, now, message)
        patches = growing.patches(now)
        data = growing.image(now) if patches is None else apply(data, patches)
        check(data)
    final = check(growing.image(now, final=True))
    kept = [[message for message in track if message.type != "sequencer_specific"] for track in check(data).tracks]
    assert [[str(message) for message in track] for track in final.tracks] == [
        [str(message) for message in track] for track in kept
    ]


def test_room_is_used_up_and_found_again() -> None:
    growing = GrowingFile("Player", "Improviser")
    data = growing.image(0.0)
    images = 0
    for turn in range(8_000):
        growing.add(turn % 2, turn * 0.01, bytes((0x90, 60, 64)))
        if turn % 40 == 39:
            patches = growing.patches(turn * 0.01)
            images += patches is None
            data = growing.image(turn * 0.01) if patches is None else apply(data, patches)
    assert 1 <= images <= 4
    file = check(data)
    assert [sum(message.type == "note_on" for message in track) for track in file.tracks] == [4000, 4000]


def test_notes_keep_their_times() -> None:
    growing = GrowingFile("Player", "Improviser")
    growing.add(0, 0.5, bytes((0x90, 60, 70)))
    growing.add(1, 0.5, bytes((0x90, 48, 70)))
    growing.add(0, 0.75, bytes((0x90, 60, 0)))
    growing.add(1, 1.25, bytes((0x80, 48, 1)))
    file = mido.MidiFile(file=BytesIO(growing.image(1.25, final=True)))
    assert file.length == pytest.approx(1.25)
    assert [(message.type, message.time) for message in file.tracks[0] if not message.is_meta] == [
        ("note_on", 960),
        ("note_on", 480),
    ]


@settings(deadline=None, max_examples=30)
@given(st.integers(SMALLEST_FILLER, 2_000))
def test_fillers_fill_exactly(size: int) -> None:
    head = filler(size)
    track = head.ljust(size, b"\0") + b"\x00\xff\x2f\x00"
    data = b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk" + len(track).to_bytes(4) + track
    (read,) = mido.MidiFile(file=BytesIO(data)).tracks
    assert {message.type for message in read} == {"sequencer_specific", "end_of_track"}


@pytest.mark.parametrize("size", [4, 130, 131, 132, 133, 16_386, 16_387, 16_388, 16_389, 16_390])
def test_fillers_fill_where_a_length_grows(size: int) -> None:
    test_fillers_fill_exactly.hypothesis.inner_test(size)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("value", "said"), [(0, "00"), (127, "7f"), (128, "8100"), (LARGEST_NUMBER, "ffffff7f")])
def test_numbers_are_those_of_the_standard(value: int, said: str) -> None:
    assert number(value).hex() == said


@pytest.mark.parametrize(("control", "ends"), [(120, True), (121, False), (122, False), (123, True), (127, True)])
def test_what_ends_the_notes_of_a_channel_ends_them_in_the_file(control: int, ends: bool) -> None:
    track = GrowingTrack(b"")
    for channel in (0, 1):
        track.add(0, bytes((0x90 | channel, 60, 80)))
    track.add(100, bytes((0xB0, control, 0)))
    assert (b"\x80\x3c\x40" in track.body) == ends
    assert b"\x81\x3c\x40" not in track.body
    track.release(200)
    assert b"\x81\x3c\x40" in track.body
    assert track.ending(300) == b""
