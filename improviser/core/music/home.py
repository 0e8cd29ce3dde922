"""Home: the tonic and the mode of what is being played, and how certain that is.

A hidden Markov model over all tonics and modes. Each note speaks for the keys that it belongs to; each note that is
rested on (a long one, or the last of a phrase) and the lowest note of each chord speak for the home note. Before each
note the key may have changed: that is what makes two or three foreign notes enough after a modulation, where a fading
histogram of pitch classes takes eight.

The constants below are bred, without gradients, on random players and on the chorales: `tests/benchmarks/home_fit.py`.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.phrase import CHORD_SECONDS
from improviser.core.music.pitch import NAMES
from improviser.core.music.scales import STEPS

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode as it is heard.

    :param name: as in `scales.STEPS`.
    :param visitors: semitones above the tonic that belong to no step of it, and yet are usual in it.
    :param share: how usual the mode is, before a note is heard; all together 1.
    """

    name: str
    visitors: tuple[int, ...]
    share: float

    @property
    def steps(self) -> tuple[int, ...]:
        """Its notes, in semitones above the tonic."""
        return STEPS[self.name]

    @property
    def stable(self) -> tuple[int, ...]:
        """The steps to end on: the tonic, its third and its fifth, as far as the mode has them."""
        return tuple(step for step in (0, 3, 4, 7) if step in self.steps)


MODES = (
    Mode("major", (6,), 0.2),
    Mode("minor", (11, 9), 0.2),
    Mode("dorian", (11,), 0.1),
    Mode("phrygian", (4,), 0.08),
    Mode("lydian", (), 0.06),
    Mode("mixolydian", (3, 11), 0.1),
    Mode("pentatonic", (), 0.08),
    Mode("minor-pentatonic", (), 0.08),
    Mode("blues", (4, 9, 2), 0.1),
)


@dataclass(frozen=True, slots=True)
class Ear:
    """What the model of keys expects; the defaults are bred.

    :param tonic, third, fifth: how often these steps come, against any other step of the mode.
    :param visitor: how often a visitor comes, against a step.
    :param foreign: how often any other note comes, against a step.
    :param home, home_third, home_fifth: how often these are rested on, against any other pitch class.
    :param long: how much a note that lasts twice as long as usual says about the home note; one of four times as long
        says twice as much, and none says more.
    :param low: how much the lowest note of a chord says about it.
    :param change: how likely the key changes before a note.
    """

    tonic: float = 1.6
    third: float = 1.1
    fifth: float = 1.3
    visitor: float = 0.25
    foreign: float = 0.03
    home: float = 8.0
    home_third: float = 2.0
    home_fifth: float = 3.0
    long: float = 0.5
    low: float = 0.3
    change: float = 0.01


EAR = Ear()


@dataclass(frozen=True, slots=True)
class Home:
    """A tonic, 0-11, its mode, and how certain they are, 0-1 (that of all modes on this tonic together).

    :param members: how likely each pitch class belongs to the key, 0-1, all keys considered.
    """

    tonic: int
    mode: Mode
    certainty: float
    members: tuple[float, ...]

    @property
    def name(self) -> str:
        """The key as text, which `scales.pitches_of` understands: "E♭ major", "A minor pentatonic"."""
        return home_name(self.tonic, self.mode.name)

    @property
    def scale(self) -> frozenset[int]:
        """The pitch classes of the key."""
        return frozenset((self.tonic + step) % 12 for step in self.mode.steps)

    @property
    def stable(self) -> frozenset[int]:
        """The pitch classes to end on."""
        return frozenset((self.tonic + step) % 12 for step in self.mode.stable)


def home_name(tonic: int, mode: str) -> str:
    """Return a key as text, its tonic 0-11, spelled as is usual: "D♭ major", but "C♯ minor"."""
    sharps = "minor" in mode or mode in ("dorian", "phrygian", "blues", "mixolydian")
    usual = {(1, False): "D♭", (8, True): "G♯"}.get((tonic, sharps), NAMES[tonic])
    return f"{usual} {mode.replace('-', ' ')}"


