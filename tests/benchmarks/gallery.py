"""The gallery: short sessions, always the same, as MIDI, sound and pictures.

Run from a checkout::

    uv run python -m tests.benchmarks.gallery gallery

Time does not pass: the performer gets stamped notes, as in a replay, so it takes seconds and gives the same notes
wherever numpy computes alike. `--pictures .github` renews the README's.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import Event, TimedEvent
from improviser.core.midi.pairing import notes_of
from improviser.core.music.note import Note
from improviser.core.music.player import humanise, note_events, performance
from improviser.files import create_folder, write_atomically
from improviser.library import catalogue
from improviser.recordings.midi_recording import write_session
from improviser.show.picture import session_picture
from improviser.show.sound import write_wav

BEAT_SECONDS = 0.46
REPLY_BEATS = 11
"""Beats that the tune waits for the reply to a phrase."""
LONGEST_REPLY_SECONDS = 12.0

# A tune of our own, in the manner of a folk song, D dorian: MIDI pitch and length in beats, a line is a phrase.
TUNE = (
    ((62, 1), (69, 1), (69, 0.5), (67, 0.5), (65, 0.5), (67, 0.5), (69, 2)),
    ((72, 1), (69, 0.5), (67, 0.5), (65, 0.5), (64, 0.5), (62, 0.5), (64, 0.5), (65, 1), (64, 1)),
    ((69, 1), (74, 1), (72, 0.5), (71, 0.5), (69, 0.5), (67, 0.5), (69, 2)),
    ((65, 0.5), (67, 0.5), (69, 0.5), (65, 0.5), (67, 0.5), (64, 0.5), (60, 1), (62, 2)),
)

# Two riffs of our own, blues in A, with the blue note: MIDI pitch and length in beats; each comes twice.
RIFFS = (
    ((69, 0.67), (72, 0.33), (74, 0.67), (75, 0.33), (76, 1), (79, 0.67), (76, 0.33), (74, 1), (72, 0.67), (69, 1.33)),
    ((81, 0.67), (79, 0.33), (76, 0.67), (75, 0.33), (74, 1), (72, 0.67), (74, 0.33), (72, 0.67), (67, 0.33), (69, 2)),
)

# A song of our own for two hands, D minor: the left hand's chord, twice a bar, and the right hand's bar of four beats.
SONG = (
    ((50, 53, 57), ((69, 1), (74, 0.5), (72, 0.5), (69, 2))),
    ((46, 50, 53), ((70, 1), (69, 0.5), (67, 0.5), (65, 2))),
    ((43, 46, 50), ((67, 0.5), (70, 0.5), (74, 1), (70, 2))),
    ((45, 49, 52), ((69, 1), (73, 0.5), (76, 0.5), (73, 2))),
)


@dataclass(frozen=True)
class Exhibit:
    """One session of the gallery: who plays, how, and what is played to them."""

    name: str
    title: str
    models: tuple[str, ...]
    tune: tuple[Note, ...]
    seed: int
    parameters: dict[str, Any] = field(default_factory=dict)
    tail_seconds: float = LONGEST_REPLY_SECONDS


def phrases(
    tune: Sequence[Sequence[tuple[int, float]]], rng: np.random.Generator, rest: float = REPLY_BEATS
) -> tuple[Note, ...]:
    """Return a tune as a human plays it, with a rest (beats) after each phrase, in which it can be answered."""
    notes, beat = [], 0.0
    for phrase in tune:
        for pitch, beats in phrase:
            notes.append(Note(pitch, beat * BEAT_SECONDS, beats * BEAT_SECONDS))
            beat += beats
        beat += rest
    return humanise(notes, rng, beat_seconds=BEAT_SECONDS)


def two_hands(rng: np.random.Generator, rounds: int, rest: float = 0.0) -> tuple[Note, ...]:
    """Return our song for two hands, some rounds of it, with a rest (beats) after each."""
    notes, beat = [], 0.0
    for _ in range(rounds):
        for chord, tune in SONG:
            for half in (0, 2):
                notes += [Note(pitch, (beat + half) * BEAT_SECONDS, 1.8 * BEAT_SECONDS, 64) for pitch in chord]
            for pitch, beats in tune:
                notes.append(Note(pitch, beat * BEAT_SECONDS, beats * BEAT_SECONDS, 84))
                beat += beats
        beat += rest
    notes.sort(key=lambda note: note.onset_seconds)
    return humanise(notes, rng, beat_seconds=BEAT_SECONDS)


def exhibits() -> tuple[Exhibit, ...]:
    """Return the sessions."""
    chorale = performance(np.random.default_rng(1))
    folk = phrases(TUNE, np.random.default_rng(3))
    blues = phrases(RIFFS * 2, np.random.default_rng(6))
    alone = phrases(RIFFS, np.random.default_rng(6), rest=1.0)
    return (
        Exhibit("echo", "An echo of Bach's “Wachet auf”, by the original recipe", ("echo",), chorale, 1),
        Exhibit("chorale", "A bass and a tenor to Bach's “Wachet auf”", ("bach-bass", "bach-tenor"), chorale, 2),
        Exhibit(
            "answer",
            "A tune of our own, phrase by phrase, and its answers",
            ("bach-melody",),
            folk,
            5,
            {"mode": "answer"},
        ),
        Exhibit("blues", "Two blues riffs, twice, and their answers", ("auto",), blues, 3, {"mode": "answer"}),
        Exhibit(
            "solo", "The two riffs, and a solo that goes on from them", ("auto",), alone, 4, {"mode": "solo"}, 60.0
        ),
        Exhibit(
            "hands",
            "A bass to a song of our own for two hands",
            ("bach-bass",),
            two_hands(np.random.default_rng(4), 2),
            1,
        ),
        Exhibit(
            "hands-every",
            "The same with an answer to every note, as before chords were heard",
            ("bach-bass",),
            two_hands(np.random.default_rng(4), 2),
            1,
            {"follow": "every"},
        ),
        Exhibit(
            "hands-answer",
            "The same song, and its answer for two hands",
            ("bach-melody",),
            two_hands(np.random.default_rng(4), 1),
            2,
            {"mode": "answer"},
        ),
        Exhibit("four-parts", "An alto, a tenor and a bass to Bach's “Wachet auf”", ("bach-chorale",), chorale, 2),
    )


def give(exhibit: Exhibit) -> tuple[list[TimedEvent], list[TimedEvent]]:
    """Play a session; return what was heard and what was played, in seconds."""
    models = [catalogue.load_model(name) for name in exhibit.models]
    performer = Performer(models, Parameters(**exhibit.parameters), np.random.default_rng(exhibit.seed))
    heard: list[TimedEvent] = list(note_events(exhibit.tune))
    played: list[TimedEvent] = []

    def send(now: float, events: Sequence[Event]) -> None:
        for event in events:
            performer.sent(event)
            played.append((now, event))

    def play_what_is_due(until: float) -> None:
        while (deadline := performer.deadline) is not None and deadline <= until:
            send(deadline, performer.advance(deadline).events)

    for now, event in heard:
        play_what_is_due(now)
        send(now, performer.hear(event, now).events)
        performer.settle()
    end = heard[-1][0] + exhibit.tail_seconds
    play_what_is_due(end)
    send(max(moment[0] for moment in (*heard, *played)), performer.panic())
    return heard, played


def show(exhibit: Exhibit, folder: Path, pictures: Path) -> None:
    """Write a session as MIDI and WAV to `folder`, and its picture to `pictures`.

    :raises OutputError: if they cannot be written.
    """
    heard, played = give(exhibit)
    end = max(seconds for seconds, _ in (*heard, *played))
    write_session(folder / f"{exhibit.name}.mid", heard, played)
    write_wav(folder / f"{exhibit.name}.wav", heard, played)
    picture = session_picture(notes_of(heard, end), notes_of(played, end), exhibit.title)
    write_atomically(pictures / f"{'gallery-' if pictures != folder else ''}{exhibit.name}.svg", picture.encode())


def main() -> None:
    """Write the gallery."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write MIDI and sound")
    parser.add_argument("--pictures", type=Path, help="where to write the pictures, if not there")
    options = parser.parse_args()
    pictures = options.pictures or options.folder
    for folder in (options.folder, pictures):
        create_folder(folder)
    for exhibit in exhibits():
        show(exhibit, options.folder, pictures)
        print(f"{exhibit.name}: {exhibit.title}")


if __name__ == "__main__":
    main()
