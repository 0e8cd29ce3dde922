"""The roots of close chords of four notes, which may leave their root to a bass.

F A C E is F major 7 with its root below, and D minor 9 without. What decides is how usual each is in the key, whether
the root before is a fifth above, what lies lowest, whether the tune has it, and what this player does in general.
How usual chords are in Bach's chorales tells fewer roots: `tests/benchmarks/chord_counts.py` counts that and compares.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

ROOTED: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 4, 7, 11), (0, 4, 7, 9), (0, 4, 11)),
    "minor": ((0, 3, 7, 10), (0, 3, 7, 9), (0, 3, 10)),
    "dominant": ((0, 4, 7, 10), (0, 4, 10)),
    "diminished": ((0, 3, 6, 10), (0, 3, 6, 9)),
}
"""Chords with their root, in semitones above it, by kind."""
ROOTLESS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "major": ((4, 7, 11, 2), (4, 7, 9, 2), (4, 9, 11, 2)),
    "minor": ((3, 7, 10, 2), (3, 7, 9, 2), (3, 5, 7, 10)),
    "dominant": ((4, 7, 10, 2), (4, 9, 10, 2), (4, 7, 10, 1), (4, 8, 10, 1), (4, 8, 10, 3), (4, 9, 10, 1)),
    "diminished": ((3, 6, 10, 2), (3, 6, 10, 5)),
}
"""The same without it: third and seventh, and two of fifth, sixth and ninth."""
IN_MAJOR: Mapping[tuple[int, str], float] = {
    (0, "major"): 20, (2, "minor"): 16, (7, "dominant"): 20, (5, "major"): 8, (9, "minor"): 8, (4, "minor"): 4,
    (11, "diminished"): 1.5, (9, "dominant"): 4, (2, "dominant"): 4, (4, "dominant"): 3, (0, "dominant"): 4,
    (5, "dominant"): 3, (5, "minor"): 2, (10, "dominant"): 1.5,
}  # fmt: skip
IN_MINOR: Mapping[tuple[int, str], float] = {
    (0, "minor"): 20, (5, "minor"): 10, (7, "dominant"): 18, (2, "diminished"): 10, (8, "major"): 8, (3, "major"): 8,
    (10, "dominant"): 6, (5, "dominant"): 4, (7, "minor"): 4, (11, "diminished"): 2, (8, "dominant"): 3,
}  # fmt: skip
"""How usual a chord is in a key, by semitones above its tonic and kind: so many in a hundred."""
Shape = tuple[int, str, bool]
"""What a chord may be: the root, the kind of chord, and whether the root is among its notes."""
ELSEWHERE = 0.4
FIFTH_DOWN, STAYS = 3.0, 1.5
"""How many times likelier a root is a fifth below the one before, and the same again."""
LOWEST_ROOT, THIRD_OR_SEVENTH, SELDOM = 2.0, 1.0, 0.3
"""How usual it is that the root lies lowest; that the third or the seventh do; and anything else."""
IN_TUNE = 2.5
"""How many times likelier a root is that the tune has while the chord has not."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a close chord's root depends on besides the chord.

    :param tonic: of the key, 0-11.
    :param minor: whether that is a minor key.
    :param before: the root of the chord before, if it is known.
    :param tune: the pitch class of the tune.
    :param habit: how much more usual it is that this player leaves roots out than that he plays them, in nats.
    """

    tonic: int
    minor: bool
    before: int | None
    tune: int
    habit: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a chord may be: its root, whether that is among its notes, and how usual that is in the situation."""

    root: int
    rooted: bool
    chance: float


@lru_cache(maxsize=4096)
def readings(classes: int, lowest: int, now: Situation) -> tuple[Reading, ...]:
    """Return what a close chord of four notes may be, the likeliest first; nothing where it is none of these kinds.

    :param classes: its pitch classes as bits, 1 << pitch class.
    :param lowest: the pitch class of its lowest note.
    """
    usual, found = IN_MINOR if now.minor else IN_MAJOR, []
    for root, kind, rooted in shapes(classes):
        chance = usual.get(((root - now.tonic) % 12, kind), ELSEWHERE) * lies((lowest - root) % 12)
        if now.before is not None:
            chance *= FIFTH_DOWN if (now.before - root) % 12 == 7 else STAYS if now.before == root else 1.0
        if not rooted:
            chance *= math.exp(now.habit) * (IN_TUNE if now.tune == root else 1.0)
        found.append(Reading(root, rooted, chance))
    return tuple(sorted(found, key=lambda reading: -reading.chance))


def lies(above: int) -> float:
    """Return how usual it is that a note so many semitones above the root lies lowest."""
    return LOWEST_ROOT if above == 0 else THIRD_OR_SEVENTH if above in (3, 4, 10, 11) else SELDOM


def shapes(classes: int) -> Sequence[Shape]:
    """Return what pitch classes may be."""
    return _SHAPES.get(classes, ())


def _all_shapes() -> dict[int, list[Shape]]:
    found: dict[int, list[Shape]] = {}
    for kinds in (ROOTED, ROOTLESS):
        for kind, usual in kinds.items():
            for root in range(12):
                for classes in {_bits(shape, root) for shape in usual}:
                    found.setdefault(classes, []).append((root, kind, kinds is ROOTED))
    return found


def is_dominant(classes: int) -> bool:
    """Say whether pitch classes are a dominant seventh chord with its root."""
    return any(rooted and kind == "dominant" for _, kind, rooted in shapes(classes))


def _bits(shape: tuple[int, ...], root: int) -> int:
    return sum(1 << (root + step) % 12 for step in shape)


_SHAPES: Final = _all_shapes()
