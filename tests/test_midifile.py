"""Pieces from MIDI files, and back."""

import os
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from improviser import midifile
from improviser.core.midi.tempo import TempoMap
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.note import Note
from improviser.errors import MidiFileError, OutputError
from improviser.midifile import (
    MidiPiece,
    TimedNote,
    is_midi_name,
    melody,
    part,
    read_midi,
    remarks_on,
    write_midi,
)
from tests.odd_midi import SEEDS, mutated


def timed(pitch: int, start: int, end: int, *, track: int = 0, channel: int = 0, velocity: int = 64) -> TimedNote:
    """Return a note where 480 ticks are a second."""
    return TimedNote(track, channel, start, end, Note(pitch, start / 480, (end - start) / 480, velocity))


def piece(*notes: TimedNote, tracks: tuple[str, ...] = ("one", "two")) -> MidiPiece:
    return MidiPiece("tune", TempoMap(480, ((0, 1_000_000),)), ((0, 4, 4),), tracks, notes)


def save(path: Path, *tracks: list[mido.Message | mido.MetaMessage], kind: int = 1) -> Path:
    file = mido.MidiFile(type=kind, ticks_per_beat=480)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    file.save(path)
    return path


def on(pitch: int, time: int = 0, velocity: int = 64, channel: int = 0) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, time=time, channel=channel)


def off(pitch: int, time: int = 0, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", note=pitch, time=time, channel=channel)


def test_tempo_of_one_track_rules_the_others(tmp_path: Path) -> None:
    conductor = [
        mido.MetaMessage("set_tempo", tempo=1_000_000),
        mido.MetaMessage("set_tempo", tempo=250_000, time=480),
    ]
    path = save(tmp_path / "song.mid", conductor, [on(60), off(60, 960), on(62, 480), off(62, 480)])
    first, second = read_midi(path).notes
    assert first == TimedNote(1, 0, 0, 960, Note(60, 0.0, 1.25, 64))
    assert second == TimedNote(1, 0, 1440, 1920, Note(62, 1.5, 0.25, 64))
    assert read_midi(path).name == "song"


def test_overlapping_notes_end_in_the_order_they_began(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mid", [on(60, 0, 10), on(60, 100, 20), off(60, 100), off(60, 100)])
    assert [(note.start_tick, note.end_tick, note.note.velocity) for note in read_midi(path).notes] == [
        (0, 200, 10),
        (100, 300, 20),
    ]


def test_notes_never_ended_end_with_their_track(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mid", [on(60), on(64, 0, 64, 3), off(64, 50), mido.MetaMessage("end_of_track", time=70)])
    assert [(note.channel, note.end_tick) for note in read_midi(path).notes] == [(0, 120), (3, 120)]


def test_same_pitch_on_two_channels_and_tracks_are_two_notes(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mid", [on(60), on(60, 0, 64, 1), off(60, 10), off(60, 10, 1)], [on(60), off(60, 30)])
    assert sorted((note.track, note.channel, note.end_tick) for note in read_midi(path).notes) == [
        (0, 0, 10),
        (0, 1, 20),
        (1, 0, 30),
    ]


def test_drums_are_counted_and_left_out(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mid", [on(36, 0, 64, 9), off(36, 9, 9), on(60), off(60, 5)], kind=0)
    assert [note.note.pitch for note in read_midi(path).notes] == [60]
    assert read_midi(path).drums == 1


@pytest.mark.parametrize(("channel", "complaint"), [(9, "only drums"), (None, "no notes")])
def test_notes_may_be_needed(tmp_path: Path, channel: int | None, complaint: str) -> None:
    track = [] if channel is None else [on(36, 0, 64, channel), off(36, 9, channel)]
    path = save(tmp_path / "empty.mid", track)
    assert read_midi(path).notes == ()
    with pytest.raises(MidiFileError, match=rf"empty\.mid holds {complaint}; choose"):
        read_midi(path, need_notes=True)


def test_every_failure_names_the_file_and_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "void").touch()
    (tmp_path / "message").write_text("Dear MIDI, ")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(midifile.LARGEST_FILE + 1)
    forever = [on(60), off(60, 2**28 - 1)] * 4 + [mido.MetaMessage("set_tempo", tempo=2**24 - 1)]
    save(tmp_path / "forever", forever[::-1])
    complaints = {
        "folder": "is a folder",
        "void": "is empty",
        "message": "is not a MIDI file",
        "huge": "larger than 4 MiB",
        "forever": "hours",
        "missing": "does not exist",
        "mis\0sing": "",
        "x" * 5000: "cannot be read",
    }
    for name, complaint in complaints.items():
        with pytest.raises(MidiFileError) as caught:
            read_midi(tmp_path / name)
        assert name in str(caught.value)
        assert complaint in str(caught.value)
        assert "; choose another MIDI file" in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="no named pipes")
def test_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MidiFileError, match="is not a regular file"):
        read_midi(tmp_path / "pipe")


@st.composite
def pieces(draw: st.DrawFn) -> MidiPiece:
    """Pieces whose overlapping same-pitch notes end in the order they began, as a file must have it."""
    tracks = draw(st.lists(st.text("abc äß♪", max_size=8).map(str.strip), min_size=1, max_size=3))
    tempo = draw(
        st.builds(
            TempoMap,
            st.integers(1, 2**15 - 1),
            st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900_000)), max_size=3).map(tuple),
        )
    )
    signatures = draw(
        st.dictionaries(
            st.integers(0, 900), st.tuples(st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 128])), max_size=3
        )
    )
    last: dict[tuple[int, int, int], tuple[int, int]] = {}
    notes = []
    for _ in range(draw(st.integers(0, 12))):
        track = draw(st.integers(0, len(tracks) - 1))
        channel = draw(st.integers(0, 15).filter(lambda channel: channel != DRUM_CHANNEL))
        pitch, velocity = draw(st.integers(0, 127)), draw(st.integers(1, 127))
        start, end = last.get((track, channel, pitch), (-1, 0))
        start = draw(st.integers(start + 1, start + 500))
        end = draw(st.integers(max(start, end), max(start, end) + 500))
        last[track, channel, pitch] = start, end
        onset = tempo.seconds_at(start)
        notes.append(TimedNote(track, channel, start, end, Note(pitch, onset, tempo.seconds_at(end) - onset, velocity)))
    notes.sort(key=lambda note: (note.start_tick, note.note.pitch, note.track, note.channel))
    ordered = tuple((tick, *signatures[tick]) for tick in sorted(signatures))
    return MidiPiece("piece", tempo, ordered, tuple(tracks), tuple(notes))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=pieces())
