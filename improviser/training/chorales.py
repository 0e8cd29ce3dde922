"""Bach's chorales BWV 253–438 from the music21 corpus, as pieces in four voices; parsed once, then cached."""

from typing import Any

import msgspec

from improviser.core.music.note import Note
from improviser.core.music.piece import SECONDS_PER_QUARTER, Piece, ScoreContext
from improviser.errors import CorpusError
from improviser.training.cache import cache_folder
from improviser.training.progress import Progress, silent, watched
from improviser.training.scores import music21_for, read_cache, write_cache

CHORALES = "bach-chorales"
"""What users call this source."""
FIRST_BWV, LAST_BWV = 253, 438
VOICES = ("soprano", "alto", "tenor", "bass")
CACHE_VERSION = 1

PARSING = "parsing"
"""The step that `load_chorales` tells of."""


class _Line(msgspec.Struct, frozen=True):
    """One voice: MIDI pitches, onsets and durations in quarters."""

    pitches: list[int]
    onsets: list[float]
    durations: list[float]


class _Score(msgspec.Struct, frozen=True):
    """One chorale as it lies in the cache."""

    name: str
    sharps: int
    minor: bool
    bar_quarters: list[float]
    bar_length_quarters: list[float]
    fermatas: list[bool]
    voices: list[_Line]


class _Cache(msgspec.Struct, frozen=True):
    """The cache file: its version, the music21 that parsed it, and every chorale in order of BWV number."""

    version: int
    music21: str
    scores: list[_Score]


def load_chorales(progress: Progress = silent) -> list[Piece]:
    """Return the 186 chorales in order of BWV number, each as soprano, alto, tenor and bass with its score's context.

    The first call parses the corpus (up to two minutes) and tells `progress`; later ones read the cache.

    :raises CorpusError: if music21 is not installed, or its corpus lacks a chorale.
    """
    path = cache_folder() / f"{CHORALES}.json"
    cache = read_cache(path, _Cache)
    if cache is None or cache.version != CACHE_VERSION or len(cache.scores) != LAST_BWV - FIRST_BWV + 1:
        cache = _parse_corpus(progress)
        write_cache(path, cache)
    return [_piece(score) for score in cache.scores]


def read_chorale(name: str) -> Piece:
    """Return a chorale in four voices by its name in music21's corpus, such as "bwv10.7"; it is not cached.

    :raises CorpusError: if music21 is not installed, or has no such chorale in four voices.
    """
    return _piece(_parse_score(music21_for(CHORALES).corpus, name, most=len(VOICES)))


def _parse_corpus(progress: Progress) -> _Cache:
    music21 = music21_for(CHORALES)
    numbers = watched(range(FIRST_BWV, LAST_BWV + 1), PARSING, progress)
    scores = [_parse_score(music21.corpus, f"bwv{number}") for number in numbers]
    return _Cache(CACHE_VERSION, str(music21.__version__), scores)


def _parse_score(corpus: Any, name: str, *, most: int = 99) -> _Score:
    """Read the first four parts of a score of four, or up to `most`."""
    try:
        parts = list(corpus.parse(f"bach/{name}.mxl").parts)
    except Exception as error:  # music21 raises many kinds; to a user they all mean the same
        raise CorpusError(f"music21's corpus gives no chorale {name} ({error}); reinstall music21") from error
    if not len(VOICES) <= len(parts) <= most:
        raise CorpusError(f"music21's corpus has {len(parts)} voices for {name}, not four; reinstall music21")
    soprano = parts[0].stripTies().flatten()
    heads = [note for note in soprano.notes if not note.duration.isGrace]
    key = soprano.getElementsByClass("KeySignature").first()
    lengths = [_bar_length(note) for note in heads]
    return _Score(
        name=name,
        sharps=int(key.sharps) if key is not None else 0,
        minor=getattr(key, "mode", "major") == "minor",
        bar_quarters=[_bar_position(note, length) for note, length in zip(heads, lengths, strict=True)],
        bar_length_quarters=lengths,
        fermatas=[any("Fermata" in mark.classes for mark in note.expressions) for note in heads],
        voices=[_parse_line(part) for part in parts[: len(VOICES)]],
    )


def _bar_length(note: Any) -> float:
    signature = note.getContextByClass("TimeSignature")
    return float(signature.barDuration.quarterLength) if signature is not None else 4.0


def _bar_position(note: Any, length_quarters: float) -> float:
    """Return how far a note is from its bar line: an upbeat counts back from the bar that it leads to."""
    return (float(note.beat) - 1) * float(note.beatDuration.quarterLength) % length_quarters


def _parse_line(part: Any) -> _Line:
    """Return the notes of a part with ties merged and grace notes left out; of a chord, the top note."""
    notes = [note for note in part.stripTies().flatten().notes if not note.duration.isGrace]
    return _Line(
        pitches=[int(max(pitch.midi for pitch in note.pitches)) for note in notes],
        onsets=[float(note.offset) for note in notes],
        durations=[float(note.quarterLength) for note in notes],
    )


def _piece(score: _Score) -> Piece:
    voices = tuple(
        tuple(
            Note(pitch, onset * SECONDS_PER_QUARTER, duration * SECONDS_PER_QUARTER)
            for pitch, onset, duration in zip(line.pitches, line.onsets, line.durations, strict=True)
        )
        for line in score.voices
    )
    context = ScoreContext(
        sharps=score.sharps,
        minor=score.minor,
        bar_quarters=tuple(score.bar_quarters),
        bar_length_quarters=tuple(score.bar_length_quarters),
        fermatas=tuple(score.fermatas),
    )
    return Piece(score.name, voices, VOICES, context)
