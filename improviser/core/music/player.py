"""Players that are not a MIDI port: the demo's tune, played as a human would, and notes as timed events."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.note import Note

QUARTER_SECONDS = 60 / 104
BEATS_PER_BAR = 4
# "Wachet auf, ruft uns die Stimme": the soprano of the closing chorale of J. S. Bach's cantata BWV 140 (1731; the tune
# is Philipp Nicolai's, 1599), with the notes of the Bach-Gesellschaft's edition, volume 28 (1881). Pitch and length in
# quarter notes; "-" is a rest. Bar form: the Stollen twice, then the Abgesang; a line is a phrase.
STOLLEN = """
Eb4 1  G4 1  Bb4 3/2  Bb4 1/2  Bb4 1  Bb4 1  C5 2  Bb4 2  - 1
Bb4 1  Eb5 1  Bb4 1  Eb5 1/2  F5 1/2  G5 1  F5 1  Eb5 1  D5 1  C5 1  Bb4 2  - 1
Bb4 1  Eb5 1  Bb4 1  C5 1  G4 1  Ab4 1/2  G4 1/2  F4 1  Eb4 1
"""
ABGESANG = """
Bb4 1  Bb4 3/2  Ab4 1/2  G4 1  F4 1  Eb4 2  - 1
Bb4 1  Bb4 3/2  Ab4 1/2  G4 1  F4 1  Eb4 2  - 1
F4 1  G4 1  Ab4 1  G4 1
Bb4 1  C5 1  D5 1  Eb5 1
Eb5 1/2  F5 1/2  G5 1  F5 1  Eb5 1
Bb4 1  Eb5 1  Bb4 1  C5 1  G4 1  Ab4 1/2  G4 1/2  F4 1  Eb4 2
"""
REST = "- 1"
TUNE = f"{STOLLEN} {REST} {STOLLEN} {ABGESANG} - 4"
"""The whole of it, ready to begin again."""
PITCH_CLASSES = {"C": 0, "D": 2, "Eb": 3, "F": 5, "G": 7, "Ab": 8, "Bb": 10}

RUBATO = 0.09
"""How much slower than on average a phrase begins and ends (a parabola, after Todd, 1985)."""
DRIFT = 0.012
JITTER_SECONDS = 0.009
LARGEST_JITTER_SECONDS = 0.02
SMALLEST_STEP = 0.3
"""No note comes earlier than this part of its written distance after the one before."""
RELEASE_SECONDS = 0.015
"""The finger needs this long to strike the same key again."""
BREATH = 0.25
"""A silence of this part of a note's distance to the next ends a phrase."""


def demo_tune(seconds: float | None = None) -> tuple[Note, ...]:
    """Return the tune as written, in strict time from second 0; see `STOLLEN` for what it is.

    :param seconds: how much of it: the whole tune again and again, the last note cut. Without it, the first Stollen
        (18 s).
    """
    if seconds is None:
        return _typed(STOLLEN)
    written, length = _typed(TUNE), float(_quarters(TUNE)) * QUARTER_SECONDS
    rounds = range(math.ceil(max(seconds, 0.0) / length))
    return cut(
        (replace(note, onset_seconds=length * number + note.onset_seconds) for number in rounds for note in written),
        seconds,
    )


def _tokens(text: str) -> list[tuple[str, Fraction]]:
    names, lengths = text.split()[::2], text.split()[1::2]
    return list(zip(names, map(Fraction, lengths), strict=True))


def _quarters(text: str) -> Fraction:
    return sum((length for _, length in _tokens(text)), Fraction())


def _typed(text: str) -> tuple[Note, ...]:
    tokens = _tokens(text)
    starts = accumulate((length for _, length in tokens), initial=Fraction())
    return tuple(
        Note(_pitch(name), float(start) * QUARTER_SECONDS, float(length) * QUARTER_SECONDS)
        for start, (name, length) in zip(starts, tokens, strict=False)
        if name != "-"
    )


def _pitch(name: str) -> int:
    return PITCH_CLASSES[name[:-1]] + 12 * (int(name[-1]) + 1)


def cut(notes: Iterable[Note], seconds: float) -> tuple[Note, ...]:
    """Return what sounds before `seconds`, every note ended by then."""
    return tuple(
        replace(note, duration_seconds=min(note.duration_seconds, seconds - note.onset_seconds))
        for note in notes
        if note.onset_seconds < seconds
    )


def humanise(
    notes: Sequence[Note],
    rng: np.random.Generator,
    *,
    beat_seconds: float = QUARTER_SECONDS,
    beats_per_bar: int = BEATS_PER_BAR,
) -> tuple[Note, ...]:
    """Return `notes` (sorted by onset, strict time) as a human plays them: the same notes, in the same order.

    Phrases (which end where there is a rest) broaden at both ends and swell in the middle; the tempo drifts a little;
    onsets miss by about 10 ms; bars and beats are accented; keys are released early or late, but in time to be struck
    again. The first note stays where it is. The same `rng` gives the same notes.
    """
    if not notes:
        return ()
    places = _phrase_places(notes)
    onsets = _onsets(notes, places, rng)
    velocities = _velocities(notes, places, rng, beat_seconds, beats_per_bar)
    durations = _durations(notes, onsets, rng)
    return tuple(
        replace(note, onset_seconds=float(onset), duration_seconds=float(duration), velocity=int(velocity))
        for note, onset, duration, velocity in zip(notes, onsets, durations, velocities, strict=True)
    )


