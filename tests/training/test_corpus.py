"""The corpus: files and folders, and what cannot be used of them."""

from pathlib import Path

import pytest

from improviser.errors import CorpusError, MidiFileError
from improviser.training.corpus import read_files
from tests.melodies import TUNE, broken_midi_files, write_melody


def test_folders_are_read_to_the_bottom_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for place, name in enumerate(("b/last.mid", "a.MID", "a2.midi")):
        write_melody(tmp_path / name, TUNE[place:])
    (tmp_path / "notes.txt").write_text("not a MIDI file, and not tried")
    corpus = read_files([tmp_path])
    assert [piece.name for piece in corpus.pieces] == ["a", "a2", "last"]
    assert corpus.skipped == ()


def test_a_file_counts_once(tmp_path: Path) -> None:
    path = write_melody(tmp_path / "a.mid")
    assert len(read_files([path, tmp_path, path]).pieces) == 1


def test_a_file_may_be_called_anything(tmp_path: Path) -> None:
    assert len(read_files([write_melody(tmp_path / "melody")]).pieces) == 1


def test_what_cannot_be_used_is_left_out_and_listed(tmp_path: Path) -> None:
    broken = broken_midi_files(tmp_path)
    corpus = read_files([tmp_path])
    assert [piece.name for piece in corpus.pieces] == ["good"]
    assert len(corpus.skipped) == len(broken)
    for path in broken.values():
        assert any(str(path) in reason for reason in corpus.skipped)


def test_a_folder_of_broken_files_is_an_error(tmp_path: Path) -> None:
    count = len(broken_midi_files(tmp_path))
    (tmp_path / "good.mid").unlink()
    with pytest.raises(CorpusError, match=f"none of the {count} MIDI files"):
        read_files([tmp_path])


def test_one_broken_file_speaks_for_itself(tmp_path: Path) -> None:
    for path in broken_midi_files(tmp_path).values():
        with pytest.raises(MidiFileError, match=path.name):
            read_files([path])


def test_an_empty_folder_or_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no MIDI file"):
        read_files([tmp_path])
    with pytest.raises(CorpusError, match="no file or folder"):
        read_files([tmp_path / "none", write_melody(tmp_path / "a.mid")])