class Keys:
    """The tables of an ear: rows are keys, mode by mode, each by tonic; columns are pitch classes.

    :param ear: what it expects.
    """

    def __init__(self, ear: Ear = EAR) -> None:
        notes: list[FloatArray] = []
        rests: list[FloatArray] = []
        members: list[FloatArray] = []
        for mode in MODES:
            often = np.full(12, ear.foreign)
            often[list(mode.visitors)] = ear.visitor
            often[list(mode.steps)] = 1.0
            resting = np.ones(12)
            resting[list(mode.stable)] = ear.home_third
            resting[7 if 7 in mode.steps else 0] = ear.home_fifth
            for step in mode.stable:
                often[step] = ear.third
            often[0], resting[0] = ear.tonic, ear.home
            if 7 in mode.steps:
                often[7] = ear.fifth
            belongs = np.zeros(12)
            belongs[[*mode.steps, *mode.visitors]] = 1.0
            for rows, row in ((notes, often / often.sum()), (rests, resting / resting.sum()), (members, belongs)):
                rows += [np.roll(row, tonic) for tonic in range(12)]
        self.notes: FloatArray = np.array(notes)
        self.rests: FloatArray = np.log(np.array(rests))
        self.members: FloatArray = np.array(members)
        self.shares: FloatArray = np.repeat([mode.share / 12 for mode in MODES], 12)
        self.ear = ear


KEYS = Keys()


class HomeTracker:
    """Hears notes, and says where home is; bounded, whatever the session's length.

    :param keys: the tables to go by.
    """

    def __init__(self, keys: Keys = KEYS) -> None:
        self._keys = keys
        self._chances = keys.shares.copy()
        self._gaps: deque[float] = deque(maxlen=24)
        self._onset: float | None = None
        self._lowest = self._highest = 0
        self.notes = 0

    def hear(self, pitch: int, onset_seconds: float) -> None:
        """Take in a note-on of the player's; times never decrease."""
        keys = self._keys
        if self._onset is not None and onset_seconds - self._onset < CHORD_SECONDS:
            self._lowest, self._highest = min(self._lowest, pitch), max(self._highest, pitch)
            chances = self._chances
        else:
            chances = self._rested(onset_seconds)
            if self._onset is not None:
                self._gaps.append(onset_seconds - self._onset)
            self._onset = onset_seconds
            self._lowest = self._highest = pitch
            chances = (1 - keys.ear.change) * chances + keys.ear.change * keys.shares
        chances = chances * keys.notes[:, pitch % 12]
        self._chances = chances / chances.sum()
        self.notes += 1

    def _rested(self, now: float) -> FloatArray:
        """Return how likely each key is, now that the last note, or chord, has lasted until `now`."""
        keys = self._keys
        if self._onset is None or not self._gaps:
            return self._chances
        length = max(1e-3, now - self._onset) / max(1e-3, sorted(self._gaps)[len(self._gaps) // 2])
        weight = keys.ear.long * min(2.0, max(0.0, math.log2(length)))
        classes = [(self._lowest % 12, weight)]
        if self._highest - self._lowest >= 3:
            classes = [(self._lowest % 12, weight + keys.ear.low)]
        logs = sum(amount * keys.rests[:, pitch_class] for pitch_class, amount in classes)
        chances = self._chances * np.exp(logs)
        return np.asarray(chances / chances.sum(), np.float64)

    def home(self, now: float) -> Home:
        """Return where home is, the last note having lasted until `now`; changes nothing."""
        chances = self._rested(now).reshape(len(MODES), 12)
        tonics = chances.sum(axis=0)
        tonic = int(tonics.argmax())
        mode = MODES[int(chances[:, tonic].argmax())]
        members = chances.reshape(-1) @ self._keys.members
        return Home(tonic, mode, float(tonics[tonic]), tuple(np.minimum(1.0, members).tolist()))
