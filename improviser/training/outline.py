"""A MIDI file's notes → voices from the top down: by track, channel or outline."""

from collections.abc import Sequence
from dataclasses import replace

from improviser.core.music.note import PITCHES, Note
from improviser.core.music.piece import Piece
from improviser.midifile import MidiPiece, TimedNote, melody
from improviser.training.chorales import VOICES

NAMES: dict[int, tuple[str, ...]] = {
    1: VOICES[:1],
    2: (VOICES[0], "bass"),
    3: (VOICES[0], "alto", "bass"),
    4: VOICES,
}
"""Names of the voices of a piece, from the top, by how many there are."""
SHORTEST_VOICE = 8
"""Notes; a part shorter than this is an ornament, not a voice."""


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
        return Piece(piece.name, voices, NAMES[len(voices)], inner=_inner(piece, voices) if chordal else ())
    large.sort(key=lambda part: -sum(timed.note.pitch for timed in part) / len(part))
    chosen = large if len(large) <= 4 else [*large[:2], *large[-2:]]
    lines = (*(_notes(melody(part)) for part in chosen[:-1]), _lower_line(chosen[-1]))
    return Piece(piece.name, lines, NAMES[len(chosen)], inner=_inner(piece, lines))


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
