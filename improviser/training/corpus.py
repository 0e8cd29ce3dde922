"""Files and folders → pieces to learn from: read by as many workers as there are, once, and kept for later runs.

What a file holds is kept in the cache by the digest of its contents, so that of a folder only new and changed files are
read again. The notes of a large corpus lie in an array on disk, of which pieces are views: how much memory is taken
does not depend on how many notes there are.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from improviser.core.music.line import Line
from improviser.core.music.piece import Piece
from improviser.core.printable import printable
from improviser.errors import CorpusError, MidiFileError
from improviser.midifile import MIDI_SUFFIXES, is_midi_name, read_bytes, remarks
from improviser.training import parsed_file
from improviser.training.named_sources import NAMED
from improviser.training.note_table import Kind, note_table
from improviser.training.outline import NAMES
from improviser.training.parsed_file import ParsedFile, parsed_midi
from improviser.training.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was read.

    :param pieces: at least one, each with at least one note, in the order of the sources; folders by name.
    :param pitches: of all notes of each piece, by onset, then pitch, a byte each; what is in no voice as well.
    :param skipped: why other files are missing, one line each.
    :param remarks: what was repaired in files, or left out of them, one line each.
    """

    pieces: tuple[Piece, ...]
    pitches: tuple[bytes, ...]
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_files(
    sources: Sequence[str | Path],
    progress: Progress = silent,
    *,
    strict: bool = False,
    executor: Executor | None = None,
) -> Corpus:
    """Read MIDI files, and folders with all that is below them. Files that cannot be read are left out and listed.

    :param strict: neither leave out a file nor repair one.
    :param executor: whose workers read; None: this process.
    :raises CorpusError: if a source does not exist, or nothing usable is left.
    :raises MidiFileError: if the one file that was asked for cannot be used, or with `strict` any.
    :raises ImproviserError: if the workers are lost.
    """
    names, problems = _named(list(_files(sources)), progress)
    paths = [path for path, name in names.items() if name]
    table = note_table(MIDI_FILE, [names[path] for path in paths], paths, progress, executor)
    pieces: list[Piece] = []
    pitches: list[bytes] = []
    said: list[str] = []
    found = iter(zip(table.files, table.lines, strict=True))
    for path, name in names.items():
        if name:
            file, lines = next(found)
            if strict and file.repairs:
                raise MidiFileError(f"{path}: {'; '.join(file.repairs)}")
            if not file.problem:
                pieces.append(_piece(path, file, lines))
                pitches.append(file.pitches)
                said += remarks(path, file.repairs, file.drums)
                continue
            problems[path] = MidiFileError(f"{path} {file.problem}")
        if strict:
            raise problems[path]
    skipped = [problems[path] for path in names if path in problems]
    if not pieces:
        if len(skipped) == 1:
            raise skipped[0]
        if skipped:
            raise CorpusError(f"none of the {len(skipped)} MIDI files can be used; the first: {skipped[0]}")
        raise CorpusError(f"there is no MIDI file (*{', *'.join(MIDI_SUFFIXES)}) in {', '.join(map(str, sources))}")
    return Corpus(tuple(pieces), tuple(pitches), tuple(map(str, skipped)), tuple(said))


def _piece(path: Path, file: ParsedFile, lines: Sequence[Line]) -> Piece:
    voices = tuple(lines[: file.voices])
    return Piece(printable(path.stem), voices, NAMES[len(voices)], inner=lines[-1])


def _named(paths: Sequence[Path], progress: Progress) -> tuple[dict[Path, str], dict[Path, MidiFileError]]:
    """Return what each file's contents are known by, empty where there are none, and why there are none."""
    names: dict[Path, str] = {}
    problems = {}
    for place, path in enumerate(paths):
        progress("looking at files", place / len(paths))
        try:
            names[path], _ = _look(path)
        except MidiFileError as error:
            names[path] = ""
            problems[path] = MidiFileError(f"{path} {error}")
    progress("looking at files", 1.0)
    return names, problems


def _look(path: Path) -> tuple[str, tuple[bytes]]:
    data = read_bytes(path)
    return parsed_file.name_for("MIDI", data), (data,)


MIDI_FILE = Kind(_look, parsed_midi)


def _files(sources: Sequence[str | Path]) -> Iterator[Path]:
    """Yield every file once, in order."""
    seen = set()
    for source in map(Path, sources):
        try:
            if source.is_dir():
                found = sorted(path for path in source.rglob("*") if is_midi_name(path.name) and path.is_file())
            elif source.exists():
                found = [source]
            else:
                raise CorpusError(f"there is no file or folder {source}; give MIDI files, folders, {', '.join(NAMED)}")
        except (OSError, ValueError) as error:
            raise CorpusError(f"cannot look into {source}: {error}") from error
        yield from (path for path in found if path not in seen)
        seen.update(found)
