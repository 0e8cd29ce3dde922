"""The bytes of MIDI files, against files written by hand and against mido."""

import contextlib
import io

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.midi.smf import parse
from improviser.errors import MidiFileError

END = b"\x00\xff\x2f\x00"


def smf(*tracks: bytes, kind: int = 1, count: int | None = None, division: int = 480) -> bytes:
    """Return a MIDI file of these track contents."""
    count = len(tracks) if count is None else count
    header = b"MThd" + (6).to_bytes(4) + kind.to_bytes(2) + count.to_bytes(2) + division.to_bytes(2)
    return header + b"".join(b"MTrk" + len(track).to_bytes(4) + track for track in tracks)


def test_notes_with_running_status_and_silent_note_ons() -> None:
    (track,) = parse(smf(b"\x00\x91\x3c\x40\x60\x3e\x41\x10\x3c\x00\x81\x00\x3e\x00" + END)).tracks
    assert track.events == (
        (0, NoteOn(1, 60, 64)),
        (96, NoteOn(1, 62, 65)),
        (112, NoteOff(1, 60, 0)),
        (240, NoteOff(1, 62, 0)),
    )
    assert track.end_tick == 240


@pytest.mark.parametrize(
    "between",
    [
        b"\x00\xff\x01\x02hi",
        b"\x00\xf0\x03\x7e\x01\xf7",
        b"\x00\xc0\x05",
        b"\x00\xf8",
        b"\x00\xf2\x01\x02",
        b"\x00\xff\x59\x02\x0b\x00",
    ],
    ids=["text", "sysex", "program", "clock", "song position", "impossible key"],
)
def test_other_messages_are_passed_over(between: bytes) -> None:
    (track,) = parse(smf(b"\x00\x90\x3c\x40" + between + b"\x0a\x80\x3c\x40" + END)).tracks
    assert track.events == ((0, NoteOn(0, 60, 64)), (10, NoteOff(0, 60, 64)))


def test_time_before_an_unknown_meta_event_counts() -> None:
    (track,) = parse(smf(b"\x60\xff\x4b\x01\x00\x00\x90\x3c\x40" + END)).tracks
    assert track.events == ((96, NoteOn(0, 60, 64)),)


def test_nothing_counts_after_the_end_of_a_track() -> None:
    (track,) = parse(smf(b"\x05\xff\x2f\x00" + b"\x00\x90\x3c\x40")).tracks
    assert (track.events, track.end_tick) == ((), 5)


def test_tempo_and_signature_of_all_tracks() -> None:
    first = b"\x00\xff\x51\x03\x07\xa1\x20\x00\xff\x58\x04\x03\x02\x18\x08" + END
    second = b"\x60\xff\x51\x03\x0f\x42\x40\x00\xff\x58\x04\x09\x03\x18\x08" + END
    contents = parse(smf(first, second))
    assert contents.tempo.changes == ((0, 500_000), (96, 1_000_000))
    assert contents.time_signatures == ((0, 3, 4), (96, 9, 8))


def test_broken_tempo_and_signature_are_ignored() -> None:
    contents = parse(smf(b"\x00\xff\x51\x01\x07\x00\xff\x51\x03\x00\x00\x00\x00\xff\x58\x02\x04\xff" + END))
    assert contents.tempo.changes == ((0, 500_000),)
    assert contents.time_signatures == ()


@pytest.mark.parametrize(
    ("frames", "ticks", "seconds"), [(24, 4, 1.0), (25, 40, 1.0), (29, 80, 1.001), (30, 80, 1.001 / 1.001)]
)
def test_smpte_frames(frames: int, ticks: int, seconds: float) -> None:
    contents = parse(smf(b"\x00\xff\x51\x03\x0f\x42\x40" + END, division=(256 - frames) << 8 | ticks))
    per_second = {24: 24, 25: 25, 29: 30, 30: 30}[frames] * ticks
    assert contents.tempo.seconds_at(per_second) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Fl\xc3\xb6te", "Flöte"),
        (b"Fl\xf6te", "Flöte"),
        (b" Piano\x00\x00", "Piano"),
        (b"a\x1b[2Jb\n", "a[2Jb"),
        (b"x" * 127, "x" * 127),
    ],
)
def test_names(raw: bytes, name: str) -> None:
    (track,) = parse(smf(b"\x00\xff\x03" + bytes([len(raw)]) + raw + END)).tracks
    assert track.name == name


def test_foreign_chunks_and_wrappers_are_passed_over() -> None:
    plain = smf(b"\x00\x90\x3c\x40" + END)
    foreign = plain[:14] + b"XFIH\x00\x00\x00\x02ab" + plain[14:]
    wrapped = b"RIFF\x00\x00\x00\x00RMIDdata" + len(plain).to_bytes(4, "little") + plain
    assert parse(plain) == parse(foreign) == parse(wrapped)


