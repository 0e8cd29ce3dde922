"""Keys by functional harmony: the tonic that a row of chords of four notes is usual for, as ii V I is for the last.

Each chord may have some roots (`close_roots`), each as likely as such a chord is usual in the key, and likelier a fifth
below the root before: a hidden Markov model over roots, one for each key. Where all chords are dominants, as in the
blues, each could be home, and nothing is said.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.close_roots import ELSEWHERE, FIFTH_DOWN, IN_MAJOR, IN_MINOR, is_dominant, lies, shapes

Chord = tuple[int, int]
"""Pitch classes as bits, 1 << pitch class, and the pitch class of the lowest note."""

IN_DORIAN: Mapping[tuple[int, str], float] = {
    (0, "minor"): 20, (5, "dominant"): 12, (2, "minor"): 10, (10, "major"): 5, (7, "minor"): 4, (3, "major"): 4,
}  # fmt: skip
IN_MIXOLYDIAN: Mapping[tuple[int, str], float] = {
    (0, "dominant"): 20, (10, "major"): 12, (5, "major"): 12, (5, "dominant"): 8, (7, "minor"): 6,
    (7, "dominant"): 8, (2, "minor"): 4, (9, "dominant"): 2,
}  # fmt: skip
"""How usual a chord is in a mode, by semitones above its tonic and kind: so many in a hundred, as in `close_roots`."""
MODES = ((IN_MAJOR, 0.4), (IN_MINOR, 0.35), (IN_MIXOLYDIAN, 0.15), (IN_DORIAN, 0.1))
"""How usual the modes are themselves."""
LATELY: Final = 48
"""So many chords count, the last ones."""
FIFTH = 7
_PRIORS: Final = np.repeat([math.log(share) for _, share in MODES], 12)
Floats = NDArray[np.float64]


def chord_of(pitches: Sequence[int]) -> Chord:
    """Return pitches that are struck together as a chord."""
    return sum(1 << each for each in {pitch % 12 for pitch in pitches}), min(pitches) % 12


def tonic_nats(chords: Sequence[Chord]) -> Floats | None:
    """Return how much a row of chords says for each tonic, in nats a chord, shape (12,), 0 for the likeliest.

    None if no chord of it is known, or all are dominants.
    """
    known = [chord for chord, _ in groupby(chord for chord in chords if shapes(chord[0]))][-LATELY:]
    if all(is_dominant(classes) for classes, _ in known):
        return None
    nats, before, roots = _PRIORS.copy(), np.zeros((0, _PRIORS.size)), np.zeros(0, np.int_)
    for chord in known:
        following, chances = _chances(chord)
        falls = np.where((roots[None, :] - following[:, None]) % 12 == FIFTH, FIFTH_DOWN, 1.0)
        now = chances * (falls @ before) if roots.size else chances
        whole = now.sum(axis=0)
        nats += np.log(whole)
        before, roots = now / whole, following
    found: Floats = np.logaddexp.reduce(nats.reshape(len(MODES), 12), axis=0)
    found -= found.max()
    return found / len(known)


@lru_cache(maxsize=1024)
def _chances(chord: Chord) -> tuple[NDArray[np.int_], Floats]:
    """Return the roots that a chord may have, and how likely each is in each key, mode by mode, each by tonic."""
    classes, lowest = chord
    rows = [
        [usual.get(((root - tonic) % 12, kind), ELSEWHERE) * lies((lowest - root) % 12)
        for usual, _ in MODES for tonic in range(12)]
        for root, kind, _ in shapes(classes)
    ]  # fmt: skip
    return np.array([root for root, _, _ in shapes(classes)]), np.array(rows)
