"""Training sources → pieces in voices: chorales as they are scored, MIDI files by track, channel or outline."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from improviser.core.music.note import Note
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError
from improviser.training.chorales import VOICES
from improviser.training.corpus import read_files
from improviser.training.named_sources import NAMED, load_named
from improviser.training.progress import Progress, silent

TOP = VOICES[0]


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read: pieces, at least one, why other files were left out, and what was repaired in some."""

    pieces: tuple[Piece, ...]
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_sources(
    sources: Sequence[str],
    progress: Progress = silent,
    *,
    strict: bool = False,
    for_training: bool = True,
    executor: Executor | None = None,
) -> Sources:
    """Read MIDI files, folders, and the sources of `NAMED`.

    :param strict: neither leave out a file nor repair one.
    :param for_training: see `load_named`.
    :param executor: whose workers read files; None: this process.
    :raises CorpusError: if there is nothing to learn from, or a corpus is wanted without the extra `corpus`.
    :raises MidiFileError: if the one file that was asked for cannot be used, or with `strict` any.
    """
    pieces = load_named(sources, progress, for_training=for_training)
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    files = [source for source in sources if source not in NAMED]
    if files:
        corpus = read_files(files, progress, strict=strict, executor=executor)
        skipped, remarks = corpus.skipped, corpus.remarks
        pieces += corpus.pieces
    return Sources(tuple(pieces), skipped, remarks)


def duets(pieces: Sequence[Piece], voice: str, to: str = TOP) -> list[tuple[Piece, Sequence[Note], Sequence[Note]]]:
    """Return the piece, its voice called `to` and that called `voice` of every piece that has both.

    :raises CorpusError: if none has.
    """
    found = [
        (piece, player, own)
        for piece in pieces
        if voice != to and (player := piece.voice(to)) is not None and (own := piece.voice(voice)) is not None
    ]
    if not found:
        where = "under" if to == TOP else "beside"
        raise CorpusError(
            f"no piece has a {voice} {where} its {to}; give MIDI files with several tracks, or take another voice"
        )
    return found
