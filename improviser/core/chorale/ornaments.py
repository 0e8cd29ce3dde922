"""Ornaments: a part that moves by step between the player's notes, as Bach's do, on the way to what comes next.

How often which part takes which step from which degree of the scale was counted, and what the beat and the intervals to
the other voices make of it, as factors; and where parts went from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.terms import BEATS, GAPS, VOICES, Place
from improviser.errors import ModelError

FloatArray = NDArray[np.float64]

STEPS = (-2, -1, 1, 2)
"""Semitones; larger moves are no ornaments."""
CAME = 3
"""A voice came to its pitch from above, stayed, or came from below."""
REACH = 12
SHAPES = {
    "rates": (VOICES, 12, CAME, len(STEPS)),
    "rhythm": (BEATS, GAPS),
    "intervals": (12,),
    "leads": (len(STEPS), 2 * REACH + 1),
}


@dataclass(frozen=True, slots=True, eq=False)
class Ornaments:
    """What was counted.

    :param rates: how often a voice takes each step, by its degree and how it came there, shape (4, 12, 3, 4).
    :param rhythm: how much oftener that is by beat and interval since the last note, shape (BEATS, GAPS).
    :param intervals: the same by the interval up to another voice, shape (12,).
    :param leads: how much likelier a voice moves so far to the next note after each step, in nats, shape (4, 25).
    """

    rates: FloatArray
    rhythm: FloatArray
    intervals: FloatArray
    leads: FloatArray

    def weights(self, chord: Sequence[int], place: Place, given: int) -> FloatArray:
        """Return how likely each step of each voice is after a chord, shape (4, 4); nothing for the one `given`.

        :param chord: the pitches, soprano first.
        :param place: of the chord.
        """
        found = np.zeros((VOICES, len(STEPS)))
        before = chord if place.before is None else place.before
        for voice, pitch in enumerate(chord):
            if voice == given:
                continue
            came = int(np.sign(pitch - before[voice])) + 1
            for number, step in enumerate(STEPS):
                rate = self.rates[voice, (pitch - place.tonic) % 12, came, number]
                for other, sounds in enumerate(chord):
                    rate *= self.intervals[(sounds - pitch - step) % 12] if other != voice else 1.0
                found[voice, number] = rate
        found *= self.rhythm[place.beat, place.gap]
        return found

    def draw(self, weights: FloatArray, share: float, chance: float) -> tuple[int, int] | None:
        """Return a voice and the number of its step, or None.

        :param share: how many of the ornaments there are to be, 0–1.
        :param chance: a number ≥ 0 and < 1.
        """
        likely = share * min(1.0, float(weights.sum()))
        if chance >= likely:
            return None
        sums = weights.ravel().cumsum()
        place = int(np.searchsorted(sums, chance / likely * sums[-1], side="right"))
        voice, number = divmod(min(place, sums.size - 1), len(STEPS))
        return voice, number

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the tables by name."""
        return {name: np.asarray(getattr(self, name), np.float32) for name in SHAPES}


def read_ornaments(tables: dict[str, NDArray[Any]]) -> Ornaments:
    """Return ornaments from their tables by name.

    :raises ModelError: if they are none.
    """
    for name, shape in SHAPES.items():
        if tables[name].shape != shape or (name != "leads" and tables[name].min() < 0):
            raise ModelError("what it knows of ornaments is no table of rates; it is damaged")
    return Ornaments(**{name: np.asarray(tables[name], np.float64) for name in SHAPES})
