"""Folk tunes: what is read from music21's corpus, the cache, and which tunes are kept out of all training."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.music.note import Note
from improviser.training import folk_tunes, named_sources
from improviser.training.folk_tunes import STYLES, FolkStyle, kept_out, load_folk
from improviser.training.progress import silent
from tests.training.test_chorales import NEEDS_MUSIC21

FEW = FolkStyle("oneills1850", ("0626-0635.abc",), "ten of O'Neill's", "none stated")


def tune(pitches: list[int]) -> list[Note]:
    return [Note(pitch, number * 0.25, 0.2) for number, pitch in enumerate(pitches)]


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("music21", reason=NEEDS_MUSIC21)
    monkeypatch.setenv("IMPROVISER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(STYLES, "folk-irish", FEW)
    return "folk-irish"


def test_parsed_once_then_cached(few: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[float] = []
    tunes = load_folk(few, lambda _, done: steps.append(done))
    assert steps == [0.0, 1.0]
    assert len(tunes) >= 8
    for piece in tunes:
        (notes,) = piece.voices
        assert len(notes) >= folk_tunes.SHORTEST
        onsets = [note.onset_seconds for note in notes]
        assert onsets == sorted(set(onsets))
        assert all(note.duration_seconds > 0 for note in notes)
    monkeypatch.setattr(folk_tunes, "_parse", lambda *_: pytest.fail("it is in the cache"))
    assert load_folk(few) == tunes


def test_training_and_evaluation_share_no_tune(few: str) -> None:
    train = named_sources.load_named([few], silent, for_training=True)
    test = named_sources.load_named([few], silent, for_training=False)
    assert [piece.name for piece in load_folk(few)] == sorted(
        [piece.name for piece in (*train, *test)], key=lambda name: int(name.partition("/")[2])
    )
    assert not any(kept_out(piece.voices[0]) for piece in train)
    assert all(kept_out(piece.voices[0]) for piece in test)


def test_the_digest_is_that_of_the_first_eight_intervals() -> None:
    pitches = [60, 62, 64, 60, 67, 65, 64, 62, 60, 72]
    digest = hashlib.sha256(b"2,2,-4,7,-2,-1,-2,-2").hexdigest()
    assert kept_out(tune(pitches)) is (digest[0] in "01")


@given(pitches=st.lists(st.integers(30, 90), min_size=9, max_size=20), up=st.integers(-12, 12), last=st.integers(0, 99))
def test_neither_key_nor_what_follows_matters(pitches: list[int], up: int, last: int) -> None:
    here = kept_out(tune(pitches))
    assert kept_out(tune([pitch + up for pitch in pitches])) is here
    assert kept_out(tune([*pitches, last])) is here


def test_an_eighth_is_kept_out() -> None:
    tunes = [tune([60, 62, 60, 60 + a, 60 + b, 60 + c, 60]) for a in range(12) for b in range(12) for c in range(12)]
    assert sum(map(kept_out, tunes)) / len(tunes) == pytest.approx(1 / 8, abs=0.02)
