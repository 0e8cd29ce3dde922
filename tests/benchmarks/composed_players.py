"""Players whose phrases are composed: motif, sequence, development, cadence; for the tables `composed` of `ear`.

Each bar is a motif, or what is made of it, in the metre's rhythms; a question ends open, its answer at home. Some play
very short phrases or very long ones, some repeat notes, leap, slide in between the steps of the scale, or swing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from improviser.core.music.note import Note
from tests.benchmarks.ear_players import Hands, Player

MAJOR, MINOR, HARMONIC = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 8, 11)
DORIAN, PHRYGIAN, LYDIAN, MIXOLYDIAN = (
    (0, 2, 3, 5, 7, 9, 10),
    (0, 1, 3, 5, 7, 8, 10),
    (0, 2, 4, 6, 7, 9, 11),
    (0, 2, 4, 5, 7, 9, 10),
)
HIJAZ, PENTATONIC, MINOR_PENTATONIC = (0, 1, 4, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10)
YU, ZHI, SHANG = (0, 3, 5, 7, 10), (0, 2, 5, 7, 9), (0, 2, 5, 7, 10)
BLUES, WHOLE_TONE, MELODIC = (0, 3, 5, 6, 7, 10), (0, 2, 4, 6, 8, 10), (0, 2, 3, 5, 7, 9, 11)

Bars = tuple[tuple[float, ...], ...]
FOUR: Bars = ((1, 1, 1, 1), (1, 0.5, 0.5, 1, 1), (0.5, 0.5, 1, 0.5, 0.5, 1), (1.5, 0.5, 1, 1), (0.5,) * 8)
THREE: Bars = ((1, 1, 1), (2, 1), (1.5, 0.5, 1), (1, 0.5, 0.5, 1), (0.5,) * 6)
JIG: Bars = ((0.5,) * 6, (1, 0.5, 1, 0.5), (0.5, 0.5, 0.5, 1, 0.5), (1, 0.5, 0.5, 0.5, 0.5), (0.75, 0.25, 0.5, 1, 0.5))
FIVE: Bars = ((1, 1, 1, 1, 1), (1.5, 1.5, 1, 1), (1, 0.5, 0.5, 1, 1, 1), (2, 1, 2))
EIGHTHS: Bars = ((0.5,) * 8, (0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5), (1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5))


LONGEST = 40


@dataclass(frozen=True, slots=True)
class Composer:
    """How somebody composes and plays.

    :param bars: of a phrase, its cadence included.
    :param fixed: instead, how many notes each phrase has, in turns.
    :param opens: the share of questions among phrases; they end on the second, fifth or seventh step.
    :param between: how often a note is approached from a semitone below or above, in half its length.
    :param repeats, leaps: how often a step is a repetition, or a leap.
    :param new: how often a phrase is a new one; else it is one of the four that were composed first.
    """

    home: int
    scale: Sequence[int]
    bpm: float = 104.0
    metre: Bars = FOUR
    seed: int = 1
    bars: int = 3
    fixed: Sequence[int] = ()
    opens: float = 0.4
    between: float = 0.0
    repeats: float = 0.06
    leaps: float = 0.15
    swing: float = 0.0
    rubato: float = 0.0
    new: float = 0.3
    phrases: int = 24
    low: int = 60
    wide: int = 17

    def play(self) -> Player:
        """Return the player."""
        rng, second, found = np.random.default_rng((self.seed, self.home, len(self.scale))), 0.5, []
        stock = [self._phrase(rng, number) for number in range(4)]
        for number in range(self.phrases):
            chosen = self._phrase(rng, number) if rng.random() < self.new else stock[int(rng.integers(4))]
            beat, notes = 60 / self.bpm, []
            place = 0.0
            for pitch, quarters in chosen:
                onset = place
                if self.swing and abs(place % 1 - 0.5) < 0.01:
                    onset += self.swing
                late = float(np.clip(rng.normal(0, 0.009), -0.02, 0.02))
                seconds = quarters * beat * float(np.exp(rng.normal(0, self.rubato)))
                begins = second + (onset - place) * beat + late
                loud = int(np.clip(rng.normal(80, 7), 30, 120))
                notes.append(Note(pitch, begins, 0.9 * max(0.04, seconds - (onset - place) * beat), loud))
                second += seconds
                place += quarters
            found.append(tuple(notes))
            second += 2 * beat
        return Player(tuple(found), self.home, frozenset((self.home + step) % 12 for step in self.scale))

    def _phrase(self, rng: np.random.Generator, number: int) -> list[tuple[int, float]]:
        """Return pitches and their lengths in quarters."""
        ladder = [
            pitch for pitch in range(self.low, self.low + self.wide + 1) if (pitch - self.home) % 12 in self.scale
        ]
        places, lengths = self._bars(rng, ladder)
        if self.fixed:
            size, own = self.fixed[number % len(self.fixed)], len(lengths)
            while len(places) < size:
                places.append(places[-1] + self._step(rng))
                lengths.append(lengths[len(places) % own])
            places, lengths = places[:size], lengths[:size]
        top = len(ladder) - 1
        places = [abs(place) if place <= top else max(0, 2 * top - place) for place in places]
        self._close(places, lengths, ladder, question=rng.random() < self.opens)
        pitches: list[tuple[int, float]] = []
        for at, (place, length) in enumerate(zip(places, lengths, strict=True)):
            slides = 0 < at < len(places) - 1 and rng.random() < self.between and length >= 0.5
            if slides:
                pitches.append((ladder[min(top, place)] + int(rng.choice((-1, -1, 1))), length / 2))
            pitches.append((ladder[min(top, place)], length / 2 if slides else length))
        return pitches

    def _bars(self, rng: np.random.Generator, ladder: Sequence[int]) -> tuple[list[int], list[float]]:
        """Return a motif and what is made of it, bar by bar: places on a ladder, and lengths."""
        stable = [place for place, pitch in enumerate(ladder) if (pitch - self.home) % 12 in (0, 3, 4, 7)]
        start = int(rng.choice(stable)) if rng.random() < 0.7 else int(rng.integers(len(ladder)))
        rhythm = self.metre[int(rng.integers(len(self.metre)))]
        other = self.metre[int(rng.integers(len(self.metre)))]
        motif = [start]
        for _ in rhythm[1:]:
            motif.append(motif[-1] + self._step(rng))
        places, lengths = list(motif), [*map(float, rhythm)]
        for bar in range(1, self.bars - 1):
            shift = int(rng.choice((-2, -1, 1, 2)))
            again = [place + bar * shift for place in motif]
            if bar % 2 == 0:
                again, rhythm = [2 * motif[0] - place for place in motif], other
            places += [again[at % len(again)] for at in range(len(rhythm))]
            lengths += map(float, rhythm)
        return places, lengths

    def _close(self, places: list[int], lengths: list[float], ladder: Sequence[int], *, question: bool) -> None:
        """End on the home note, or open: by step, or where the number of notes is fixed, at once."""
        steps = (2, 5, 7, 10, 11) if question else (0,)
        ends = [place for place, pitch in enumerate(ladder) if (pitch - self.home) % 12 in steps]
        end = min(ends, key=lambda place: (abs(place - places[-1]), place))
        if self.fixed:
            places[-1], lengths[-1] = end, 2.0
            return
        while abs(places[-1] - end) > 1 and len(places) < LONGEST:
            places.append(places[-1] + (1 if end > places[-1] else -1))
            lengths.append(0.5)
        places.append(end)
        lengths.append(2.0)

    def _step(self, rng: np.random.Generator) -> int:
        drawn = rng.random()
        if drawn < self.repeats:
            return 0
        if drawn < self.repeats + self.leaps:
            return int(rng.choice((-4, -3, 3, 4)))
        return int(rng.choice((-2, -1, -1, 1, 1, 2)))


KINDS: Mapping[str, Composer] = {
    "waltz": Composer(7, MAJOR, 152, THREE, bars=4),
    "waltz, minor": Composer(2, HARMONIC, 138, THREE, bars=4),
    "jig": Composer(9, MIXOLYDIAN, 116, JIG),
    "jig, dorian": Composer(4, DORIAN, 122, JIG, bars=4),
    "five": Composer(0, DORIAN, 132, FIVE),
    "five, major": Composer(5, MAJOR, 168, FIVE),
    "swing": Composer(10, MIXOLYDIAN, 148, EIGHTHS, swing=0.16, between=0.12),
    "bebop": Composer(5, MAJOR, 180, EIGHTHS, swing=0.12, between=0.25, bars=4),
    "rubato": Composer(9, HARMONIC, 66, FOUR, rubato=0.35),
    "rubato, lydian": Composer(3, LYDIAN, 58, FOUR, rubato=0.3),
    "hijaz": Composer(2, HIJAZ, 108),
    "hijaz, five": Composer(9, HIJAZ, 140, FIVE),
    "harmonic minor": Composer(6, HARMONIC, 92),
    "melodic minor": Composer(0, MELODIC, 100),
    "dorian": Composer(7, DORIAN, 112),
    "phrygian": Composer(4, PHRYGIAN, 88),
    "lydian": Composer(5, LYDIAN, 96),
    "mixolydian": Composer(2, MIXOLYDIAN, 126),
    "pentatonic": Composer(6, PENTATONIC, 96),
    "minor pentatonic": Composer(9, MINOR_PENTATONIC, 104),
    "yu": Composer(4, YU, 84),
    "zhi": Composer(7, ZHI, 90),
    "shang": Composer(2, SHANG, 100),
    "blues": Composer(10, BLUES, 118, EIGHTHS, swing=0.16),
    "blues, slow": Composer(6, BLUES, 72, FOUR, swing=0.16, between=0.08),
    "whole tone": Composer(1, WHOLE_TONE, 96),
    "chromatic": Composer(0, MAJOR, 110, between=0.4),
    "chromatic minor": Composer(7, MINOR, 120, between=0.3),
    "single notes": Composer(5, MAJOR, 80, fixed=(1,), opens=0.5, phrases=40, new=0.6),
    "twos": Composer(2, MINOR, 80, fixed=(2,), phrases=36, new=0.6),
    "threes": Composer(10, DORIAN, 92, fixed=(3,), phrases=36),
    "one to three": Composer(8, MAJOR, 100, fixed=(1, 3, 2), phrases=36),
    "long": Composer(7, MAJOR, 126, fixed=(40,), phrases=12, wide=20),
    "long, minor": Composer(1, MINOR, 144, EIGHTHS, fixed=(40, 36), phrases=12, wide=20),
    "open ends": Composer(2, MAJOR, 100, opens=0.9),
    "open ends, minor": Composer(0, MINOR, 108, opens=0.85),
    "repeated notes": Composer(4, MAJOR, 120, repeats=0.6),
    "repeated notes, hijaz": Composer(11, HIJAZ, 132, EIGHTHS, repeats=0.55),
    "wide leaps": Composer(3, MAJOR, 96, leaps=0.8, low=52, wide=31),
    "wide leaps, pentatonic": Composer(0, MINOR_PENTATONIC, 100, leaps=0.7, low=50, wide=34),
    "low": Composer(4, MINOR, 88, low=38),
    "high": Composer(10, MAJOR, 112, low=76),
    "major, always new": Composer(3, MAJOR, 104, new=1.0),
    "minor, always new": Composer(6, MINOR, 96, new=1.0),
}
COMPOSED: Mapping[str, Callable[[], Player]] = {name: kind.play for name, kind in KINDS.items()}


def composed(seed: int) -> Mapping[str, Callable[[], Player]]:
    """Return the same kinds of players on other tonics, in other tempi, with other tunes."""
    shift, faster = (7 * seed) % 12, 1 + 0.03 * (seed % 5)
    return {
        name: replace(kind, seed=kind.seed + seed, home=(kind.home + shift) % 12, bpm=kind.bpm * faster).play
        for name, kind in KINDS.items()
    }


TWO_HANDS: Mapping[str, Callable[[], Player]] = {
    "waltz, D": Hands("waltz", "pop", 2, 156, beats=3, lowest=40, seed=51, rest_beats=3, rounds=8).play,
    "waltz, G minor": Hands("waltz", "minor", 7, 144, beats=3, lowest=41, seed=52, rest_beats=3, rounds=8).play,
    "waltz, B flat": Hands("waltz", "doo-wop", 10, 132, beats=3, lowest=43, seed=53, rest_beats=3, rounds=8).play,
    "block, E aeolian": Hands("block", "aeolian", 4, 92, seed=54, rest_beats=4, rounds=8).play,
    "block, C pop": Hands("block", "pop", 0, 104, seed=55, rest_beats=4, rounds=8).play,
    "inverted, A doo-wop": Hands("inverted", "doo-wop", 9, 96, seed=56, rest_beats=4, rounds=8).play,
    "stride, E flat": Hands("stride", "cadence", 3, 112, lowest=36, seed=57, rest_beats=4, rounds=8).play,
    "alberti, F": Hands("alberti", "cadence", 5, 116, lowest=48, seed=58, rest_beats=4, rounds=8).play,
    "alberti, C minor": Hands("alberti", "minor", 0, 100, lowest=48, seed=59, rest_beats=4, rounds=8).play,
    "arpeggio, F sharp aeolian": Hands("arpeggio", "aeolian", 6, 66, lowest=38, seed=60, rest_beats=4, rounds=8).play,
    "drone, E dorian": Hands("drone", "modal", 4, 92, lowest=40, seed=61, rest_beats=4, rounds=8).play,
    "drone, A mixolydian": Hands("drone", "mixolydian", 9, 108, lowest=45, seed=62, rest_beats=4, rounds=8).play,
    "jazz, F": Hands("voiced", "jazz", 5, 120, lowest=43, swing=True, seed=63, rest_beats=4, rounds=8).play,
    "blues shuffle, A": Hands("shuffle", "blues", 9, 112, lowest=45, swing=True, seed=64, rest_beats=4, rounds=8).play,
    "phrygian, B": Hands("block", "phrygian", 11, 84, lowest=47, seed=65, rest_beats=4, rounds=8).play,
    "hymn, D minor": Hands("hymn", "minor", 2, 66, thick=True, seed=66, rest_beats=4, rounds=8).play,
}
