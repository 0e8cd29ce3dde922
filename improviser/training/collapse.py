"""A guard against collapse: what sings one note for ever, or only what the player plays, is no champion.

Bits per note hardly see it (a network may know Bach's next note from Bach's last one, and hang on its own), so every
candidate plays by itself to some held-out openings first. It is held against the corpus there, never against an ideal:
in some music much is repeated.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from improviser.core.arrays import Float32Array
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.corpus import TOLERANCE_SECONDS, Duet
from improviser.core.music.note import Note
from improviser.core.music.piece import sounding_at
from improviser.core.networks.responder import Model
from improviser.core.tasks.registry import describe
from improviser.training.evaluation import OPENING, play_along

# How much larger a share may be than the corpus's own.
TOO_MUCH = 0.3
# There are to be at least so many of the corpus's different pitches.
VARIETY = 1 / 3
OPENINGS, NOTES = 3, 20


class CollapseGuard:
    """Says whether a genome may be a champion; the same genome is always answered alike.

    :param build: makes a model of genomes.
    :param duets: held-out pieces: the player's notes and the voice's own, the latter empty for melodies.
    """

    def __init__(self, build: Callable[[Sequence[Float32Array]], Model], duets: Sequence[Duet]) -> None:
        self._build = build
        self._openings = [_opening(player, own) for player, own in duets[:OPENINGS]]

    def __call__(self, genome: Float32Array) -> bool:
        """Whether the genome plays livelily enough."""
        model = self._build([genome])
        rng = generator(1)
        played: list[int] = []
        wanted: list[int] = []
        heard: list[int] = []
        for player, own in self._openings:
            free = [index for index, pitch in enumerate(own) if pitch is not None]
            theirs = play_along(model, player, rng)
            if describe(model.task).alone:
                free = free[OPENING:]
            else:
                heard += [player[index].pitch for index in free]
            played += [theirs[index] for index in free]
            wanted += [pitch for index in free if (pitch := own[index]) is not None]
        return not has_collapsed(played, wanted, heard)


def has_collapsed(played: Sequence[int], wanted: Sequence[int], player: Sequence[int] = ()) -> bool:
    """Whether `played` repeats itself or copies the player far more than `wanted` does, or has far fewer pitches.

    :param player: the player's pitch at each note; empty where there is none.
    """
    if len(played) < 2:
        return False
    more_repeats = _repeats(played) - _repeats(wanted)
    more_copies = _copies(played, player) - _copies(wanted, player) if player else 0.0
    return more_repeats > TOO_MUCH or more_copies > TOO_MUCH or len(set(played)) < max(1.0, VARIETY * len(set(wanted)))


def _repeats(pitches: Sequence[int]) -> float:
    return sum(one == other for one, other in pairwise(pitches)) / (len(pitches) - 1)


def _copies(pitches: Sequence[int], player: Sequence[int]) -> float:
    return sum((one - other) % 12 == 0 for one, other in zip(pitches, player, strict=True)) / len(pitches)


def _opening(player: Sequence[Note], own: Sequence[Note]) -> tuple[Sequence[Note], Sequence[int | None]]:
    """Return the first notes of the player, and what the voice has there; of a melody, more and its own pitches."""
    if not own:
        some = tuple(player[: OPENING + NOTES])
        return some, [note.pitch for note in some]
    some = tuple(player[:NOTES])
    return some, sounding_at(own, [note.onset_seconds for note in some], tolerance_seconds=TOLERANCE_SECONDS)
