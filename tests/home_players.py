"""Random players in every mode, on every tonic, at any tempo: what a sense of home is bred on, and tested with."""

from dataclasses import dataclass

import numpy as np

from improviser.core.music.note import Note
from improviser.core.music.scales import STEPS

STABLE = (0, 3, 4, 7)
LENGTHS = (0.25, 0.5, 0.5, 0.5, 1.0, 1.0, 1.5)
LAST_LENGTHS = (1.5, 2.0, 2.0, 3.0)
RESTS = (0.0, 0.5, 1.0, 2.0)
MOVES = (-3, -2, -1, -1, -1, 0, 1, 1, 1, 2, 2, 3)
PASSING_THIRDS = 0.15
"""How often a player of the blues plays the major third for the minor one."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Pitches, their lengths in quarters, and the rest behind them."""

    pitches: tuple[int, ...]
    quarters: tuple[float, ...]
    rest_quarters: float


def phrase(rng: np.random.Generator, mode: str, tonic: int, low: int, *, home: bool) -> Phrase:
    """Return a random phrase that ends on the home note, or on any stable one."""
    pitches = [pitch for pitch in range(low - 7, low + 20) if (pitch - tonic) % 12 in STEPS[mode]]
    ends = [pitch for pitch in pitches if (pitch - tonic) % 12 in ((0,) if home else STABLE)]
    place = pitches.index(int(rng.choice(ends)))
    backwards = [pitches[place]]
    for move in rng.choice(MOVES, int(rng.integers(4, 12))):
        place = min(len(pitches) - 1, max(0, place + int(move)))
        backwards.append(pitches[place])
    quarters = [float(length) for length in rng.choice(LENGTHS, len(backwards))]
    quarters[-1] = float(rng.choice(LAST_LENGTHS))
    return Phrase(tuple(reversed(backwards)), tuple(quarters), float(rng.choice(RESTS)))


def played(
    mode: str, tonic: int, seed: int, *, bpm: float, phrases: int = 12, riffs: bool = True, home_share: float = 0.75
) -> list[list[Note]]:
    """Return what a player plays, phrase by phrase: four riffs in any order, or always something new.

    :param home_share: how many of the phrases end on the home note, rather than on any stable note.
    """
    rng = np.random.default_rng((seed, tonic, len(mode)))
    low = int(rng.integers(55, 67))

    def anew(number: int) -> Phrase:
        return phrase(rng, mode, tonic, low, home=number == 0 or rng.random() < home_share)

    stock = [anew(number) for number in range(4)]
    second, found = 0.5, []
    for number in range(phrases):
        chosen = stock[int(rng.integers(len(stock)))] if riffs else anew(number)
        notes = []
        for pitch, quarters in zip(chosen.pitches, chosen.quarters, strict=True):
            passing = mode == "blues" and (pitch - tonic) % 12 == 3 and rng.random() < PASSING_THIRDS
            seconds = quarters * 60 / bpm
            early = float(np.clip(rng.normal(0, 0.008), -0.02, 0.02))
            notes.append(Note(pitch + passing, second + early, 0.9 * seconds, 80))
            second += seconds
        second += chosen.rest_quarters * 60 / bpm
        found.append(notes)
    return found
