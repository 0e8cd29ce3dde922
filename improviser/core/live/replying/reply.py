"""A reply: what is to be played when, in the rhythm of a phrase of the player's; the pitches are chosen as it goes.

A reply is a row of beats, each with the onset, the duration and the velocity of a note the player played, and a pitch
to go by: the player's own melody, as it was or varied. What is made of that pitch is up to the models that play.
"""

import heapq
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from improviser.core.live.answering.left_hand import figures, hands_of, harmony_at
from improviser.core.music.keys import KeyTracker, estimate_key
from improviser.core.music.note import PITCHES
from improviser.core.music.phrase import CHORD_SECONDS, Heard, Phrase
from improviser.core.music.scales import STEPS
from improviser.core.replies.line import LONGEST_LINE

LONGEST_GAP = 4.0
DURATION = (0.03, 6.0)
SEQUENCES = (-4, -2, -1, 1, 2, 3)
"""Steps of the scale by which a varied melody is moved."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One note to play: seconds since the reply began, how long, how loud, for which channel of the player.

    :param figure: where it is one of the left hand's instead, the pitches that the player struck together.
    :param harmony: the pitches that tell the harmony which that is a part of.
    :param composed: whether the pitch is what the leader plays, and not only one to go by.
    """

    onset_seconds: float
    duration_seconds: float
    velocity: int
    channel: int
    pitch: int
    figure: tuple[int, ...] = ()
    harmony: tuple[int, ...] = ()
    composed: bool = False


def reply_to(phrase: Phrase, rng: np.random.Generator | None = None, border: float | None = None) -> list[Beat]:
    """Return the beats of a reply to `phrase`, its melody varied by `rng` if there is one.

    :param border: between the hands; without it, all that was played is one.
    """
    right, left = (list(phrase.notes), []) if border is None else hands_of(phrase, border)
    melody = replace(phrase, notes=tuple(right)).melody()[-LONGEST_LINE:]
    pitches = [heard.note.pitch for heard in melody]
    if rng is not None:
        pitches = varied(pitches, rng)
    beats: list[Beat] = []
    onset, before = 0.0, melody[0].onset_seconds
    for heard, pitch in zip(melody, pitches, strict=True):
        onset += min(heard.onset_seconds - before, LONGEST_GAP)
        before = heard.onset_seconds
        beats.append(Beat(onset, _duration(heard, phrase), heard.note.velocity, heard.note.channel, pitch))
    return _with_left_hand(beats, melody, left, phrase) if left else beats


def _with_left_hand(beats: list[Beat], melody: list[Heard], left: list[Heard], phrase: Phrase) -> list[Beat]:
    """Return the beats of a melody, and with them the left hand's figures; of one moment the melody comes first."""
    onsets = [heard.onset_seconds for heard in melody]
    both = [(beat.onset_seconds, 0, beat) for beat in beats]
    for struck in figures(left):
        seconds = struck[0].onset_seconds
        place = bisect_right(onsets, seconds + CHORD_SECONDS) - 1
        if place < 0:
            continue
        late = seconds - onsets[place]
        onset = beats[place].onset_seconds + (late if late >= CHORD_SECONDS else 0.0)
        if place + 1 < len(beats):
            onset = min(onset, beats[place + 1].onset_seconds)
        pitches = tuple(heard.note.pitch for heard in struck)
        duration = max(_duration(heard, phrase) for heard in struck)
        first = struck[0].note
        harmony = harmony_at(left, seconds)
        figure = Beat(onset, duration, first.velocity, first.channel, min(pitches), pitches, harmony)
        both.append((onset, 1, figure))
    both.sort(key=lambda each: each[:2])
    return [beat for _, _, beat in both]


def _duration(heard: Heard, phrase: Phrase) -> float:
    end = phrase.end_seconds if heard.end_seconds is None else heard.end_seconds
    return max(DURATION[0], min(DURATION[1], end - heard.onset_seconds))


def varied(pitches: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Return a melody moved along its scale, turned upside down, backwards, or as it was."""
    keys = KeyTracker()
    for pitch in pitches:
        keys.hear(pitch)
    tonic, _ = estimate_key(keys.histogram)
    scale = [pitch for pitch in range(PITCHES) if (pitch - tonic) % 12 in STEPS["major"]]
    places = [min(range(len(scale)), key=lambda place: abs(scale[place] - pitch)) for pitch in pitches]
    match int(rng.integers(4)):
        case 0:
            step = int(rng.choice(SEQUENCES))
            places = [place + step for place in places]
        case 1:
            places = [2 * places[0] - place for place in places]
        case 2:
            places = places[::-1]
        case _:
            pass
    # Between its steps a melody keeps its accidentals only as it was; and it stays where MIDI has pitches.
    lowest, highest = min(places), max(places)
    shift = max(0, -lowest) - max(0, highest - len(scale) + 1)
    return [scale[max(0, min(len(scale) - 1, place + shift))] for place in places]


class Schedule:
    """What is due next of a reply: its beats from `start_seconds` on, and the ends of those that sound."""

    def __init__(self, beats: Sequence[Beat], start_seconds: float, pulse_seconds: float) -> None:
        self._beats = beats
        self._next = 0
        self._last = max(number for number, beat in enumerate(beats) if not beat.figure)
        self._start = start_seconds
        self._ends: list[tuple[float, int]] = []
        self.pulse_seconds = pulse_seconds
        tune = [beat.pitch for beat in beats if not beat.figure]
        self.middle = sum(tune) / len(tune)
        """Where the tune lies."""

    @property
    def due(self) -> float | None:
        """Return when something is due; None when all is done."""
        ends = self._ends[0][0] if self._ends else None
        if self._next == len(self._beats):
            return ends
        onset = self._start + self._beats[self._next].onset_seconds
        return onset if ends is None else min(onset, ends)

    def ended(self, now: float) -> list[int]:
        """Take out the numbers of the beats that end by `now`."""
        numbers = []
        while self._ends and self._ends[0][0] <= now:
            numbers.append(heapq.heappop(self._ends)[1])
        return numbers

    def begun(self, now: float) -> tuple[int, Beat, bool] | None:
        """Take out the beat that begins by `now`, if one does: its number, itself, and whether it is the last."""
        if self._next == len(self._beats) or self._start + self._beats[self._next].onset_seconds > now:
            return None
        number, beat = self._next, self._beats[self._next]
        self._next += 1
        onset = self._start + beat.onset_seconds
        heapq.heappush(self._ends, (onset + beat.duration_seconds, number))
        return number, beat, number == self._last

    def has_beats_of(self, channel: int) -> bool:
        """Say whether any of it answers notes of a channel of the player's."""
        return any(beat.channel == channel for beat in self._beats)

    def postpone(self, seconds: float) -> None:
        """Do all that is still due that much later."""
        self._start += seconds
        self._ends = [(end + seconds, number) for end, number in self._ends]

    @property
    def following_seconds(self) -> float:
        """When another phrase may follow: a pulse after the last beat, or when that has ended."""
        last = self._beats[-1]
        rest = max(self.pulse_seconds, min(last.duration_seconds, LONGEST_GAP))
        pulses = max(1, int(rest / self.pulse_seconds + 0.95))
        return self._start + last.onset_seconds + min(pulses * self.pulse_seconds, 2 * LONGEST_GAP)