def _phrase_places(notes: Sequence[Note]) -> NDArray[np.float64]:
    """Return where in its phrase each note starts, 0–1."""
    first = [0]
    for index, (note, following) in enumerate(pairwise(notes), start=1):
        distance = following.onset_seconds - note.onset_seconds
        if following.onset_seconds - note.end_seconds > BREATH * distance:
            first.append(index)
    starts = [notes[index].onset_seconds for index in first]
    ends = [*starts[1:], notes[-1].end_seconds]
    places = []
    for index, note in enumerate(notes):
        phrase = bisect_right(first, index) - 1
        length = max(ends[phrase] - starts[phrase], 1e-9)
        places.append((note.onset_seconds - starts[phrase]) / length)
    return np.array(places)


def _onsets(notes: Sequence[Note], places: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    written = np.array([note.onset_seconds for note in notes])
    steps = np.diff(written)
    # The distance after each note, stretched: 3(2x−1)²−1 has mean 0 over a phrase, so that the piece keeps its length.
    arch = RUBATO / 2 * (3 * (2 * places[:-1] - 1) ** 2 - 1)
    drift = np.zeros(len(steps))
    for index, step in enumerate(rng.normal(0.0, DRIFT, len(steps))):
        drift[index] = 0.7 * drift[index - 1] + step if index else step
    beats = written[0] + np.concatenate([[0.0], np.cumsum(steps * (1 + arch) * (1 + drift))])
    jitter = rng.normal(0.0, JITTER_SECONDS, len(notes)).clip(-LARGEST_JITTER_SECONDS, LARGEST_JITTER_SECONDS)
    played: NDArray[np.float64] = beats + jitter
    played[0] = written[0]
    for index, step in enumerate(steps, start=1):
        played[index] = max(played[index], played[index - 1] + SMALLEST_STEP * step)
    return played


def _velocities(
    notes: Sequence[Note],
    places: NDArray[np.float64],
    rng: np.random.Generator,
    beat_seconds: float,
    beats_per_bar: int,
) -> NDArray[np.int64]:
    pitches = np.array([note.pitch for note in notes])
    beats = (np.array([note.onset_seconds for note in notes]) - notes[0].onset_seconds) / beat_seconds
    on_beat = np.abs(beats - np.round(beats)) < 0.05
    on_bar = on_beat & (np.round(beats) % beats_per_bar == 0)
    velocities = np.array([note.velocity for note in notes]) + 6.0
    velocities += 16 * np.sin(np.pi * places) + 0.5 * (pitches - pitches.mean())
    velocities += 4 * on_beat + 5 * on_bar + rng.normal(0.0, 2.5, len(notes))
    whole: NDArray[np.int64] = np.round(velocities.clip(1, 127)).astype(np.int64)
    return whole


def _durations(notes: Sequence[Note], onsets: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    written = np.array([note.duration_seconds for note in notes])
    durations: NDArray[np.float64] = written * rng.normal(0.95, 0.035, len(notes)).clip(0.8, 1.03)
    next_of_pitch: dict[int, float] = {}
    for index in reversed(range(len(notes))):
        pitch = notes[index].pitch
        if pitch in next_of_pitch:
            distance = next_of_pitch[pitch] - onsets[index]
            durations[index] = min(durations[index], max(distance - RELEASE_SECONDS, distance / 2))
        next_of_pitch[pitch] = onsets[index]
    return durations


def performance(rng: np.random.Generator, seconds: float | None = None) -> tuple[Note, ...]:
    """Return the demo's tune as a human plays it; `seconds` as in `demo_tune`, to the second."""
    if seconds is None:
        return humanise(demo_tune(), rng)
    # A little more than asked, since the player may hurry.
    return cut(humanise(demo_tune(seconds * 1.1 + 1), rng), seconds)


def note_events(notes: Iterable[Note], *, channel: int = 0) -> list[tuple[float, NoteOn | NoteOff]]:
    """Return the notes as (seconds, event), in order; at one moment notes end before others start."""
    moments: list[tuple[float, int, NoteOn | NoteOff]] = []
    for note in notes:
        ends = 2 if note.end_seconds == note.onset_seconds else 0  # a note of no length ends after it has started
        moments.append((note.onset_seconds, 1, NoteOn(channel, note.pitch, note.velocity)))
        moments.append((note.end_seconds, ends, NoteOff(channel, note.pitch)))
    moments.sort(key=lambda moment: moment[:2])
    return [(seconds, event) for seconds, _, event in moments]
