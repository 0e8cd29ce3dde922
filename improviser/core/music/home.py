"""Home: the tonic and the mode of what is being played, and how certain that is.

A hidden Markov model over all tonics and modes. Each note speaks for the keys that it belongs to; each note that is
rested on (a long one, or the last of a phrase) and the lowest note of each chord speak for the home note. Before each
note the key may have changed: that is what makes two or three foreign notes enough after a modulation, where a fading
histogram of pitch classes takes eight.

The constants below are bred, without gradients, on random players and on the chorales: `tests/benchmarks/home_fit.py`.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import Note
from improviser.core.music.phrase import CHORD_SECONDS
from improviser.core.music.pitch import NAMES
from improviser.core.music.scales import STEPS

FloatArray = NDArray[np.float64]

REMEMBERED_GAPS = 24
"""Of so many inter-onset intervals, the last ones, the median is the usual length."""
LONGEST = 2.0
"""A note's length counts up to the binary logarithm of its ratio to the usual one."""
CHORD_SEMITONES = 3
"""Notes that begin together and span less are no chord."""


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

    @property
    def wide(self) -> frozenset[int]:
        """The steps that an accompaniment may use."""
        leading = (LEADING,) if self.name == "minor" else ()
        return frozenset((*self.steps, *leading, *STEPS[WIDER.get(self.name, self.name)]))


LEADING = 11
"""The leading note, in semitones above the tonic: a minor key has it as well."""
WIDER = {"pentatonic": "major", "minor-pentatonic": "minor", "blues": "minor"}
"""The scale that an accompaniment may use under a mode of fewer notes."""
MODES = (
    Mode("major", (6,), 0.28),
    Mode("minor", (11, 9), 0.27),
    Mode("dorian", (11,), 0.11),
    Mode("phrygian", (4,), 0.08),
    Mode("lydian", (), 0.06),
    Mode("mixolydian", (3, 11), 0.11),
    Mode("pentatonic", (), 0.02),
    Mode("minor-pentatonic", (), 0.02),
    Mode("blues", (4, 9, 2), 0.05),
)
"""Modes of fewer notes are taken for rarer than they are: of any other, the first few notes could be theirs."""


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

    tonic: float = 1.19
    third: float = 1.23
    fifth: float = 1.21
    visitor: float = 0.056
    foreign: float = 0.018
    home: float = 8.4
    home_third: float = 0.85
    home_fifth: float = 2.1
    long: float = 0.42
    low: float = 0.31
    change: float = 0.005


EAR = Ear()


@dataclass(frozen=True, slots=True)
class Home:
    """A tonic, 0-11, its mode, and how certain the tonic is, 0-1."""

    tonic: int
    mode: Mode
    certainty: float

    @property
    def name(self) -> str:
        """The key as text, which `scales.pitches_of` understands: "E♭ major", "A minor pentatonic"."""
        return home_name(self.tonic, self.mode.name)

    @property
    def scale(self) -> frozenset[int]:
        """The pitch classes of the key; a minor key has its leading note as well."""
        leading = (LEADING,) if self.mode.name == "minor" else ()
        return frozenset((self.tonic + step) % 12 for step in (*self.mode.steps, *leading))

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
    """The tables of an ear: rows are pitch classes; columns are keys, mode by mode, each by tonic.

    :param ear: what it expects.
    """

    def __init__(self, ear: Ear = EAR) -> None:
        notes: list[FloatArray] = []
        rests: list[FloatArray] = []
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
            for rows, row in ((notes, often / often.sum()), (rests, resting / resting.sum())):
                rows += [np.roll(row, tonic) for tonic in range(12)]
        # By pitch class, since each note asks for one of them.
        self.notes: FloatArray = np.ascontiguousarray(np.array(notes).T)
        self.rests: FloatArray = np.ascontiguousarray(np.log(np.array(rests)).T)
        self.shares: FloatArray = np.repeat([mode.share / 12 for mode in MODES], 12)
        self.changed: FloatArray = ear.change * self.shares
        self.members: FloatArray = np.array([
            [(pitch_class - tonic) % 12 in mode.wide for mode in MODES for tonic in range(12)]
            for pitch_class in range(12)
        ], np.float64)  # fmt: skip
        """Which pitch classes an accompaniment may use in which keys, 0 or 1."""
        self.ear = ear


