"""Recorded sessions → the player's tunes: the highest note of each chord, cut where the player paused."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import numpy as np

from improviser.core.music.note import Note
from improviser.core.music.phrase import CHORD_SECONDS
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError, LogError, MidiFileError
from improviser.files import open_regular
from improviser.midifile import is_midi_name
from improviser.recordings.log import SUFFIX
from improviser.recordings.reading import read_session
from improviser.training import parsed_file
from improviser.training.note_table import Kind, note_table
from improviser.training.parsed_file import ParsedFile, of_lines
from improviser.training.progress import Progress, silent, watched

SHORTEST = 8
"""Notes; what is shorter belongs to the tune before, or is none."""
PAUSE, LEAST_PAUSE_SECONDS = 4.0, 1.5
"""A tune ends with a gap of so many usual ones, and of no fewer seconds."""
LONGEST = 400
"""Notes; who never pauses is cut here."""
LARGEST_RECORDING = 2**32
PATH = "\0"
"""Stands for a recording's path in what is kept of it: it may have another one next time."""
HELD_OUT = "012"
"""A tune whose digest begins so is held out, whenever it was played: three of sixteen."""


def sessions(sources: Sequence[Path]) -> list[Path]:
    """Return the recordings in these files and folders; of a folder and those in it, logs, and MIDI files without one.

    :raises CorpusError: if a source is not there.
    """
    found: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            found |= dict.fromkeys(_within(source))
        elif source.is_file():
            found[source] = None
        else:
            raise CorpusError(f"there is no recording {source}; give logs, MIDI files, or folders of them")
    return list(found)


def is_named(path: Path, pattern: str) -> bool:
    """Say whether a recording has this name, with or without its ending; `*` stands for anything.

    A pattern with a slash in it names the end of a path: "guests/*" is all that is in a folder of that name.
    """
    if "/" in pattern:
        return fnmatch(f"/{path.as_posix()}", f"*/{pattern}")
    return fnmatch(path.name, pattern) or fnmatch(path.stem, pattern)


def _within(folder: Path) -> list[Path]:
    """Return the recordings in a folder; the MIDI file beside a log is of the same session."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    logs = {path.with_suffix("") for path in paths if path.suffix == SUFFIX}
    beside = {path for path in paths if is_midi_name(path) and path.with_suffix("") in logs}
    return [path for path in paths if (path.suffix == SUFFIX or is_midi_name(path)) and path not in beside]


def read_tunes(
    paths: Sequence[Path], progress: Progress = silent, executor: Executor | None = None
) -> tuple[list[Piece], list[str]]:
    """Return the tunes of recordings, and why others could not be read.

    :param executor: whose workers read, on this machine; None: this process.
    :raises ImproviserError: if the workers are lost.
    """
    names: list[str] = []
    there: list[Path] = []
    problems: dict[Path, str] = {}
    for path in watched(list(paths), "looking at recordings", progress):
        try:
            names.append(_look(path)[0])
        except LogError as error:
            problems[path] = f"{path} {error}"
        else:
            there.append(path)
    table = note_table(RECORDING, names, there, progress, executor)
    tunes: list[Piece] = []
    for path, file, lines in zip(there, table.files, table.lines, strict=True):
        if file.problem:
            problems[path] = file.problem.replace(PATH, str(path))
        found = enumerate(lines, start=1)
        tunes += [Piece(f"{path.stem}/{number}", (tune,), ("soprano",)) for number, tune in found]
    return tunes, [problems[path] for path in paths if path in problems]


def _look(path: Path) -> tuple[str, tuple[str]]:
    """Return what a recording is known by: its contents, and those of the log beside it, which is read instead."""
    digests = [path.suffix.encode()]
    beside = path.with_suffix(SUFFIX)
    for each in {path: None, beside: None}:
        try:
            with open_regular(each, LARGEST_RECORDING) as file:
                digests.append(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            if each == path:
                raise LogError(f"cannot be read ({error.strerror or error}); choose another recording") from error
    return parsed_file.name_for("recording", *digests), (str(path),)


def _parsed(path: str) -> ParsedFile:
    """Return the tunes of a recording, in a worker."""
    try:
        heard, _ = read_session(Path(path)).notes()
    except (LogError, MidiFileError) as error:
        return ParsedFile(str(error).replace(path, PATH))
    tunes = list(tunes_in(heard))
    return of_lines(tunes, len(tunes))


RECORDING = Kind(_look, _parsed)


def tunes_in(heard: Iterable[Note]) -> Iterator[tuple[Note, ...]]:
    """Yield the tunes among the notes that were heard."""
    line = list(_line(heard))
    gaps = [after.onset_seconds - before.onset_seconds for before, after in pairwise(line)]
    pause = max(LEAST_PAUSE_SECONDS, PAUSE * float(np.median(gaps))) if gaps else LEAST_PAUSE_SECONDS
    tune: list[Note] = []
    for note in line:
        rests = bool(tune) and note.onset_seconds - tune[-1].onset_seconds >= pause
        if len(tune) >= LONGEST or (rests and len(tune) >= SHORTEST):
            yield tuple(tune)
            tune = []
        tune.append(note)
    if len(tune) >= SHORTEST:
        yield tuple(tune)


def _line(heard: Iterable[Note]) -> Iterator[Note]:
    top: Note | None = None
    for note in sorted(heard, key=lambda note: (note.onset_seconds, note.pitch)):
        if top is None or note.onset_seconds - top.onset_seconds >= CHORD_SECONDS:
            if top is not None:
                yield top
            top = note
        elif note.pitch > top.pitch:
            top = Note(note.pitch, top.onset_seconds, note.duration_seconds, note.velocity)
    if top is not None:
        yield top


def held_out(tune: Sequence[Note]) -> bool:
    """Say whether a tune is one to test with: by its intervals, so that it stays so in all recordings."""
    steps = [after.pitch - before.pitch for before, after in pairwise(tune)]
    return hashlib.sha256(",".join(map(str, steps)).encode()).hexdigest()[0] in HELD_OUT
