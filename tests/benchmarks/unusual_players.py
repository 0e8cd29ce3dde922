"""Players of one line in modes, metres and manners that nothing was bred on, for the table `unusual` of `ear`.

Each has a stock of phrases that come back to the home note, played in any order, now and then with another note; or no
stock at all. Scales are semitones above the home note.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from improviser.core.music.note import Note
from tests.benchmarks.ear_players import Player

LOCRIAN, CHROMATIC = (0, 1, 3, 5, 6, 8, 10), tuple(range(12))
FREYGISH, HUNGARIAN, HARMONIC = (0, 1, 4, 5, 7, 8, 10), (0, 2, 3, 6, 7, 8, 11), (0, 2, 3, 5, 7, 8, 11)
DOUBLE_HARMONIC, ALTERED, ACOUSTIC = (0, 1, 4, 5, 7, 8, 11), (0, 1, 3, 4, 6, 8, 10), (0, 2, 4, 6, 7, 9, 10)
HIRAJOSHI, IN_SEN, PELOG = (0, 2, 3, 7, 8), (0, 1, 5, 7, 10), (0, 1, 3, 7, 8)
WHOLE_TONE, OCTATONIC = (0, 2, 4, 6, 8, 10), (0, 1, 3, 4, 6, 7, 9, 10)
MOVES, LEAPS = (-2, -1, -1, 1, 1, 2), (-4, -3, 3, 4)


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody plays.

    :param notes: fewest and most of a phrase.
    :param lengths: of notes, in quarters; `last` that of the last one.
    :param stock: how many phrases there are; 0: each is new.
    :param varied: how often a note of a phrase is another one.
    :param leaps: how often a step is a leap.
    """

    home: int
    scale: Sequence[int]
    bpm: float = 100.0
    seed: int = 1
    notes: tuple[int, int] = (5, 12)
    lengths: tuple[float, ...] = (0.5, 0.5, 0.5, 1.0, 1.0, 1.5)
    last: float = 2.0
    rest: float = 2.0
    stock: int = 5
    phrases: int = 24
    low: int = 57
    high: int = 82
    varied: float = 0.3
    leaps: float = 0.15

    def play(self) -> Player:
        """Return the player."""
        rng, second, found = np.random.default_rng(self.seed), 0.5, []
        ladder = [pitch for pitch in range(self.low, self.high + 1) if (pitch - self.home) % 12 in self.scale]
        stock = [self._phrase(rng, ladder) for _ in range(self.stock)]
        for _ in range(self.phrases):
            phrase = list(stock[int(rng.integers(len(stock)))] if stock else self._phrase(rng, ladder))
            if len(phrase) > 4 and rng.random() < self.varied:
                place = int(rng.integers(1, len(phrase) - 2))
                step = ladder.index(phrase[place][0]) + int(rng.choice((-1, 1)))
                phrase[place] = ladder[min(len(ladder) - 1, max(0, step))], phrase[place][1]
            notes = []
            for pitch, quarters in phrase:
                seconds = quarters * 60 / self.bpm
                notes.append(Note(pitch, second + float(np.clip(rng.normal(0, 0.008), -0.02, 0.02)), 0.9 * seconds, 82))
                second += seconds
            found.append(tuple(notes))
            second += self.rest * 60 / self.bpm
        return Player(tuple(found), self.home, frozenset((self.home + step) % 12 for step in self.scale))

    def _phrase(self, rng: np.random.Generator, ladder: Sequence[int]) -> list[tuple[int, float]]:
        """Return pitches and lengths, made backwards from a home note."""
        place = int(rng.choice([place for place, pitch in enumerate(ladder) if (pitch - self.home) % 12 == 0]))
        backwards = [ladder[place]]
        for _ in range(int(rng.integers(self.notes[0], self.notes[1] + 1)) - 1):
            place += int(rng.choice(LEAPS if rng.random() < self.leaps else MOVES))
            place = min(len(ladder) - 1, max(0, place))
            backwards.append(ladder[place])
        lengths = [float(rng.choice(self.lengths)) for _ in backwards]
        lengths[-1] = self.last
        return list(zip(reversed(backwards), lengths, strict=True))


UNUSUAL: Mapping[str, Callable[[], Player]] = {
    "locrian, B": Habit(11, LOCRIAN, 110).play,
    "locrian, F, always new": Habit(5, LOCRIAN, 90, seed=2, stock=0).play,
    "chromatic, C, fast": Habit(0, CHROMATIC, 190, seed=3, notes=(8, 20), lengths=(0.5,), rest=4.0).play,
    "chromatic, A flat, always new": Habit(8, CHROMATIC, 120, seed=4, stock=0).play,
    "freygish, D, 7/8": Habit(2, FREYGISH, 132, seed=5, lengths=(0.5, 0.5, 0.5, 0.75, 0.25)).play,
    "double harmonic, E": Habit(4, DOUBLE_HARMONIC, 84, seed=6).play,
    "altered, C sharp": Habit(1, ALTERED, 140, seed=7).play,
    "acoustic, B flat": Habit(10, ACOUSTIC, 112, seed=8).play,
    "hungarian minor, E, fast": Habit(4, HUNGARIAN, 208, seed=9, rest=4.0, last=3.0).play,
    "harmonic minor, A, slow": Habit(9, HARMONIC, 52, seed=10).play,
    "hirajoshi, E": Habit(4, HIRAJOSHI, 72, seed=11).play,
    "in-sen, D, low": Habit(2, IN_SEN, 66, seed=12, low=40, high=62).play,
    "pelog, G": Habit(7, PELOG, 80, seed=13).play,
    "whole tone, C": Habit(0, WHOLE_TONE, 96, seed=14).play,
    "octatonic, E flat": Habit(3, OCTATONIC, 120, seed=15).play,
    "wide leaps, D dorian": Habit(2, (0, 2, 3, 5, 7, 9, 10), seed=16, low=45, high=90, leaps=0.9).play,
    "phrases of three, G minor": Habit(7, (0, 2, 3, 5, 7, 8, 10), 90, 17, (3, 3), phrases=40, rest=3.0, last=1.0).play,
    "30 beats a minute, F": Habit(5, (0, 2, 4, 5, 7, 9, 11), 30, 18, (3, 6), (1.0, 1.0, 0.5), phrases=14).play,
    "one riff, E": Habit(4, (0, 3, 5, 6, 7, 10), 120, 19, (6, 6), stock=1, varied=0.0, phrases=30).play,
}