BROKEN = {
    "nothing": (b"", "not a MIDI file"),
    "text": (b"hello, this is a letter", "not a MIDI file"),
    "header only": (smf()[:11], "header"),
    "short header": (b"MThd\x00\x00\x00\x02" + smf()[8:], "header"),
    "type 3": (smf(END, kind=3), "header"),
    "type 2": (smf(END, kind=2), "type 2"),
    "zero ticks": (smf(END, division=0), "zero ticks"),
    "zero ticks per frame": (smf(END, division=(256 - 25) << 8), "division"),
    "31 frames": (smf(END, division=(256 - 31) << 8 | 40), "division"),
    "too few tracks": (smf(END, count=2) + b"MTr", "1 of its 2 tracks"),
    "cut track": (smf(END)[:-1], "cut short in track 1"),
    "absurd length": (smf(b"")[:-4] + b"\xff\xff\xff\xff", "cut short in track 1"),
    "absurd meta length": (smf(b"\x00\xff\x01\xff\xff\xff\x7f" + END), "over the track's end"),
    "endless number": (smf(b"\xff" * 1_000_000), "no end"),
    "data first": (smf(b"\x00\x3c\x40" + END), "data instead"),
    "half a message": (smf(b"\x00\x90\x3c"), "over the track's end"),
    "time alone": (smf(b"\x00"), "over the track's end"),
    "undefined status": (smf(b"\x00\xf4\x00" + END), "F4"),
}


@pytest.mark.parametrize(("data", "complaint"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_files_are_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(MidiFileError, match=complaint):
        parse(data)


@given(st.binary(max_size=200))
def test_random_bytes_do_no_harm(data: bytes) -> None:
    with pytest.raises(MidiFileError):
        parse(data)


@given(st.lists(st.binary(max_size=60), max_size=3), st.integers(0, 2**16 - 1), st.integers(0, 4))
def test_random_tracks_do_no_harm(tracks: list[bytes], division: int, kind: int) -> None:
    with contextlib.suppress(MidiFileError):
        assert len(parse(smf(*tracks, division=division, kind=kind)).tracks) == len(tracks)


MESSAGES = st.one_of(
    st.builds(mido.Message, st.sampled_from(["note_on", "note_off"]), channel=st.integers(0, 15),
              note=st.integers(0, 127), velocity=st.integers(0, 127), time=st.integers(0, 2**28 - 1)),
    st.builds(mido.Message, st.just("control_change"), channel=st.integers(0, 15), value=st.integers(0, 127),
              time=st.integers(0, 300)),
    st.builds(mido.Message, st.just("program_change"), program=st.integers(0, 127), time=st.integers(0, 300)),
    st.builds(mido.Message, st.just("pitchwheel"), pitch=st.integers(-8192, 8191), time=st.integers(0, 300)),
    st.builds(mido.Message, st.just("sysex"), data=st.lists(st.integers(0, 127), max_size=9), time=st.integers(0, 9)),
    st.builds(mido.MetaMessage, st.just("set_tempo"), tempo=st.integers(1, 2**24 - 1), time=st.integers(0, 300)),
    st.builds(mido.MetaMessage, st.just("lyrics"), text=st.text("abc", max_size=9), time=st.integers(0, 300)),
)  # fmt: skip


def saved(tracks: list[list[mido.Message]]) -> bytes:
    file = mido.MidiFile(type=1)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


@settings(deadline=None)
@given(st.lists(st.lists(MESSAGES, max_size=20), min_size=1, max_size=3))
def test_reads_what_mido_writes(tracks: list[list[mido.Message]]) -> None:
    contents = parse(saved(tracks))
    for ours, theirs in zip(contents.tracks, tracks, strict=True):
        now = 0
        expected: list[tuple[int, NoteOn | NoteOff]] = []
        for message in theirs:
            now += message.time
            if message.type == "note_on" and message.velocity:
                expected.append((now, NoteOn(message.channel, message.note, message.velocity)))
            elif message.type in ("note_on", "note_off"):
                expected.append((now, NoteOff(message.channel, message.note, message.velocity)))
        assert list(ours.events) == expected
        assert ours.end_tick == now


@settings(deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=20), st.data())
def test_cut_files_are_refused(track: list[mido.Message], data: st.DataObject) -> None:
    whole = saved([track])
    with pytest.raises(MidiFileError):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


@settings(deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=20), st.data())
def test_damaged_files_do_no_harm(track: list[mido.Message], data: st.DataObject) -> None:
    whole = bytearray(saved([track]))
    for position in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=5)):
        whole[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MidiFileError):
        assert parse(bytes(whole)).tempo.ticks_per_beat > 0
