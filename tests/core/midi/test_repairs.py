"""MIDI files that are not quite right are read all the same, and it is said how; what cannot be read is refused."""

import contextlib
import random
from functools import partial

import pytest

from improviser.core.midi import chunks as tracks_of
from improviser.core.midi import smf
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.midi.names import LONGEST_NAME, text_of
from improviser.core.midi.smf import Contents, parse
from improviser.core.midi.track import MOST_CHANGES, MOST_NOTES, RawTrack, Room, read_messages
from improviser.errors import MidiFileError
from tests import odd_midi
from tests.odd_midi import ALLOWED, BROKEN, END, REPAIRED, SEEDS, TUNE, WHOLE, chunk, chunks, header, mutated, notes

WANTED = parse(WHOLE)


def pitches(contents: Contents) -> list[list[int]]:
    return [[event.pitch for _, event in track.events if isinstance(event, NoteOn)] for track in contents.tracks]


@pytest.mark.parametrize(("data", "words"), REPAIRED.values(), ids=REPAIRED.keys())
def test_what_is_wrong_is_repaired_and_said_in_one_text(data: bytes, words: str) -> None:
    contents = parse(data)
    assert pitches(contents) == [[], list(TUNE), list(odd_midi.SECOND)]
    assert [[tick for tick, _ in track.events] for track in contents.tracks] == [
        [tick for tick, _ in track.events] for track in WANTED.tracks
    ]
    (text,) = contents.repairs
    assert words in text


