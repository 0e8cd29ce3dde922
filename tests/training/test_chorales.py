"""The chorales: the cache, its failures, and (with music21) what is read from a score."""

import builtins
from pathlib import Path
from typing import Any

import msgspec
import pytest

from improviser.core.music.piece import sounding_at
from improviser.errors import CorpusError
from improviser.training import chorales
from improviser.training.chorales import load_chorales

NEEDS_MUSIC21 = "reads scores of music21's corpus; install the extra `corpus`"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMPROVISER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def two_chorales(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Parse only BWV 299 (grace notes) and 300; count the calls."""
    pytest.importorskip("music21", reason=NEEDS_MUSIC21)
    calls = []
    parse = chorales._parse_score

    def counted(corpus: Any, name: str) -> Any:
        calls.append(name)
        return parse(corpus, name)

    monkeypatch.setattr(chorales, "FIRST_BWV", 299)
    monkeypatch.setattr(chorales, "LAST_BWV", 300)
    monkeypatch.setattr(chorales, "_parse_score", counted)
    return calls


def test_parsed_once_then_cached(folder: Path, two_chorales: list[str]) -> None:
    seen: list[tuple[str, float]] = []
    pieces = load_chorales(lambda step, done: seen.append((step, done)))
    assert [piece.name for piece in pieces] == ["bwv299", "bwv300"]
    assert seen == [("parsing", 0 / 2), ("parsing", 1 / 2), ("parsing", 2 / 2)]
    assert load_chorales() == pieces
    assert two_chorales == ["bwv299", "bwv300"]
    # Neither a broken cache nor one of another version is believed.
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    older = msgspec.json.decode(whole) | {"version": 0}
    for broken in (b"", b"\xff\x00", whole[:-9], b"{}", msgspec.json.encode(older)):
        path.write_bytes(broken)
        assert load_chorales() == pieces
        assert path.read_bytes() == whole


def test_what_a_score_says(folder: Path, two_chorales: list[str]) -> None:
    piece = load_chorales()[0]
    assert piece.voice_names == ("soprano", "alto", "tenor", "bass")
    soprano = piece.voices[0]
    assert len(soprano) == 55  # 57 with grace notes
    assert (soprano[0].pitch, soprano[0].onset_seconds, soprano[0].duration_seconds) == (65, 0.0, 0.5)
    assert all(note.duration_seconds > 0 for voice in piece.voices for note in voice)
    context = piece.context
    assert context is not None
    assert (context.sharps, context.minor, context.tonic) == (-2, False, 10)
    assert context.bar_quarters[:4] == (2.0, 0.0, 1.0, 1.5)
    assert set(context.bar_length_quarters) == {3.0}
    assert sum(context.fermatas) >= 4
    assert len(context.fermatas) == len(context.bar_quarters) == len(soprano)
    bass = sounding_at(piece.voices[3], [note.onset_seconds for note in soprano], tolerance_seconds=1e-6)
    assert None not in bass


def test_a_cache_that_cannot_be_written_is_done_without(
    folder: Path, two_chorales: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("IMPROVISER_CACHE", str(tmp_path / "a file"))
    assert len(load_chorales()) == 2


def test_without_music21_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "music21":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(CorpusError, match="add the extra corpus"):
        load_chorales()


def test_a_missing_chorale_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("music21", reason=NEEDS_MUSIC21)
    monkeypatch.setattr(chorales, "FIRST_BWV", 9999)
    monkeypatch.setattr(chorales, "LAST_BWV", 9999)
    with pytest.raises(CorpusError, match="bwv9999"):
        load_chorales()
    assert not folder.exists()


def test_a_chorale_by_its_name() -> None:
    pytest.importorskip("music21", reason=NEEDS_MUSIC21)
    piece = chorales.read_chorale("bwv10.7")
    assert piece.name == "bwv10.7"
    assert len(piece.voices) == 4
    assert all(piece.voices)
    with pytest.raises(CorpusError, match="gives no chorale bwv9999"):
        chorales.read_chorale("bwv9999")
