"""A published grade of chorales, as an alarm: far above the corpus's own, something has gone wrong. It is no target.

After Fang, Liu, Seetharaman and Pardo, "Bach or Mock? A Grading Function for Chorales in the Style of J.S. Bach"
(arXiv 2006.13329, 2020): how often a piece has each of several things, beside how often the corpus has it. The distance
between the two is Wasserstein's, the things being placed by how often the corpus has them; of errors, it is multiplied
by how many there are, beside the corpus's. The distances are summed: 0 is the corpus itself. What sounds at the notes
of the given voice is looked at: the rhythm is the player's, and not graded. Listeners do not agree with this grade.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from improviser.core.chorale.figures import CHORDS, PAIRS, Chords, sets_above
from improviser.core.music.counterpoint import PERFECT
from improviser.training.chorale_fitting import Setting

Counts = dict[str, Counter[Hashable]]
BY_MODE = ("degrees", "chords", "intervals", "soprano", "alto", "tenor", "bass")
"""These are held against what the corpus has in the same mode."""
ERRORS = ("parallels", "errors")
VOICES = BY_MODE[3:]
OUTER = (0, 3)
"""Hidden fifths and octaves count between soprano and bass."""
WIDE = 12
"""Semitones between neighbours of the upper three voices; more is an error."""


def counts_of(chords: Chords, tonic: int) -> Counts:
    """Return how often a piece has each thing, by what kind of thing it is.

    :param chords: what sounds, shape (notes, 4).
    :param tonic: pitch class of the key.
    """
    moves = np.diff(chords, axis=0)
    found: Counts = {"degrees": Counter(((chords - tonic) % 12).ravel().tolist())}
    kinds = [(bits, CHORDS[bits]) for bits in sets_above(chords).tolist()]
    found["chords"] = Counter(_turned(bits, kind.root) if kind.known else 0 for bits, kind in kinds)
    for voice, name in enumerate(VOICES):
        found[name] = Counter(moves[:, voice].tolist())
    found["intervals"] = Counter(moves.ravel().tolist())
    found["parallels"], found["errors"] = Counter(), Counter()
    for one, other in PAIRS:
        together = moves[:, one] * moves[:, other] > 0
        interval = (chords[:, one] - chords[:, other]) % 12
        for perfect in PERFECT:
            comes = together & (interval[1:] == perfect)
            parallel = comes & (interval[:-1] == perfect)
            found["parallels"][perfect] += int(parallel.sum())
            if (one, other) == OUTER:
                found["errors"]["hidden", perfect] = int((comes & ~parallel).sum())
    apart = chords[:, :-1] - chords[:, 1:]
    found["errors"]["crossing"] = int((apart < 0).sum())
    found["errors"]["spacing"] = int((apart[:, :2] > WIDE).sum())
    over, under = chords[1:, 1:] > chords[:-1, :-1], chords[1:, :-1] < chords[:-1, 1:]
    found["errors"]["overlap"] = int(over.sum() + under.sum())
    return found


def _turned(bits: int, root: int) -> int:
    """Return pitch classes above the lowest note as those above the root."""
    return (bits << 12 | bits) >> root & 4095


class Grader:
    """Grades pieces by a corpus.

    :param settings: the corpus.
    """

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._counts: dict[tuple[str, bool], Counter[Hashable]] = {}
        self._notes = 0
        for setting in settings:
            self._notes += setting.chords.size
            for name, counter in counts_of(setting.chords, setting.tonic).items():
                key = name, name in BY_MODE and setting.minor
                self._counts.setdefault(key, Counter()).update(counter)

    def grade(self, chords: Chords, tonic: int, *, minor: bool) -> float:
        """Return the grade of a piece, 0 or more; less is nearer to the corpus."""
        total = 0.0
        for name, counter in counts_of(chords, tonic).items():
            theirs = self._counts[name, name in BY_MODE and minor]
            apart = rank_distance(counter, theirs)
            if name in ERRORS:
                usual = theirs.total() / self._notes
                apart *= counter.total() / chords.size / usual if usual else counter.total()
            total += apart
        return total

    def median(self, pieces: Iterable[tuple[Setting, Chords]]) -> float:
        """Return the median grade of pieces, each with what sounds at its notes."""
        grades = [self.grade(chords, setting.tonic, minor=setting.minor) for setting, chords in pieces]
        return float(np.median(grades))


def rank_distance(own: Counter[Hashable], theirs: Counter[Hashable]) -> float:
    """Return Wasserstein's distance between two distributions of things, which lie 1 apart, the corpus's usual first.

    Where there is nothing in one of them, 0.
    """
    if not own.total() or not theirs.total():
        return 0.0
    order: Sequence[Hashable] = [thing for thing, _ in theirs.most_common()]
    known = set(order)
    order = [*order, *(thing for thing, _ in reversed(own.most_common()) if thing not in known)]
    differences = [own[thing] / own.total() - theirs[thing] / theirs.total() for thing in order]
    return float(np.abs(np.cumsum(differences)[:-1]).sum())
