"""A session in figures: how much was answered, how well the two went together, and in which key."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from improviser.core.music.counterpoint import Counterpoint, key_of
from improviser.core.music.home import home_of
from improviser.core.music.note import Note

MOVED_SECONDS, SAME_SECONDS = 0.09, 0.002
"""A note that is shorter than a chord may take to complete, and ends as another begins, was moved."""
TOGETHER_SECONDS = 0.03
"""An answer that starts so near a note of the player's is an answer to it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are 0–1, NaN where there is nothing to count.

    :param answered: the share of the player's notes that a note of the improviser's starts with.
    :param consonant: the share of the improviser's notes that are consonant with what the player sounds then.
    :param in_scale: the share of the improviser's notes in the scale of the player's key.
    :param repeats: the share of the improviser's notes that are the note before again.
    :param moved: the share of the improviser's notes that another took the place of as a chord completed.
    :param moved_seconds: how long such a note sounded, on average.
    :param key: the tonic and mode of what the player played ("D dorian"), "" without notes.
    """

    heard: int
    played: int
    answered: float
    consonant: float
    in_scale: float
    repeats: float
    key: str
    moved: float = math.nan
    moved_seconds: float = math.nan


def figures_of(player: Sequence[Note], improviser: Sequence[Note]) -> Figures:
    """Return the figures of a session; both parts by onset."""
    answered = _share([_starts_near(note.onset_seconds, improviser) for note in player])
    tonic, minor = key_of([note.pitch for note in player]) if player else (0, False)
    together = [(sounding, note) for note in improviser if (sounding := _sounding_at(note.onset_seconds, player))]
    counts = Counterpoint()
    counts.add([note.pitch for note in improviser], tonic, minor=minor)
    verticals = Counterpoint()
    for sounding, note in together:
        for pitch in sounding:
            verticals.add([note.pitch], tonic, minor=minor, player=[pitch])
    own = counts.figures()
    moved = _moved(improviser)
    return Figures(
        heard=len(player),
        played=len(improviser),
        answered=answered,
        consonant=verticals.figures()["consonant"],
        in_scale=own["in_scale"] if player else math.nan,
        repeats=own["repeats"],
        key=home_of(player).name if player else "",
        moved=len(moved) / len(improviser) if improviser else math.nan,
        moved_seconds=sum(moved) / len(moved) if moved else math.nan,
    )


def _moved(notes: Sequence[Note]) -> list[float]:
    """Return how long notes sounded in whose place another began: short ones, that end as it begins."""
    onsets = [note.onset_seconds for note in notes]
    found = []
    for note in notes:
        after = bisect_right(onsets, note.end_seconds + SAME_SECONDS)
        begins = after > 0 and onsets[after - 1] >= note.end_seconds - SAME_SECONDS
        if note.duration_seconds < MOVED_SECONDS and begins and onsets[after - 1] > note.onset_seconds:
            found.append(note.duration_seconds)
    return found


def _share(answers: Sequence[bool]) -> float:
    return sum(answers) / len(answers) if answers else math.nan


def _starts_near(seconds: float, notes: Sequence[Note]) -> bool:
    after = bisect_right(notes, seconds + TOGETHER_SECONDS, key=lambda note: note.onset_seconds)
    return after > 0 and notes[after - 1].onset_seconds >= seconds - TOGETHER_SECONDS


def _sounding_at(seconds: float, notes: Sequence[Note]) -> list[int]:
    """Return the pitches that sound at a moment, or start with it."""
    after = bisect_right(notes, seconds + TOGETHER_SECONDS, key=lambda note: note.onset_seconds)
    # Only the latest are looked at: who holds more keys than this has no hands left.
    return [note.pitch for note in notes[max(0, after - 32) : after] if note.end_seconds > seconds + TOGETHER_SECONDS]
