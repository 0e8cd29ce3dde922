"""Files and folders → pieces to learn from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from improviser.errors import CorpusError, MidiFileError
from improviser.midifile import MIDI_SUFFIXES, MidiPiece, is_midi_name, read_midi, remarks_on
from improviser.training.named_sources import NAMED
from improviser.training.progress import Progress, silent, watched


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was read.

    :param pieces: at least one, each with at least one note, in the order of the sources; folders by name.
    :param skipped: why other files are missing, one line each.
    :param remarks: what was repaired in files, or left out of them, one line each.
    """

    pieces: tuple[MidiPiece, ...]
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_files(sources: Sequence[str | Path], progress: Progress = silent, *, strict: bool = False) -> Corpus:
    """Read MIDI files, and folders with all that is below them. Files that cannot be read are left out and listed.

    :param strict: neither leave out a file nor repair one.
    :raises CorpusError: if a source does not exist, or nothing usable is left.
    :raises MidiFileError: if the one file that was asked for cannot be used, or with `strict` any.
    """
    pieces = []
    problems = []
    remarks: list[str] = []
    for path in watched(list(_files(sources)), "reading files", progress):
        try:
            piece = read_midi(path, need_notes=True, strict=strict)
        except MidiFileError as error:
            if strict:
                raise
            problems.append(error)
        else:
            pieces.append(piece)
            remarks += remarks_on(path, piece)
    if not pieces:
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise CorpusError(f"none of the {len(problems)} MIDI files can be used; the first: {problems[0]}")
        raise CorpusError(f"there is no MIDI file (*{', *'.join(MIDI_SUFFIXES)}) in {', '.join(map(str, sources))}")
    return Corpus(tuple(pieces), tuple(map(str, problems)), tuple(remarks))


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