@pytest.mark.parametrize("data", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_is_allowed_is_nothing_to_speak_of(data: bytes) -> None:
    assert parse(data) == WANTED
    assert WANTED.repairs == ()


@pytest.mark.parametrize(("data", "complaint"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(MidiFileError, match=complaint):
        parse(data)


def test_a_velocity_is_clipped_and_a_note_without_a_number_left_out() -> None:
    contents = parse(chunks(b"\x00\x90\x3c\xff\x10\x3e\x40\x10\x80\x3c\x88\x00\x90\x90\x50\x00\x80\x3e\x01" + END))
    assert contents.tracks[0].events == (
        (0, NoteOn(0, 60, 127)),
        (16, NoteOn(0, 62, 64)),
        (32, NoteOff(0, 60, 127)),
        (32, NoteOff(0, 62, 1)),
    )
    assert contents.repairs == (
        "track 1 has a velocity of 255; taken for 127, the largest (and 1 more of the kind)",
        "track 1 has a message for note 144, where 127 is the last; left out",
    )


def test_many_faults_of_a_kind_are_one_text() -> None:
    contents = parse(header(500) + chunk(notes(TUNE) + END, -4) * 500)
    assert len(contents.tracks) == 500
    assert contents.repairs == (
        "track 1 claims 4 bytes less than it has; read to its End of Track (and 499 more of the kind)",
    )


def test_every_length_that_a_track_may_claim_gives_its_notes() -> None:
    """Whatever the length says, also where it ends in what looks like a chunk: End of Track is there."""
    size = len(odd_midi.FIRST)
    for more in range(-size, 3 * size):
        contents = parse(odd_midi.conductor() + chunk(odd_midi.FIRST, more) + chunk(odd_midi.OTHER))
        assert pitches(contents) == pitches(WANTED), more
        assert bool(contents.repairs) == (more != 0), more


def played(count: int) -> bytes:
    return chunks(b"\x00\x90\x3c\x40\x00\x3c\x00" + b"\x00\x3c\x40\x00\x3c\x00" * (count - 1) + END)


def test_a_file_of_more_notes_than_any_piece_is_refused_before_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MidiFileError, match=f"holds more than {MOST_NOTES:,} notes"):
        parse(played(MOST_NOTES + 1))
    few = 2000
    monkeypatch.setattr(smf, "Room", partial(Room, notes=few))
    assert len(parse(played(few)).tracks[0].events) == 2 * few
    for data in (
        played(few + 1),
        chunks(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * few + END),
        chunks(b"\x00\x80\x3c\x40" + b"\x00\x3c\x40" * (2 * few) + END),
        chunks(*[notes(range(100)) + END] * (few // 100 + 1)),
        # It is no further track that could be left out.
        header(0) + b"".join(chunk(notes(range(100)) + END) for _ in range(few // 100 + 1)),
    ):
        with pytest.raises(MidiFileError, match="holds more than"):
            parse(data)


@pytest.mark.parametrize(
    "change",
    [b"\x01\xff\x51\x03\x01\x01\x01", b"\x01\xff\x58\x02\x04\x02", b"\x00\xb0\x65\x00\x00\x64\x06\x01\x06\x05"],
    ids=["tempo", "signature", "zone"],
)
def test_so_are_more_changes_than_any_piece(change: bytes) -> None:
    with pytest.raises(MidiFileError, match=f"holds more than {MOST_CHANGES:,} changes"):
        parse(chunks(change * (MOST_CHANGES + 1) + END))


def test_so_are_more_tracks_than_a_header_can_count() -> None:
    with pytest.raises(MidiFileError, match="holds more than 65,535 tracks"):
        parse(header(0) + chunk(END) * (tracks_of.MOST_TRACKS + 1))


def test_no_file_is_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read grows with the file, however its lengths and chunks mislead; counted, not timed."""
    sizes: list[int] = []
    read = read_messages

    def counted(content: bytes, where: str, room: Room) -> RawTrack:
        sizes.append(len(content))
        return read(content, where, room)

    monkeypatch.setattr(tracks_of, "read_messages", counted)
    open_track = b"\x00\x90\x3c\x40"
    chain = b"abcd\0\0\0\0" * 500
    for data in (
        header(2000) + (b"MTrk\xff\xff\xff\xff" + open_track) * 2000,
        header(2000) + (b"MTrk\x7f\xff\xff\xff" + open_track + END) * 2000,
        header(2000) + b"".join(chunk(open_track, 12 * (1999 - place)) for place in range(2000)),
        header(2000) + (chunk(END) + b"abcd\0\0\0\x0c") * 2000 + chain + b"\xff",
        header(9) + chunk(b"\x00\xf0\x40" + b"MTrk" * 16 + END) * 300,
    ):
        sizes.clear()
        with contextlib.suppress(MidiFileError):
            parse(data)
        assert sum(sizes) <= 3 * len(data)


MIDI_NAMES = [
    ("Mélodie".encode("latin-1"), "Mélodie"),
    ("Crème brûlée éàü".encode("latin-1"), "Crème brûlée éàü"),
    ("Flöte – “Bläser”".encode("cp1252"), "Flöte – “Bläser”"),
    ("Don’t stop".encode("cp1252"), "Don’t stop"),
    ("メロディー".encode("cp932"), "メロディー"),
    ("ピアノ Right".encode("cp932"), "ピアノ Right"),
    ("君が代".encode("cp932"), "君が代"),
    ("Мелодия".encode(), "Мелодия"),
    (b"\x81\x8d\xff\x9d", "ÿ"),
    (b"", ""),
]


@pytest.mark.parametrize(("raw", "text"), MIDI_NAMES)
def test_names_are_read_in_the_alphabet_they_are_written_in(raw: bytes, text: str) -> None:
    assert text_of(raw) == text


def test_a_name_has_an_end() -> None:
    assert text_of(b"a" * 10_000) == "a" * LONGEST_NAME


@pytest.mark.parametrize("seed", range(600))
def test_whatever_is_damaged_is_read_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    data = mutated(rng.choice(SEEDS)[0], rng)
    contents, refusal = None, ""
    try:
        contents = parse(data)
    except MidiFileError as error:
        refusal = str(error)
    if contents is None:
        assert refusal.startswith(("is ", "has ", "holds "))
        assert refusal.isprintable()
        return
    assert all(text.isprintable() for text in contents.repairs)
    for track in contents.tracks:
        ticks = [tick for tick, _ in track.events]
        assert ticks == sorted(ticks)
        assert all(tick <= track.end_tick for tick in ticks)
        for _, event in track.events:
            assert 0 <= event.pitch <= 127
            assert 0 <= event.velocity <= 127
            assert 0 <= event.channel <= 15