def test_pieces_come_back(tmp_path: Path, written: MidiPiece) -> None:
    path = tmp_path / "piece.mid"
    write_midi(path, written)
    assert read_midi(path) == written
    file = mido.MidiFile(path)
    assert file.type == 1
    assert len(file.tracks) == len(written.tracks)
    for number, track in enumerate(file.tracks):
        assert track[-1].type == "end_of_track"
        ons = sum(message.type == "note_on" and message.velocity > 0 for message in track)
        offs = sum(message.type == "note_off" for message in track)
        assert ons == offs == sum(note.track == number for note in written.notes)


def test_ends_come_before_starts_at_one_tick(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", piece(timed(60, 0, 10), timed(60, 10, 10), timed(60, 10, 20)))
    messages = [message.type for message in mido.MidiFile(tmp_path / "a.mid").tracks[0] if message.type.startswith("n")]
    assert messages == ["note_on", "note_off"] * 3


UNWRITABLE = {
    "channel": piece(timed(60, 0, 1, channel=16)),
    "track": piece(timed(60, 0, 1, track=2)),
    "backwards": piece(timed(60, 5, 5)).notes and piece(replace(timed(60, 5, 5), end_tick=4)),
    "before the start": piece(replace(timed(60, 0, 5), start_tick=-1)),
    "too far apart": piece(timed(60, 2**28, 2**28 + 1)),
    "no tracks": piece(tracks=()),
    "ticks per beat": replace(piece(), tempo=TempoMap(2**15)),
    "no ticks per beat": replace(piece(), tempo=TempoMap(0)),
    "tempo": replace(piece(), tempo=TempoMap(480, ((0, 2**24),))),
    "signature": replace(piece(), time_signatures=((0, 3, 5),)),
    "negative signature": replace(piece(), time_signatures=((-1, 4, 4),)),
}


@pytest.mark.parametrize("wrong", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_values_without_a_place_are_refused(tmp_path: Path, wrong: MidiPiece) -> None:
    with pytest.raises(MidiFileError, match="cannot be written"):
        write_midi(tmp_path / "a.mid", wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_midi(tmp_path / "no" / "a.mid", piece())


def test_parts() -> None:
    notes = (timed(60, 0, 1), timed(61, 0, 1, track=1), timed(62, 0, 1, track=1, channel=2))
    assert part(notes) == notes
    assert part(notes, track=1) == notes[1:]
    assert part(notes, channel=0) == notes[:2]
    assert part(notes, track=1, channel=2) == notes[2:]


def pitches(notes: tuple[TimedNote, ...]) -> list[int]:
    return [note.note.pitch for note in notes]


def test_melody_is_the_upper_line() -> None:
    chords = (timed(48, 0, 480), timed(60, 0, 480), timed(72, 0, 480), timed(55, 480, 960), timed(71, 480, 960))
    assert pitches(melody(chords)) == [72, 71]


def test_melody_keeps_legato_and_ignores_the_spread_of_a_chord() -> None:
    legato = (timed(72, 0, 500), timed(67, 480, 960))
    assert pitches(melody(legato)) == [72, 67]
    assert melody(legato)[0].end_tick == 480
    assert melody(legato)[0].note.duration_seconds == 1.0
    spread = (timed(60, 0, 480), timed(64, 10, 480), timed(72, 20, 480), timed(55, 30, 480))
    assert pitches(melody(spread)) == [72]


def test_melody_passes_over_an_accompaniment_under_a_long_note() -> None:
    assert pitches(melody((timed(76, 0, 960), timed(60, 480, 700), timed(64, 720, 940)))) == [76]


@given(
    st.lists(
        st.builds(lambda p, s, d: timed(p, s, s + d), st.integers(0, 127), st.integers(0, 60), st.integers(0, 40)),
        max_size=30,
    )
)
def test_melody_is_one_line(notes: list[TimedNote]) -> None:
    line = melody(notes)
    assert {(note.start_tick, note.note.pitch) for note in line} <= {
        (note.start_tick, note.note.pitch) for note in notes
    }
    for one, other in pairwise(line):
        assert one.start_tick < other.start_tick
        assert one.end_tick <= other.start_tick
    if notes:
        highest = max(note.note.pitch for note in notes)
        assert highest in pitches(line)


def test_what_stands_far_behind_the_last_note_is_not_of_the_piece(tmp_path: Path) -> None:
    """End of Track, a tempo or a time signature: the notes say how long a piece is."""
    tune = [on(60), off(60, 480), on(62), off(62, 480)]
    far = 2**27
    behind = {
        "end": [mido.MetaMessage("end_of_track", time=far)],
        "tempo": [mido.MetaMessage("set_tempo", tempo=400_000, time=far)],
        "signature": [mido.MetaMessage("time_signature", numerator=3, time=far)],
    }
    for name, messages in behind.items():
        path = save(tmp_path / f"{name}.mid", [*tune, *messages])
        read = read_midi(path)
        assert len(read.notes) == 2
        assert read.repairs == ("it claims to go on for 39 hours behind its last note; the notes say where it ends",)
        write_midi(tmp_path / "again.mid", read)
        assert mido.MidiFile(tmp_path / "again.mid").length == 1.0
        with pytest.raises(MidiFileError, match=f"{name}.mid: it claims to go on for 39 hours"):
            read_midi(path, strict=True)
    near = read_midi(save(tmp_path / "near.mid", [*tune, mido.MetaMessage("end_of_track", time=480 * 1000)]))
    assert near.repairs == ()


def test_a_note_never_ended_ends_soon_behind_the_last_note(tmp_path: Path) -> None:
    end = mido.MetaMessage("end_of_track", time=2**27)
    read = read_midi(save(tmp_path / "a.mid", [on(48), on(60), off(60, 480), end], [on(72, 960), end]))
    assert [(timed.note.pitch, timed.start_tick, timed.end_tick) for timed in read.notes] == [
        (48, 0, 960 + 4 * 480),
        (60, 0, 480),
        (72, 960, 960 + 4 * 480),
    ]
    assert read.repairs[1:] == ("2 notes are never ended: they end with the track, or 4 beats behind the last note",)


def test_what_is_repaired_or_left_out_is_one_line(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mid", [on(60), off(60, 9), on(36, 0, 64, 9), off(36, 9, 9), on(37, 0, 64, 9), on(72)])
    unended = "2 notes are never ended: they end with the track, or 4 beats behind the last note"
    assert remarks_on(path, read_midi(path)) == (f"{path}: {unended}; 2 drum notes are left out",)
    whole = save(tmp_path / "whole.mid", [on(60), off(60, 9)])
    assert remarks_on(whole, read_midi(whole)) == ()


@pytest.mark.parametrize("name", ["a.mid", "b.MID", "c.midi", "d.kar", "e.KAR", "f.smf", "g.rmi", "/x.y/h.Rmi", ".mid"])
def test_names_of_midi_files(name: str) -> None:
    assert is_midi_name(name)
    assert is_midi_name(Path(name))


@pytest.mark.parametrize("name", ["a.mid.txt", "kar", "midi", "a.mod", "nanoKEY", ""])
def test_other_names(name: str) -> None:
    assert not is_midi_name(name)


@pytest.mark.parametrize("seed", range(1000, 1200))
def test_whatever_a_damaged_file_gives_can_be_kept(tmp_path: Path, seed: int) -> None:
    """What is read of it has times that fit each other, and comes back if it is written."""
    rng = random.Random(seed)
    path = tmp_path / "a.mid"
    path.write_bytes(mutated(rng.choice(SEEDS)[0], rng))
    try:
        read = read_midi(path)
    except MidiFileError:
        return
    for timed_note in read.notes:
        assert 0 <= timed_note.start_tick <= timed_note.end_tick
        assert 0 <= timed_note.note.onset_seconds <= timed_note.note.end_seconds <= midifile.LONGEST_PIECE + 100
    if read.tracks:
        write_midi(tmp_path / "again.mid", read)
        starts = [sorted(note.start_tick for note in each.notes) for each in (read, read_midi(tmp_path / "again.mid"))]
        assert starts[0] == starts[1]