KEYS = Keys()


def home_of(notes: Iterable[Note]) -> Home:
    """Return where home is most of the time in notes, by onset; C major, and not certain, in none."""
    tracker = HomeTracker()
    homes: Counter[tuple[int, str]] = Counter()
    latest: dict[tuple[int, str], Home] = {}
    for note in notes:
        tracker.hear(note.pitch, note.onset_seconds)
        home = tracker.home()
        homes[home.tonic, home.mode.name] += 1
        latest[home.tonic, home.mode.name] = home
    return latest[homes.most_common(1)[0][0]] if homes else tracker.home()


class HomeTracker:
    """Hears notes, and says where home is; bounded, whatever the session's length.

    :param keys: the tables to go by.
    """

    def __init__(self, keys: Keys = KEYS) -> None:
        self._keys = keys
        self._chances = keys.shares.copy()
        self._gaps: deque[float] = deque(maxlen=REMEMBERED_GAPS)
        self._onset: float | None = None
        self._lowest = self._highest = 0
        self.notes = 0

    def copy(self) -> "HomeTracker":
        """Return one that has heard the same, and may hear other notes from now on."""
        other = copy(self)
        other._gaps = self._gaps.copy()  # noqa: SLF001  its own class's
        return other

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
            chances = (1 - keys.ear.change) * chances
            chances += keys.changed
        chances = chances * keys.notes[pitch % 12]
        chances /= np.add.reduce(chances)
        self._chances = chances
        self.notes += 1

    def _rested(self, now: float | None) -> FloatArray:
        """Return how likely each key is, now that the last note, or chord, has lasted until `now`."""
        keys = self._keys
        if now is None or self._onset is None or not self._gaps:
            return self._chances
        length = max(1e-3, now - self._onset) / max(1e-3, sorted(self._gaps)[len(self._gaps) // 2])
        weight = keys.ear.long * min(LONGEST, max(0.0, math.log2(length)))
        if self._highest - self._lowest >= CHORD_SEMITONES:
            weight += keys.ear.low
        chances = self._chances
        if weight:
            says = weight * keys.rests[self._lowest % 12]
            chances = np.exp(says, out=says) * chances
        rested: FloatArray = chances / np.add.reduce(chances)
        return rested

    def chances(self, now: float | None = None) -> FloatArray:
        """Return how likely each key is, shape (modes, 12): by mode, as in `MODES`, and by tonic; they sum to 1."""
        return self._rested(now).reshape(len(MODES), 12)

    @property
    def tonics(self) -> FloatArray:
        """How likely each pitch class is the home note, shape (12,), the last note having just begun; they sum to 1."""
        return np.asarray(np.add.reduce(self._chances.reshape(len(MODES), 12), axis=0), np.float64)

    def belonging(self, pitch: int | None = None) -> FloatArray:
        """Return how likely each pitch class belongs to the key, shape (12,), should `pitch` come next, whenever."""
        chances = self._chances
        if pitch is not None:
            keys = self._keys
            chances = ((1 - keys.ear.change) * chances + keys.changed) * keys.notes[pitch % 12]
        return np.asarray(self._keys.members @ chances / np.add.reduce(chances), np.float64)

    def home(self, now: float | None = None) -> Home:
        """Return where home is, the last note having lasted until `now`, or having just begun; changes nothing."""
        chances = self.chances(now)
        tonics = np.add.reduce(chances, axis=0)
        tonic = int(tonics.argmax())
        mode = MODES[int(chances[:, tonic].argmax())]
        return Home(tonic, mode, float(tonics[tonic]))
