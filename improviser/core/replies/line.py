"""A line: what is evolved. Pitches and, for each, how long until the next and how it is touched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from improviser.core.music.phrase import Heard, Phrase

LONGEST_LINE = 32
"""Notes; of a longer phrase the last ones are replied to."""
LONGEST_GAP = 4.0
SHORTEST_GAP = 0.07
"""Seconds; notes that are closer are one chord."""
DURATION = (0.03, 6.0)


@dataclass(frozen=True, slots=True)
class Touch:
    """A note without its pitch.

    :param gap_seconds: from its onset to the next one's; of the last note, as long as it would be in a longer line.
    :param duration_seconds: how long it sounds.
    :param velocity: 1-127.
    :param channel: the player's, that it answers on.
    """

    gap_seconds: float
    duration_seconds: float
    velocity: int = 64
    channel: int = 0

    def scaled(self, factor: float) -> "Touch":
        """Return it in another tempo, but not too fast to be a line, nor with longer rests than a player waits for."""
        gap = min(LONGEST_GAP, max(SHORTEST_GAP, self.gap_seconds * factor))
        duration = min(DURATION[1], max(DURATION[0], self.duration_seconds * factor))
        return replace(self, gap_seconds=gap, duration_seconds=duration)


@dataclass(frozen=True, slots=True)
class Line:
    """One voice; as many touches as pitches, at least one.

    :param pitches: MIDI numbers, as the player and the models would write them (not transposed).
    """

    pitches: tuple[int, ...]
    touches: tuple[Touch, ...]

    def __len__(self) -> int:
        return len(self.pitches)

    @property
    def onsets(self) -> list[float]:
        """When each note begins, in seconds since the first."""
        return [0.0, *accumulate(touch.gap_seconds for touch in self.touches[:-1])]

    @property
    def seconds(self) -> float:
        """From the first onset to the end of the last note."""
        return sum(touch.gap_seconds for touch in self.touches[:-1]) + self.touches[-1].duration_seconds

    def sung(self, pitches: Sequence[int]) -> "Line":
        """Return other pitches, as many, in this rhythm."""
        return Line(tuple(pitches), self.touches)

    def part(self, start: int, end: int) -> "Line":
        """Return the notes from `start` to before `end`."""
        return Line(self.pitches[start:end], self.touches[start:end])

    def then(self, other: "Line") -> "Line":
        """Return this line and another after it."""
        return Line(self.pitches + other.pitches, self.touches + other.touches)


def line_of(melody: Sequence[Heard], phrase: Phrase) -> Line:
    """Return a melody of a phrase, at least one note, as a line; of a long one the last notes."""
    melody = melody[-LONGEST_LINE:]
    durations = [_duration(heard, phrase) for heard in melody]
    gaps = [
        min(LONGEST_GAP, max(SHORTEST_GAP, after.onset_seconds - before.onset_seconds))
        for before, after in pairwise(melody)
    ]
    usual = sorted(gaps)[len(gaps) // 2] if gaps else phrase.pulse_seconds
    gaps.append(min(LONGEST_GAP, max(SHORTEST_GAP, usual, durations[-1])))
    touches = [
        Touch(gap, duration, heard.note.velocity, heard.note.channel)
        for heard, gap, duration in zip(melody, gaps, durations, strict=True)
    ]
    return Line(tuple(heard.note.pitch for heard in melody), tuple(touches))


def _duration(heard: Heard, phrase: Phrase) -> float:
    end = phrase.end_seconds if heard.end_seconds is None else heard.end_seconds
    return max(DURATION[0], min(DURATION[1], end - heard.onset_seconds))


def steps_of(pitches: Sequence[int]) -> tuple[int, ...]:
    """Return the intervals between pitches, in semitones."""
    return tuple(after - before for before, after in pairwise(pitches))
