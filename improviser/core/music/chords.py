"""Chords: how likely each pitch class is the root, third, fifth or seventh of what sounds together.

Each template in each key is scored by what of it sounds, what of it is missing and what sounds besides; a chord is most
often built on its lowest note. The scores become probabilities, so that an ambiguous chord (C E, or C D G) is one.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ROLES = ("root", "third", "fifth", "seventh")
TEMPLATES = (
    (0, 4, 7),
    (0, 3, 7),
    (0, 3, 6),
    (0, 4, 8),
    (0, 4, 7, 10),
    (0, 4, 7, 11),
    (0, 3, 7, 10),
    (0, 3, 6, 10),
)
CLEAR = 0.7
"""So likely is a root that is clear."""
PRESENT, MISSING, FOREIGN, RARE, ON_LOWEST = 1.5, 1.5, 1.5, 0.7, 1.0
"""Log-weights: of a note of the template that sounds, that does not, of a note besides, of a template that is no plain
triad, and of a root that is the lowest note."""


@lru_cache(maxsize=8192)
def roles(classes: int, lowest: int) -> NDArray[np.float64]:
    """Return the probability of each pitch class in each of ROLES, shape (4, 12).

    :param classes: the pitch classes that sound, as bits: 1 << pitch class.
    :param lowest: pitch class of the lowest note.
    """
    scores, places = [], []
    for number, template in enumerate(TEMPLATES):
        for root in range(12):
            tones = [(root + step) % 12 for step in template]
            inside = sum(classes >> tone & 1 for tone in tones)
            foreign = classes.bit_count() - inside
            score = PRESENT * inside - MISSING * (len(tones) - inside) - FOREIGN * foreign
            scores.append(score - RARE * (number > 1) + ON_LOWEST * (root == lowest))
            places.append(tones)
    chances = np.exp(np.array(scores) - max(scores))
    chances /= chances.sum()
    found = np.zeros((len(ROLES), 12))
    for chance, tones in zip(chances, places, strict=True):
        for role, tone in enumerate(tones):
            found[role, tone] += chance
    found.setflags(write=False)
    return found


@lru_cache(maxsize=8192)
def clear_root(classes: int, lowest: int) -> int | None:
    """Return the pitch class that a chord is built on, None if it is not clear; see `roles`."""
    chances = roles(classes, lowest)[0]
    root = int(chances.argmax())
    return root if chances[root] >= CLEAR else None
