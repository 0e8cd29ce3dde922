"""Training sources as voices: tracks, channels, outlines."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from improviser.core.midi.tempo import TempoMap
from improviser.core.music.note import Note
from improviser.errors import CorpusError, MidiFileError
from improviser.midifile import MidiPiece, TimedNote, write_midi
from improviser.training.outline import in_voices
from improviser.training.voices import duets, read_sources

TICKS = 480


def line(track: int, pitches: list[int], *, channel: int = 0, length: int = TICKS) -> list[TimedNote]:
    notes = []
    for number, pitch in enumerate(pitches):
        start = number * length
        note = Note(pitch, start / TICKS / 2, length / TICKS / 2)
        notes.append(TimedNote(track, channel, start, start + length, note))
    return notes


def a_piece(*lines: list[TimedNote], name: str = "piece") -> MidiPiece:
    notes = sorted((timed for one in lines for timed in one), key=lambda timed: (timed.start_tick, timed.note.pitch))
    tracks = max(timed.track for timed in notes) + 1
    return MidiPiece(name, TempoMap(TICKS), (), ("",) * tracks, tuple(notes))


def pitches_of(notes: Sequence[Note]) -> list[int]:
    return [note.pitch for note in notes]


HIGH, MIDDLE, LOW = [72, 74, 76, 77] * 4, [64, 65, 67, 69] * 4, [48, 50, 52, 53] * 4


def test_tracks_are_voices_from_the_top() -> None:
    piece = in_voices(a_piece(line(0, LOW), line(1, HIGH), line(2, MIDDLE)))
    assert piece.voice_names == ("soprano", "alto", "bass")
    assert [pitches_of(voice) for voice in piece.voices] == [HIGH, MIDDLE, LOW]
    assert piece.voice("tenor") is None


def test_channels_of_one_track_are_voices() -> None:
    piece = in_voices(a_piece(line(0, LOW, channel=1), line(0, HIGH, channel=0)))
    assert piece.voice_names == ("soprano", "bass")
    assert [pitches_of(voice) for voice in piece.voices] == [HIGH, LOW]


def test_the_outlines_of_a_piano_part() -> None:
    piece = in_voices(a_piece(line(0, LOW), line(0, MIDDLE), line(0, HIGH)))
    assert piece.voice_names == ("soprano", "bass")
    assert [pitches_of(voice) for voice in piece.voices] == [HIGH, LOW]


def test_a_melody_has_no_second_voice() -> None:
    piece = in_voices(a_piece(line(0, HIGH)))
    assert piece.voice_names == ("soprano",)
    with pytest.raises(CorpusError, match="bass"):
        duets([piece], "bass")


def test_of_many_voices_the_outer_ones_count() -> None:
    piece = in_voices(a_piece(*(line(track, [80 - 5 * track] * 10) for track in range(6))))
    assert [pitches_of(voice)[0] for voice in piece.voices] == [80, 75, 60, 55]


def test_sources_are_read_and_broken_files_listed(tmp_path: Path) -> None:
    write_midi(tmp_path / "good.mid", a_piece(line(0, HIGH), line(1, LOW)))
    (tmp_path / "bad.mid").write_bytes(b"MThd nonsense")
    read = read_sources([str(tmp_path), "demo-tune"])
    assert sorted(piece.name for piece in read.pieces) == ["demo-tune", "good"]
    assert len(read.skipped) == 1
    ((piece, player, own),) = duets(read.pieces, "bass")
    assert (piece.name, pitches_of(player), pitches_of(own)) == ("good", HIGH, LOW)
    with pytest.raises(MidiFileError):
        read_sources([str(tmp_path / "bad.mid")])
