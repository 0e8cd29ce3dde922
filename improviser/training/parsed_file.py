"""What a file of notes holds, as training needs it: small, and kept in the cache by the digest of the file's contents.

What lies in the cache begins with a digest: what is not ours, cut off or damaged is made again. The version of the
package belongs to what a file is known by, so that another reader reads it anew.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from improviser.core.music.line import ROW, Rows, rows_of
from improviser.core.music.note import Note
from improviser.errors import MidiFileError
from improviser.files import read_regular, replace_file
from improviser.midifile import lack_of_notes, parse_midi
from improviser.training.cache import FILES, UNFINISHED, cache_folder, used
from improviser.training.outline import in_voices
from improviser.training.software import software

T = TypeVar("T")

LARGEST = 2**28
DIGEST = 32


class ParsedFile(msgspec.Struct, frozen=True):
    """What a file holds.

    :param problem: why it cannot be used, words that go on from its name; empty if it can.
    :param repairs: what was wrong with it, and how it was read all the same.
    :param drums: how many notes of drums were left out.
    :param pitches: of all notes, by onset, then pitch, a byte each.
    :param lengths: how many notes its lines have, in the order in which they lie in `notes`.
    :param voices: how many of its lines are voices, from the top; a last one is of the other notes.
    :param notes: the lines' notes, as `core.music.line.ROW` has them.
    """

    problem: str = ""
    repairs: tuple[str, ...] = ()
    drums: int = 0
    pitches: bytes = b""
    lengths: tuple[int, ...] = ()
    voices: int = 0
    notes: bytes = b""

    def rows(self) -> Rows:
        """Return the notes of all lines."""
        return np.frombuffer(self.notes, ROW)

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        :raises ValueError: if it does not.
        """
        if self.notes and len(self.notes) != sum(self.lengths) * ROW.itemsize:
            raise ValueError("its notes are not as many as it says")


def parsed_midi(data: bytes) -> ParsedFile:
    """Return what a MIDI file holds: its voices, and all other notes."""
    try:
        piece = parse_midi(data, "")
    except MidiFileError as error:
        return ParsedFile(str(error))
    if not piece.notes:
        return ParsedFile(lack_of_notes(piece), piece.repairs, piece.drums)
    found = in_voices(piece)
    pitches = bytes(timed.note.pitch for timed in piece.notes)
    return of_lines((*found.voices, found.inner), len(found.voices), piece.repairs, piece.drums, pitches)


def of_lines(
    lines: Sequence[Sequence[Note]],
    voices: int,
    repairs: tuple[str, ...] = (),
    drums: int = 0,
    pitches: bytes = b"",
) -> ParsedFile:
    """Return a file of these lines, so many of which are voices."""
    notes = b"".join(rows_of(line).tobytes() for line in lines)
    return ParsedFile("", repairs, drums, pitches, tuple(map(len, lines)), voices, notes)


def name_for(kind: str, *contents: bytes) -> str:
    """Return what a file is known by: a digest of its contents, of what is made of them, and of who reads it."""
    digest = hashlib.sha256(f"{kind}\0{software()['improviser']}\0".encode())
    for content in contents:
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def kept(name: str) -> ParsedFile | None:
    """Return what is kept under a name, or None if nothing is that can be used."""
    path = _path(name)
    try:
        data = read_regular(path, LARGEST)
        found = decoded(data, ParsedFile)
    except OSError:
        return None
    if found is not None:
        used(path)
    return found


def keep(name: str, found: ParsedFile) -> bool:
    """Keep what a file holds; return whether that was possible."""
    return write_kept(_path(name), encoded(found))


def encoded(value: object) -> bytes:
    """Return a value as it lies in the cache, a digest before it."""
    data = msgspec.msgpack.encode(value)
    return hashlib.sha256(data).digest() + data


def decoded(data: bytes, kind: type[T]) -> T | None:
    """Return the value, or None if it is none, or damaged."""
    body = data[DIGEST:]
    if hashlib.sha256(body).digest() != data[:DIGEST]:
        return None
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_kept(path: Path, data: bytes) -> bool:
    """Write a file of the cache whole or not at all; return whether it was possible.

    It need not outlast a loss of power: what is cut off is made again.
    """
    unfinished = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as file:
            unfinished = Path(file.name)
            file.write(data)
        replace_file(unfinished, path)
    except BaseException as error:
        if unfinished is not None:
            with contextlib.suppress(OSError):
                unfinished.unlink()
        if isinstance(error, OSError):
            return False
        raise
    return True


def _path(name: str) -> Path:
    return cache_folder() / FILES / name[:2] / name
