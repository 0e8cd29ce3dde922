"""The ten folds of the chorale benchmark, and what is told apart in them."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from improviser.core.music.piece import Piece

# The fold of each of BWV 253–438, in order: drawn once by lot, by piece, and kept so that results can be compared.
FOLDS = (
    "84210042695944363342921275986737479006119599803373863839826767"
    "81410879367621774525648002013220581316841498817531805479402605"
    "35662396888733956194248959532101752765250264120474791055340510"
)
NOTES = 9336
ALPHABET = (57, *range(60, 80), 81)
# Two melodies share their opening if their first so many intervals are the same.
OPENING = 8


def fold_of(pieces: Sequence[Piece]) -> list[int]:
    """Return the fold of each chorale, after checking that these are the right ones.

    :raises ValueError: if they are not.
    """
    melodies = [piece.voices[0] for piece in pieces]
    pitches = {note.pitch for melody in melodies for note in melody}
    if len(pieces) != len(FOLDS) or sum(map(len, melodies)) != NOTES or pitches != set(ALPHABET):
        raise ValueError("these are not the 186 chorales BWV 253–438 of the benchmark")
    return [int(fold) for fold in FOLDS]


def shares_opening(pieces: Sequence[Piece]) -> list[bool]:
    """Return, for each piece, whether another one's melody opens with the same intervals."""
    openings = []
    for piece in pieces:
        pitches = [note.pitch for note in piece.voices[0][: OPENING + 1]]
        openings.append(tuple(later - earlier for earlier, later in pairwise(pitches)))
    counts = Counter(openings)
    return [counts[opening] > 1 for opening in openings]
