"""What a melody knows of itself: its notes so far, its memory, and the viewpoints on them for its next note."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.keys import LONG_FADE, KeyTracker, weigh_keys
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.note import PITCHES
from improviser.core.music.rhythm import (
    BEAT_CLASSES,
    CLASSES,
    COUNT_CLASSES,
    CYCLE,
    MANY,
    STEPS_PER_PULSE,
    Moment,
    RhythmTracker,
)
from improviser.core.networks.memory import INTERVALS, Expert, condition, matrix
from improviser.core.networks.viewpoints import Choice, Numbers, clipped

# What is left, at least, of what was heard before the key was left.
FAITHFUL = 0.6
# How much of a running mean is left one note later.
MEAN_FADE = 0.9
STEP = 7


@dataclass(slots=True)
class Situation:
    """The moment of a melody's next note; pitches are MIDI numbers, the latest first, as many as there are.

    `tonics` are the probabilities of the tonics from `tonic` upwards by semitones.
    """

    tonic: int
    minor: float
    tonics: list[float]
    histogram: list[float]
    pitches: tuple[int, ...]
    phrase_first: int | None
    shift: int
    centre: int
    mean: float
    moment: Moment
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
    histogram, tonic = now.histogram, now.tonic
    total = max(sum(histogram), 1.0)
    return [weight * 3.0 / total for weight in histogram[tonic:] + histogram[:tonic]]


def _heights(now: Situation) -> tuple[float, float]:
    if not now.pitches:
        return 0.0, 0.0
    latest = now.pitches[0]
    return (latest - now.shift - now.centre) / 6.0, max(-2.0, min(2.0, (latest - now.mean) / 6.0))


VIEWPOINTS: dict[str, Choice[Situation] | Numbers[Situation]] = {
    "degree 1": Choice(12, lambda now: _degree(now, _pitch(now, 0))),
    "degree 2": Choice(12, lambda now: _degree(now, _pitch(now, 1))),
    "degree 3": Choice(12, lambda now: _degree(now, _pitch(now, 2))),
    "interval 1": Choice(2 * STEP + 1, lambda now: _step(now, 0, 1, STEP)),
    "interval 2": Choice(2 * STEP + 1, lambda now: _step(now, 1, 2, STEP)),
    "interval 3": Choice(2 * STEP + 1, lambda now: _step(now, 2, 3, STEP)),
    "contour 3": Choice(5, lambda now: _step(now, 0, 3, 2)),
    "contour 4": Choice(5, lambda now: _step(now, 0, 4, 2)),
    "gap": Choice(CLASSES, lambda now: now.moment.gap_class),
    "gap 1": Choice(CLASSES, lambda now: now.moment.earlier_gap_class),
    "beat": Choice(BEAT_CLASSES, lambda now: now.moment.beat_class),
    "count": Choice(COUNT_CLASSES, lambda now: now.moment.count_class),
    "phrase degree": Choice(12, lambda now: _degree(now, now.phrase_first)),
    "first": Choice(1, lambda now: None if now.pitches else 0),
    "histogram": Numbers(12, _rotated),
    "tonics": Numbers(12, lambda now: [2.0 * chance for chance in now.tonics]),
    "minor": Numbers(1, lambda now: (2.0 * now.minor - 1.0,)),
    "heights": Numbers(2, _heights),
    "certainties": Numbers(8, lambda now: now.certainties),
}
EXPERTS = ("pitch", "interval", "interval and pitch class", "pitch class")


class Melody:
    """One session of a melody; bounded, whatever its length.

    A melody that leaves the register is heard as many octaves away as bring it back: `Situation.shift`.

    :param low: lowest pitch of the register, which the experts speak about.
    :param high: highest pitch of it.
    """

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high
        self._centre = (low + high) // 2
        self._lately = KeyTracker()
        self._keys = KeyTracker(LONG_FADE)
        self._modulations = ModulatingKeys()
        self._rhythm = RhythmTracker()
        self._pitches: deque[int] = deque(maxlen=6)
        self._phrase_first: int | None = None
        self._mean: float | None = None
        self._pitch = Expert(PITCHES, 4)
        self._interval = Expert(INTERVALS, 4)
        self._linked = Expert(INTERVALS, 3)
        self._class = Expert(12, 4)
        self._steps: deque[int] = deque(maxlen=4)
        self._links: deque[tuple[int | None, int]] = deque(maxlen=3)
        self._shift = 0
        self._opinions = self._ask_experts([], [], [])

    def moment(self, onset_seconds: float) -> Moment:
        """Return the rhythmic place of a note that starts now: all that `look` makes of its onset."""
        return self._rhythm.look(onset_seconds)

    def look(self, onset_seconds: float, against: int | None = None) -> Situation:
        """Return the situation of a note that starts now (with `against`, the player's pitch); changes nothing."""
        lately = self._lately.histogram if against is None else self._lately.with_note(against)
        tonic, minor, tonics = weigh_keys(self._keys.histogram if against is None else self._keys.with_note(against))
        moment = self._rhythm.look(onset_seconds)
        experts, certainties = self._opinions
        return Situation(
            tonic=tonic,
            minor=minor,
            tonics=tonics,
            histogram=lately,
            pitches=tuple(self._pitches)[::-1],
            phrase_first=self._phrase_first if moment.notes else None,
            shift=self._shift,
            centre=self._centre,
            mean=self._centre if self._mean is None else self._mean,
            moment=moment,
            experts=experts,
            certainties=certainties,
        )

    def imagine(self, pitches: Sequence[int]) -> Situation:
        """Return the situation of the note after `pitches`, were they to follow now in an even row; changes nothing.

        Memory, key and register are as they are now.
        """
        recent = [*self._pitches, *pitches][-6:]
        steps = [after - before for before, after in pairwise(recent)]
        links = [(step, pitch % 12) for step, pitch in zip(steps, recent[1:], strict=True)]
        experts, certainties = self._ask_experts(recent, steps[-4:], links[-3:])
        now = self.look(0.0)
        begun = len(pitches)
        now.moment = Moment(
            0 if begun else 1, 0, STEPS_PER_PULSE * begun % CYCLE, now.moment.anchored, min(begun, MANY)
        )
        now.pitches, now.phrase_first = tuple(recent[::-1]), pitches[0] if pitches else None
        now.experts, now.certainties = experts, certainties
        return now

    def overhear(self, pitch: int) -> None:
        """Take in a note of the player's, for the key alone."""
        self._lately.hear(pitch)
        self._keys.hear(pitch)

    def learn(self, pitch: int, onset_seconds: float) -> None:
        """Take in the melody's note."""
        moment = self.moment(onset_seconds)
        if moment.notes == 0:
            self._phrase_first = pitch
        departure = self._modulations.departure(pitch, moment)
        self._modulations.hear_player(pitch, moment)
        if departure is not None:
            for heard in (self._lately, self._keys):
                heard.histogram = departure.leave(heard.histogram, FAITHFUL)
        recent = list(self._pitches)
        self._pitch.learn(recent, pitch)
        self._class.learn([earlier % 12 for earlier in recent], pitch % 12)
        step = None
        if recent:
            step = pitch - recent[-1]
            self._interval.learn(list(self._steps), step)
            self._linked.learn(list(self._links), step)
            self._steps.append(step)
        self._links.append((step, pitch % 12))
        self._pitches.append(pitch)
        self._mean = float(pitch) if self._mean is None else MEAN_FADE * self._mean + (1 - MEAN_FADE) * pitch
        self._lately.hear(pitch)
        self._keys.hear(pitch)
        self._rhythm.hear(onset_seconds)
        if not self._low <= self._mean - self._shift <= self._high:
            self._shift = 12 * round((self._mean - self._centre) / 12)
        # They do not depend on when the next note comes, so that it need not wait for them.
        self._opinions = self._ask_experts(list(self._pitches), list(self._steps), list(self._links))

    def _ask_experts(
        self, recent: list[int], steps: list[int], links: Sequence[tuple[int | None, int]]
    ) -> tuple[NDArray[np.float64], list[float]]:
        """Return what each expert says about the register's pitches, conditioned, and how certain each is.

        :param recent, steps, links: the last pitches, the last intervals, and these with pitch classes.
        """
        low, width = self._low + self._shift, self._high - self._low + 1
        by_interval = by_link = [1.0] * width
        if recent:
            by_interval = self._interval.chances(steps, low - recent[-1], width)
            by_link = self._linked.chances(links, low - recent[-1], width)
        classes = self._class.chances([pitch % 12 for pitch in recent], 0, 12)
        by_class = [classes[pitch % 12] for pitch in range(low, low + width)]
        return condition(matrix([self._pitch.chances(recent, low, width), by_interval, by_link, by_class]))
