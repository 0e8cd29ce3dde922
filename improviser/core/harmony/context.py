"""What else sounds: experts that weigh the pitches of an answer by all that the player holds, not by the tune alone.

A network hears the tune as its soprano. Its opinion on the pitches is raised to a power and multiplied by what these
experts say: the intervals to what sounds, the likely chord, the distance to the lowest note, and the own note before.
How much each of them counts is bred (`tests/benchmarks/context_fit.py`) on music in which the other notes of the player
are given; where one line is all that sounds, they are not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.chords import ROLES, roles
from improviser.core.music.note import PITCHES

FloatArray = NDArray[np.float64]

CLASS_EXPERTS = ("semitone", "tone", "tritone", "fourth", "sounding", *ROLES, "bass")
"""Experts on pitch classes: how many sounding notes are a semitone, a tone or a tritone away, or a fourth above;
whether it sounds itself; its part in the chord; whether it is the player's own bass note."""
PLACE_EXPERTS = ("second", "close", "octave", "far")
"""Experts on the distance below the lowest note: one or two semitones; less than a fifth where it is low; an octave;
each octave beyond the first."""
STEP_EXPERTS = ("stays", "leap")
"""Experts on the step from the own note before: none; octaves beyond a fifth."""
NAMES = ("opinion", *CLASS_EXPERTS, *PLACE_EXPERTS, *STEP_EXPERTS)
LOW = 55
"""Below this pitch close intervals are mud."""
REMEMBERED = 4096
UNLIKELY = 9.0
"""What a network takes for less likely than this (nats below its best) the experts may still bring up."""


@dataclass(frozen=True)
class Context:
    """What sounds with an answer.

    :param tune: the pitch that the network hears as its soprano.
    :param sounding: all pitches that the player sounds.
    :param ceiling: the answer stays below this pitch; PITCHES if it need not.
    :param has_bass: whether the player plays a bass himself, as a rule the lowest of them.
    :param root: the pitch class of that bass, if it is another one.
    """

    tune: int
    sounding: frozenset[int]
    ceiling: int = PITCHES
    has_bass: bool = False
    root: int | None = None

    @property
    def bass(self) -> int | None:
        """The pitch class of the player's bass, if there is one."""
        return (self.lowest % 12 if self.root is None else self.root) if self.has_bass else None

    @property
    def lowest(self) -> int:
        """The lowest pitch."""
        return min(self.sounding)

    @property
    def classes(self) -> int:
        """The pitch classes, as bits."""
        return classes_of(self.sounding)


def classes_of(pitches: frozenset[int]) -> int:
    """Return the pitch classes of pitches, as bits."""
    bits = 0
    for pitch in pitches:
        bits |= 1 << pitch % 12
    return bits


@lru_cache(maxsize=8192)
def class_features(classes: int, lowest: int, bass: int | None) -> FloatArray:
    """Return what each of CLASS_EXPERTS says about each pitch class, shape (10, 12)."""
    sounds = np.array([classes >> tone & 1 for tone in range(12)], np.float64)
    rows = [
        np.roll(sounds, 1) + np.roll(sounds, -1),
        np.roll(sounds, 2) + np.roll(sounds, -2),
        np.roll(sounds, 6),
        np.roll(sounds, -5),
        sounds,
        *roles(classes, lowest),
        np.zeros(12) if bass is None else np.eye(12)[bass],
    ]
    return np.array(rows)


@lru_cache(maxsize=256)
def place_features(lowest: int) -> FloatArray:
    """Return what each of PLACE_EXPERTS says about each pitch, shape (4, 128)."""
    below = lowest - np.arange(PITCHES)
    low = np.arange(PITCHES) < LOW
    return np.array(
        [
            (below > 0) & (below <= 2),
            (below > 0) & (below < 7) & low,
            below == 12,
            np.maximum(below - 12, 0) / 12,
        ],
        np.float64,
    )


@lru_cache(maxsize=256)
def step_features(before: int) -> FloatArray:
    """Return what each of STEP_EXPERTS says about each pitch, shape (2, 128)."""
    step = np.abs(np.arange(PITCHES) - before)
    return np.array([step == 0, np.maximum(step - 7, 0) / 12], np.float64)


def under(logs: FloatArray, ceiling: int) -> FloatArray:
    """Return an opinion with what lies at or above `ceiling` moved down by octaves, where there is room."""
    if ceiling >= PITCHES:
        return logs
    folded = np.full(PITCHES, -np.inf)
    folded[:ceiling] = logs[:ceiling]
    above = np.flatnonzero(logs[ceiling:] > -np.inf)
    for start in range(ceiling, ceiling + int(above[-1]) + 1 if above.size else 0, 12):
        octave = logs[start : start + 12]
        target = folded[max(0, ceiling - 12) : max(0, ceiling - 12) + octave.size]
        np.logaddexp(target, octave[: target.size], out=target)
    folded[ceiling:] = -np.inf
    return folded


class Experts:
    """Puts an opinion and what else sounds together.

    :param weights: how much each of NAMES counts.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        values = np.array([weights.get(name, 0.0) for name in NAMES])
        ends = np.cumsum([1, len(CLASS_EXPERTS), len(PLACE_EXPERTS)])
        self._opinion = float(values[0])
        self._of_class, self._of_place, self._of_step = np.split(values[1:], ends[1:] - 1)
        self._rows: dict[tuple[int, int, int | None], FloatArray] = {}

    def weigh(self, logs: FloatArray, now: Context, before: int | None) -> FloatArray:
        """Return log-probabilities, shape (128,), up to a constant: of the opinion `logs` and all that sounds.

        :param before: the part's own note before, if there is one.
        """
        folded = under(logs, now.ceiling)
        scores: FloatArray = self._opinion * np.maximum(folded - folded.max(), -UNLIKELY)
        scores += self._row(now)
        if before is not None:
            scores += self._of_step @ step_features(before)
        scores[folded == -np.inf] = -np.inf
        return scores

    def _row(self, now: Context) -> FloatArray:
        key = now.classes, now.lowest, now.bass
        known = self._rows.get(key)
        if known is not None:
            return known
        of_class = self._of_class @ class_features(key[0], key[1] % 12, key[2])
        row: FloatArray = np.resize(of_class, PITCHES) + self._of_place @ place_features(key[1])
        if len(self._rows) >= REMEMBERED:
            self._rows.clear()
        self._rows[key] = row
        return row


BASS: Mapping[str, float] = {
    "opinion": 0.49, "semitone": -1.8, "tone": -0.63, "tritone": -0.56, "fourth": 0.04, "sounding": -0.57,
    "root": 0.93, "third": -0.07, "fifth": 0.18, "seventh": -0.02, "bass": 5.66, "second": -0.84,
    "close": 0.16, "octave": 0.16, "far": -1.36, "stays": 0.52, "leap": -1.24,
}  # fmt: skip
"""The weights for a bass, bred by `tests/benchmarks/context_fit.py`."""
INNER: Mapping[str, float] = {
    "opinion": 0.78, "semitone": -1.8, "tone": -0.72, "tritone": 0.24, "fourth": 0.16, "sounding": -0.8,
    "root": 0.63, "third": 0.55, "fifth": 0.47, "seventh": 0.22, "second": -0.98, "close": -0.69,
    "octave": -0.44, "far": -1.16, "stays": -0.8, "leap": -2.37,
}  # fmt: skip
"""The weights for any other part, bred there for the tenor."""
