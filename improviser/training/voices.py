"""Training sources → pieces in voices: chorales as they are scored, MIDI files by track, channel or outline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from improviser.core.music.note import PITCHES, Note
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError
from improviser.midifile import MidiPiece, TimedNote, melody
from improviser.training.chorales import VOICES
from improviser.training.corpus import read_files
from improviser.training.named_sources import NAMED, load_named
from improviser.training.progress import Progress, silent, watched

TOP = VOICES[0]
# Names of the voices of a piece, from the top, by how many there are.
_NAMES: dict[int, tuple[str, ...]] = {
    1: (TOP,),
    2: (TOP, "bass"),
    3: (TOP, "alto", "bass"),
    4: VOICES,
}
# A part shorter than this is an ornament, not a voice.
SHORTEST_VOICE = 8


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read: pieces, at least one, why other files were left out, and what was repaired in some."""

    pieces: tuple[Piece, ...]
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_sources(
    sources: Sequence[str], progress: Progress = silent, *, strict: bool = False, for_training: bool = True
) -> Sources:
    """Read MIDI files, folders, and the sources of `NAMED`.

    :param strict: neither leave out a file nor repair one.
    :param for_training: see `load_named`.
    :raises CorpusError: if there is nothing to learn from, or a corpus is wanted without the extra `corpus`.
    :raises MidiFileError: if the one file that was asked for cannot be used, or with `strict` any.
    """
    pieces = load_named(sources, progress, for_training=for_training)
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    files = [source for source in sources if source not in NAMED]
    if files:
        corpus = read_files(files, progress, strict=strict)
        skipped, remarks = corpus.skipped, corpus.remarks
        pieces += [in_voices(piece) for piece in watched(corpus.pieces, "finding voices", progress)]
    return Sources(tuple(pieces), skipped, remarks)


def in_voices(piece: MidiPiece) -> Piece:
    """Return a MIDI file's notes as voices from the top down.

    Every track and channel with enough notes is a voice; of more than four, the two highest and the two lowest count.
    A file of one part only has two: the upper and the lower outline of what it holds. All other notes are inner ones.
    """
    parts: dict[tuple[int, int], list[TimedNote]] = {}
    for timed in piece.notes:
        parts.setdefault((timed.track, timed.channel), []).append(timed)
    large = [part for part in parts.values() if len(part) >= SHORTEST_VOICE]
    if len(large) < 2:
        upper, lower = _notes(melody(piece.notes)), _lower_line(piece.notes)
        chordal = sum(one.pitch != other.pitch for one, other in zip(upper, lower, strict=False)) > len(upper) // 10
        voices = (upper, lower) if chordal else (upper,)
        return Piece(piece.name, voices, _NAMES[len(voices)], inner=_inner(piece, voices) if chordal else ())
    large.sort(key=lambda part: -sum(timed.note.pitch for timed in part) / len(part))
    chosen = large if len(large) <= 4 else [*large[:2], *large[-2:]]
    lines = (*(_notes(melody(part)) for part in chosen[:-1]), _lower_line(chosen[-1]))
    return Piece(piece.name, lines, _NAMES[len(chosen)], inner=_inner(piece, lines))


def _notes(line: Sequence[TimedNote]) -> tuple[Note, ...]:
    return tuple(timed.note for timed in line)


def _inner(piece: MidiPiece, voices: Sequence[Sequence[Note]]) -> tuple[Note, ...]:
    """Return the notes that are in none of the voices."""
    taken = {(note.onset_seconds, note.pitch) for voice in voices for note in voice}
    return tuple(timed.note for timed in piece.notes if (timed.note.onset_seconds, timed.note.pitch) not in taken)


def _lower_line(notes: Sequence[TimedNote]) -> tuple[Note, ...]:
    """Return the lower outline: the upper one of the notes turned upside down."""
    turned = sorted((_turned(timed) for timed in notes), key=lambda timed: (timed.start_tick, timed.note.pitch))
    return _notes([_turned(timed) for timed in melody(turned)])


def _turned(timed: TimedNote) -> TimedNote:
    return replace(timed, note=replace(timed.note, pitch=PITCHES - 1 - timed.note.pitch))


def duets(pieces: Sequence[Piece], voice: str, to: str = TOP) -> list[tuple[Piece, tuple[Note, ...], tuple[Note, ...]]]:
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
