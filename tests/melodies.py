"""Small MIDI files for tests, and broken ones."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from improviser.core.midi.tempo import TempoMap
from improviser.core.music.note import Note
from improviser.midifile import MidiPiece, TimedNote, write_midi

TICKS = 480
TUNE = (60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 72, 71, 67, 69, 65, 62, 64, 60, 60)

BROKEN = (
    "empty",
    "truncated in its header",
    "truncated in its track",
    "random",
    "random after a sound header",
    "text",
    "a track of the wrong length",
    "of no division",
    "without notes",
    "with drums alone",
)


def timed(pitch: int, start: int, end: int, *, channel: int = 0, velocity: int = 64) -> TimedNote:
    """Return a note at 120 beats a minute."""
    seconds = 0.5 / TICKS
    return TimedNote(0, channel, start, end, Note(pitch, start * seconds, (end - start) * seconds, velocity))


def piece(notes: Iterable[TimedNote]) -> MidiPiece:
    return MidiPiece("piece", TempoMap(TICKS), (), ("",), tuple(notes))


def write_melody(path: Path, pitches: Sequence[int] = TUNE) -> Path:
    """Write one note after the other, an eighth each."""
    write_midi(path, piece(timed(pitch, 240 * place, 240 * place + 200) for place, pitch in enumerate(pitches)))
    return path


def broken_midi_files(folder: Path) -> dict[str, Path]:
    """Write MIDI files that cannot be used, by what is wrong with them."""
    good = write_melody(folder / "good.mid").read_bytes()
    rng = random.Random(1)
    contents = {
        "empty": b"",
        "truncated in its header": good[:10],
        "truncated in its track": good[: len(good) // 2],
        "random": rng.randbytes(2000),
        "random after a sound header": good[:14] + rng.randbytes(500),
        "text": b"Once upon a time there was a melody.\n" * 20,
        "a track of the wrong length": good[:18] + b"\xff\xff\xff\xff" + good[22:-4],
        "of no division": good[:12] + b"\0\0" + good[14:],
    }
    paths = {}
    for name, data in contents.items():
        paths[name] = folder / f"{name.replace(' ', '-')}.mid"
        paths[name].write_bytes(data)
    paths["without notes"] = folder / "without-notes.mid"
    write_midi(paths["without notes"], piece(()))
    paths["with drums alone"] = folder / "drums.mid"
    write_midi(paths["with drums alone"], piece(timed(40, 10 * n, 10 * n + 5, channel=9) for n in range(8)))
    assert tuple(paths) == BROKEN
    return paths
