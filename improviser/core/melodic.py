"""What a melody knows of itself: its notes so far, its memory, and the viewpoints on them for its next note."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improviser.core.keys import KeyTracker, estimate_key
from improviser.core.memory import Expert, certainty, conditioned
from improviser.core.note import PITCHES
from improviser.core.rhythm import CLASSES, RhythmTracker
from improviser.core.viewpoints import Choice, Numbers, clipped

# The middle of the corpus, sopranos of chorales; melodies elsewhere are heard an octave or more away.
CENTRE = 69
# How much of a running mean is left one note later.
MEAN_FADE = 0.9
STEP = 7
# An expert on intervals tells these apart, in semitones.
REACH = 24
_INTERVALS = 2 * REACH + 1

_COUNTS = (0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 7)
_BEATS = {0: 0, 4: 1, 8: 2, 12: 3}


@dataclass(slots=True)
class Situation:
    """The moment of a melody's next note; pitches are MIDI numbers, the latest first, as many as there are."""

    tonic: int
    minor: float
    histogram: list[float]
    pitches: tuple[int, ...]
    phrase_first: int | None
    shift: int
    mean: float
    gap: int | None
    earlier_gap: int | None
    steps: int
    anchored: bool
    count: int
    experts: NDArray[np.float64]
    certainties: Sequence[float]


def _pitch(now: Situation, back: int) -> int | None:
    return now.pitches[back] if back < len(now.pitches) else None


def _degree(now: Situation, pitch: int | None) -> int | None:
    return None if pitch is None else (pitch - now.tonic) % 12


def _step(now: Situation, back: int, further: int, limit: int) -> int | None:
    if further >= len(now.pitches):
        return None
    return clipped(now.pitches[back] - now.pitches[further], limit)


def _rotated(now: Situation) -> list[float]:
    total = max(sum(now.histogram), 1.0)
    return [now.histogram[(now.tonic + degree) % 12] * 3.0 / total for degree in range(12)]


def _heights(now: Situation) -> tuple[float, float]:
    if not now.pitches:
        return 0.0, 0.0
    latest = now.pitches[0]
    return (latest - now.shift - CENTRE) / 6.0, max(-2.0, min(2.0, (latest - now.mean) / 6.0))


VIEWPOINTS: dict[str, Choice[Situation] | Numbers[Situation]] = {
    "degree 1": Choice(12, lambda now: _degree(now, _pitch(now, 0))),
    "degree 2": Choice(12, lambda now: _degree(now, _pitch(now, 1))),
    "interval 1": Choice(2 * STEP + 1, lambda now: _step(now, 0, 1, STEP)),
    "interval 2": Choice(2 * STEP + 1, lambda now: _step(now, 1, 2, STEP)),
    "contour 3": Choice(5, lambda now: _step(now, 0, 3, 2)),
    "contour 4": Choice(5, lambda now: _step(now, 0, 4, 2)),
    "gap": Choice(CLASSES, lambda now: None if now.gap is None else now.gap + 2),
    "gap 1": Choice(CLASSES, lambda now: None if now.earlier_gap is None else now.earlier_gap + 2),
    "beat": Choice(12, lambda now: _BEATS.get(now.steps, 4 if now.steps % 2 == 0 else 5) + (6 if now.anchored else 0)),
    "count": Choice(8, lambda now: _COUNTS[now.count]),
    "phrase degree": Choice(12, lambda now: _degree(now, now.phrase_first)),
    "first": Choice(1, lambda now: None if now.pitches else 0),
    "histogram": Numbers(12, _rotated),
    "minor": Numbers(1, lambda now: (2.0 * now.minor - 1.0,)),
    "heights": Numbers(2, _heights),
    "certainties": Numbers(8, lambda now: now.certainties),
}
EXPERTS = ("pitch", "interval", "interval and pitch class", "pitch class")


class Melody:
    """One session of a melody; bounded, whatever its length.

    :param low: lowest pitch of the register that the experts speak about, before it is shifted by octaves.
    :param high: highest pitch of it.
    """

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high
        self._keys = KeyTracker()
        self._rhythm = RhythmTracker()
        self._pitches: deque[int] = deque(maxlen=6)
        self._phrase_first: int | None = None
        self._mean: float | None = None
        self._pitch = Expert(PITCHES, 4)
        self._interval = Expert(_INTERVALS, 4)
        self._linked = Expert(_INTERVALS, 3)
        self._class = Expert(12, 4)
        self._steps: deque[int] = deque(maxlen=4)
        self._links: deque[tuple[int, int]] = deque(maxlen=3)

    def look(self, onset_seconds: float) -> Situation:
        """Return the situation of a note that starts now; changes nothing."""
        tonic, minor = estimate_key(self._keys.histogram)
        moment = self._rhythm.look(onset_seconds)
        shift = 0 if self._mean is None else 12 * round((self._mean - CENTRE) / 12)
        experts, certainties = self._ask_experts(shift)
        return Situation(
            tonic=tonic,
            minor=minor,
            histogram=self._keys.histogram,
            pitches=tuple(self._pitches)[::-1],
            phrase_first=self._phrase_first if moment.count else None,
            shift=shift,
            mean=CENTRE if self._mean is None else self._mean,
            gap=moment.gap,
            earlier_gap=moment.earlier_gap,
            steps=moment.steps,
            anchored=moment.anchored,
            count=moment.count,
            experts=experts,
            certainties=certainties,
        )

    def learn(self, pitch: int, onset_seconds: float) -> None:
        """Take in the melody's note."""
        moment = self._rhythm.look(onset_seconds)
        recent = list(self._pitches)
        self._pitch.learn(recent, pitch)
        self._class.learn([earlier % 12 for earlier in recent], pitch % 12)
        if recent:
            step = clipped(pitch - recent[-1], REACH)
            self._interval.learn(list(self._steps), step)
            self._linked.learn(list(self._links), step)
            self._steps.append(step)
            self._links.append((step, pitch % 12))
        else:
            self._links.append((-1, pitch % 12))
        if moment.count == 0:
            self._phrase_first = pitch
        self._pitches.append(pitch)
        self._mean = float(pitch) if self._mean is None else MEAN_FADE * self._mean + (1 - MEAN_FADE) * pitch
        self._keys.hear(pitch)
        self._rhythm.hear(onset_seconds)

    def _ask_experts(self, shift: int) -> tuple[NDArray[np.float64], list[float]]:
        """Return what each expert says about the register's pitches, conditioned, and how certain each is."""
        low, high = self._low + shift, self._high + shift
        register = np.arange(low, high + 1)
        recent = list(self._pitches)
        rows = np.empty((len(EXPERTS), len(register)))
        rows[0] = self._pitch.predict(recent)[np.clip(register, 0, PITCHES - 1)]
        if recent:
            places = np.clip(register - recent[-1], -REACH, REACH) + REACH
            rows[1] = self._interval.predict(list(self._steps))[places]
            rows[2] = self._linked.predict(list(self._links))[places]
        else:
            rows[1:3] = 1.0
        rows[3] = self._class.predict([pitch % 12 for pitch in recent])[register % 12]
        rows /= rows.sum(axis=1, keepdims=True)
        return conditioned(rows), [value for row in rows for value in certainty(row)]
