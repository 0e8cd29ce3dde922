"""How usual chords are in a key, counted in Bach's chorales, and how well that tells roots (`core.music.close_roots`).

Run it from the repository's folder (half a minute on one core)::

    uv run --extra corpus python -m tests.benchmarks.chord_counts

All that sounds at each onset of the 186 chorales is named where it is a triad or a seventh chord; a triad counts as the
seventh chord that the scale has on its root. Prints, in per cent, how usual the kinds of chords are on each degree of
major and minor keys; how much more often than by chance a root is a fifth below the one before; and how often root,
third, fifth or seventh lies lowest. Then how many roots these tables, and those in use, tell of close voicings, with
and without their root, in every inversion, of progressions that jazz players play, in every key.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

import improviser.core.music.close_roots as tables
from improviser.core.music.close_roots import ELSEWHERE, Situation, readings
from improviser.core.music.piece import Piece, sounding_at
from improviser.core.music.scales import STEPS
from improviser.training.chorales import load_chorales

CHORDS = {
    (0, 4, 7): None, (0, 3, 7): None, (0, 3, 6): "diminished", (0, 4, 7, 11): "major", (0, 4, 7, 10): "dominant",
    (0, 3, 7, 10): "minor", (0, 3, 6, 10): "diminished", (0, 3, 6, 9): "diminished",
}  # fmt: skip
"""Chords by their steps; the kind of a triad is that of the seventh chord on its root in the key."""
LEAST = 0.4
"""What is no more usual than this (per cent) is left out."""
Usual = dict[tuple[int, str], float]
PROGRESSIONS: Mapping[str, tuple[bool, tuple[tuple[int, str], ...]]] = {
    "two, five, one": (False, ((2, "minor"), (7, "dominant"), (0, "major"), (0, "major"))),
    "turnaround": (False, ((0, "major"), (9, "minor"), (2, "minor"), (7, "dominant"))),
    "turnaround with dominants": (False, ((4, "minor"), (9, "dominant"), (2, "minor"), (7, "dominant"))),
    "standard": (False, ((0, "major"), (5, "major"), (4, "minor"), (9, "minor"), (2, "dominant"), (7, "dominant"))),
    "blues": (False, ((0, "dominant"), (5, "dominant"), (0, "dominant"), (7, "dominant"), (5, "dominant"))),
    "minor two, five, one": (True, ((2, "diminished"), (7, "dominant"), (0, "minor"), (0, "minor"))),
    "minor circle": (True, ((5, "minor"), (10, "dominant"), (3, "major"), (8, "major"), (2, "diminished"),
                            (7, "dominant"), (0, "minor"))),
}  # fmt: skip
"""Whether the key is minor; and roots, semitones above its tonic, with their kinds."""


def named(piece: Piece) -> Iterator[tuple[int, str, int]]:
    """Yield the chords of a chorale: root above the tonic, kind, and the step above the root that lies lowest."""
    context = piece.context
    if context is None:
        return
    scale = STEPS["minor" if context.minor else "major"]
    onsets = sorted({note.onset_seconds for voice in piece.voices for note in voice})
    sounding = [sounding_at(voice, onsets, tolerance_seconds=1e-3) for voice in piece.voices]
    for pitches in zip(*sounding, strict=True):
        there = [pitch for pitch in pitches if pitch is not None]
        if len(there) < len(pitches):
            continue
        classes = {pitch % 12 for pitch in there}
        for root in classes:
            steps = tuple(sorted((each - root) % 12 for each in classes))
            if steps in CHORDS:
                degree = (root - context.tonic) % 12
                minor_seventh = (degree + 10) % 12 in scale and (degree + 11) % 12 not in scale
                kind = CHORDS[steps] or ("minor" if 3 in steps else "dominant" if minor_seventh else "major")
                yield degree, kind, (min(there) - root) % 12
                break


def counted() -> tuple[Usual, Usual, float, dict[int, float]]:
    """Return how usual chords are in major and in minor, how a fifth down gains, and how often which step is lowest."""
    chords: dict[bool, Counter[tuple[int, str]]] = {False: Counter(), True: Counter()}
    lowest: Counter[int] = Counter()
    downwards = by_chance = 0.0
    for piece in load_chorales():
        if piece.context is None:
            continue
        found = [*named(piece)]
        chords[piece.context.minor].update((degree, kind) for degree, kind, _ in found)
        lowest.update({3: 4, 10: 11, 6: 7, 9: 11}.get(low, low) for _, _, low in found)
        roots = [root for place, (root, _, _) in enumerate(found) if not place or found[place - 1][0] != root]
        often = Counter(roots)
        downwards += sum((one - other) % 12 == 7 for one, other in pairwise(roots))
        by_chance += sum(often[(root - 7) % 12] / max(1, len(roots) - often[root]) for root in roots[:-1])
    usual = [
        {chord: 100 * count / chords[minor].total() for chord, count in chords[minor].most_common()}
        for minor in (False, True)
    ]
    kept = [{chord: round(share, 1) for chord, share in each.items() if share > LEAST} for each in usual]
    return kept[0], kept[1], downwards / by_chance, {low: count / lowest.total() for low, count in lowest.items()}


def told(*, rooted: bool, habit: int) -> dict[str, float]:
    """Return the share of roots that are told, by progression, of close voicings with their root, or without."""
    shapes = tables.ROOTED if rooted else tables.ROOTLESS
    shares = {}
    for name, (minor, chords) in PROGRESSIONS.items():
        right = []
        for tonic in range(12):
            for before, (degree, kind) in zip((None, *chords), chords, strict=False):
                root = (tonic + degree) % 12
                last = None if before is None else (tonic + before[0]) % 12
                for shape in shapes[kind][:2]:
                    classes = sum(1 << (root + step) % 12 for step in shape)
                    for low in shape:
                        now = Situation(tonic, minor, last, (root + shape[0]) % 12, habit)
                        right.append(readings(classes, (root + low) % 12, now)[0].root == root)
        shares[name] = sum(right) / len(right)
    return shares


def show(title: str) -> None:
    """Print how many roots are told."""
    print(title)
    for rooted, habit in ((True, 0), (True, -3), (False, 0), (False, 3)):
        shares = told(rooted=rooted, habit=habit)
        cells = "  ".join(f"{name} {share:.2f}" for name, share in shares.items())
        kind = "with root" if rooted else "without"
        print(f"  {kind}, habit {habit:+d}: {sum(shares.values()) / len(shares):.3f}   {cells}")


def main() -> None:
    """Print the tables, and what they tell."""
    major, minor, fifths, lowest = counted()
    print("major:", major)
    print("minor:", minor)
    print(f"a fifth below the root before: {fifths:.1f} times as often as by chance")
    print("lowest:", {low: round(share, 2) for low, share in sorted(lowest.items())}, f"elsewhere {ELSEWHERE}")
    show("in use")
    for table, counts in ((tables.IN_MAJOR, major), (tables.IN_MINOR, minor)):
        assert isinstance(table, dict)
        table.clear()
        table.update(counts)
    readings.cache_clear()
    show("counted")


if __name__ == "__main__":
    main()
