"""Folk tunes of the music21 corpus, as pieces in one voice: five styles, parsed once, then cached.

An eighth of the tunes is kept out of all training, whatever model it is for, so that there is something to test any
model on; see `kept_out`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from improviser.core.music.note import Note
from improviser.core.music.piece import SECONDS_PER_QUARTER, Piece
from improviser.errors import CorpusError
from improviser.training.cache import cache_folder
from improviser.training.progress import Progress, silent, watched
from improviser.training.scores import music21_for, read_cache, write_cache

CACHE_VERSION = 1
SHORTEST = 12
"""Notes; a shorter tune is a fragment."""
KEPT_OUT_INTERVALS = 8
"""The intervals whose digest decides whether a tune is kept out of all training."""

NO_TERMS_STATED = "old printed tunes; the transcribers state no terms, music21 distributes them by their permission"


@dataclass(frozen=True, slots=True)
class FolkStyle:
    """A style: the folder of music21's corpus, its files (patterns), what they are, and the terms they come on."""

    folder: str
    files: tuple[str, ...]
    title: str
    terms: str


ESSEN_TERMS = "Essen folk song collection; given for non-commercial distribution and use, its legal status is unclear"

STYLES = {
    "folk-german": FolkStyle(
        "essenFolksong",
        ("altdeu*.abc", "boehme*.abc", "erk*.abc", "fink*.abc", "kinder*.abc", "zuccal*.abc"),
        "German folk songs (Essen collection)",
        ESSEN_TERMS,
    ),
    "folk-chinese": FolkStyle("essenFolksong", ("han*.abc",), "Chinese folk songs (Essen collection)", ESSEN_TERMS),
    "folk-irish": FolkStyle("oneills1850", ("*.abc",), "O'Neill's Music of Ireland (1903)", NO_TERMS_STATED),
    "folk-american": FolkStyle("ryansMammoth", ("*.abc",), "Ryan's Mammoth Collection (1883)", NO_TERMS_STATED),
    "folk-scottish": FolkStyle("airdsAirs", ("*.abc",), "Aird's Airs (1778–1801)", NO_TERMS_STATED),
}


class _Tune(msgspec.Struct, frozen=True):
    """A tune as it lies in the cache: MIDI pitches, onsets and durations in quarters."""

    name: str
    pitches: list[int]
    onsets: list[float]
    durations: list[float]


class _Cache(msgspec.Struct, frozen=True):
    """The cache file: its version, the music21 that parsed it, the tunes, and how many could not be read."""

    version: int
    music21: str
    tunes: list[_Tune]
    unreadable: int


def load_folk(style: str, progress: Progress = silent, styles: Mapping[str, FolkStyle] = STYLES) -> list[Piece]:
    """Return all tunes of a style, those that are kept out of training among them, in the order of the corpus.

    The first call parses the corpus (up to three minutes) and tells `progress`; later ones read the cache.

    :param style: one of `styles`.
    :raises CorpusError: if music21 is not installed, or its corpus lacks the style.
    """
    path = cache_folder() / f"{style}.json"
    cache = read_cache(path, _Cache)
    if cache is None or cache.version != CACHE_VERSION:
        cache = _parse(style, styles[style], progress)
        write_cache(path, cache)
    return [_piece(tune) for tune in cache.tunes]


def kept_out(notes: Sequence[Note]) -> bool:
    """Return whether a tune is kept out of all training: by its first intervals, whatever its key and the parser."""
    steps = [after.pitch - before.pitch for before, after in pairwise(notes[: KEPT_OUT_INTERVALS + 1])]
    digest = hashlib.sha256(",".join(map(str, steps)).encode()).hexdigest()
    return digest[0] in "01"


def _parse(style: str, wanted: FolkStyle, progress: Progress) -> _Cache:
    music21 = music21_for(style)
    folder = Path(music21.corpus.__file__).parent / wanted.folder
    files = sorted(path for path in folder.glob("*.abc") if any(fnmatch(path.name, each) for each in wanted.files))
    if not files:
        raise CorpusError(f"music21's corpus has no {wanted.folder}; reinstall music21")
    tunes: list[_Tune] = []
    unreadable = 0
    for path in watched(files, f"parsing {style}", progress):
        try:
            parsed = music21.converter.parse(str(path), format="abc", forceSource=True, storePickle=False)
        except Exception:  # noqa: BLE001  music21 raises many kinds; a file in it that cannot be read is left out
            unreadable += 1
            continue
        for number, score in enumerate(getattr(parsed, "scores", [parsed])):
            tune = _tune(f"{path.stem}/{number + 1}", score)
            if len(tune.pitches) >= SHORTEST:
                tunes.append(tune)
    return _Cache(CACHE_VERSION, str(music21.__version__), tunes, unreadable)


def _tune(name: str, score: Any) -> _Tune:
    """Return the tune of a score: its first part, ties merged, without grace notes and chord names."""
    parts = list(score.parts) or [score]
    notes = [
        note
        for note in parts[0].stripTies().flatten().notes
        if not note.duration.isGrace and "ChordSymbol" not in note.classes
    ]
    return _Tune(
        name,
        [int(max(pitch.midi for pitch in note.pitches)) for note in notes],
        [float(note.offset) for note in notes],
        [float(note.quarterLength) for note in notes],
    )


def _piece(tune: _Tune) -> Piece:
    notes = tuple(
        Note(pitch, onset * SECONDS_PER_QUARTER, duration * SECONDS_PER_QUARTER)
        for pitch, onset, duration in zip(tune.pitches, tune.onsets, tune.durations, strict=True)
    )
    return Piece(tune.name, (notes,), ("soprano",))
