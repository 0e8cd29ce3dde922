"""Breeds the constants of the sense of home (`core.music.home`), and prints how often it is right.

Run it from the repository's folder (ten minutes on one core)::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus python -m tests.benchmarks.home_fit --generations 60

The players are random, in every mode, on every tonic, at 60 to 160 beats a minute (`tests.home_players`), and the
sopranos of Bach's chorales, whose keys are known. No others have been listened to. Bred by sep-CMA-ES on the chance of
the true key; shown for players of other seeds, after 24 notes, beside what the constants in the file do.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.cma import SepCma
from improviser.core.music.home import EAR, MODES, Ear, HomeTracker, Keys
from improviser.core.music.note import Note
from improviser.training.chorales import load_chorales
from tests.home_players import played

NAMES = tuple(field.name for field in fields(Ear) if field.name != "change")
"""What is bred: but for the rate of changes, which would go to nothing, as these players change once at most."""
FIRST = 24
"""Notes in a key after which it counts."""
LEAST = 1e-3
SLIP = 0.03
"""How often a player plays a note a semitone off."""


@dataclass(frozen=True, slots=True)
class Player:
    """Notes in a key; a chorale's counts only by its end."""

    notes: Sequence[Note]
    tonic: int
    mode: str
    first: int


def players(seeds: Sequence[int]) -> Iterator[Player]:
    """Yield random players, each mode as often; they slip at times, and every other comes from another key."""
    for mode in MODES:
        for seed in seeds:
            rng = np.random.default_rng(seed)
            tonic, bpm = int(rng.integers(12)), float(rng.uniform(60, 160))
            notes = [note for each in played(mode.name, tonic, seed, bpm=bpm, riffs=seed % 2 == 0) for note in each]
            notes = [replace(note, pitch=note.pitch + int(rng.random() < SLIP)) for note in notes]
            if seed % 4 < 2:
                before = MODES[int(rng.integers(len(MODES)))].name
                earlier = played(before, int(rng.integers(12)), seed + 1, bpm=bpm, phrases=4)
                old = [note for each in earlier for note in each]
                start = old[-1].end_seconds
                notes = [*old, *(replace(note, onset_seconds=note.onset_seconds + start) for note in notes)]
                yield Player(notes, tonic, mode.name, len(old) + FIRST)
            else:
                yield Player(notes, tonic, mode.name, FIRST)


def chorales(first: int, step: int) -> Iterator[Player]:
    """Yield the sopranos of chorales."""
    for piece in load_chorales()[first::step]:
        if piece.context is not None:
            notes = piece.voices[0]
            yield Player(notes, piece.context.tonic, "minor" if piece.context.minor else "major", len(notes) - 6)


def chances(player: Player, keys: Keys) -> Iterator[tuple[float, bool, bool]]:
    """Yield after each note the chance of the true key, whether the tonic is right, and whether the mode is, too."""
    tracker = HomeTracker(keys)
    names = [mode.name for mode in MODES]
    for number, note in enumerate(player.notes):
        tracker.hear(note.pitch, note.onset_seconds)
        if number >= player.first:
            home = tracker.home(note.end_seconds)
            chance = float(tracker.chances(note.end_seconds)[names.index(player.mode), player.tonic])
            yield chance, home.tonic == player.tonic, home.tonic == player.tonic and home.mode.name == player.mode


def fitness(genome: NDArray[np.float32], heard: Sequence[Player]) -> float:
    """Return the mean logarithm of the chance of the true key."""
    keys = Keys(ear_of(genome))
    return float(np.mean([np.mean([np.log(max(LEAST, one[0])) for one in chances(each, keys)]) for each in heard]))


def ear_of(genome: NDArray[np.float32]) -> Ear:
    """Return the ear of a genome: logarithms of its numbers against the first ones'."""
    first = Ear()
    return Ear(**{name: getattr(first, name) * float(np.exp(gene)) for name, gene in zip(NAMES, genome, strict=True)})


def show(keys: Keys, heard: Sequence[Player], name: str) -> None:
    """Print the share of moments at which the tonic is right, and the mode, too, by mode."""
    print(f"{name:<18} tonic  tonic and mode")
    for mode in MODES:
        rows = [[one[1:] for one in chances(each, keys)] for each in heard if each.mode == mode.name]
        if rows:
            right = np.mean([np.mean(row, axis=0) for row in rows], axis=0)
            print(f"{mode.name:<18} {right[0]:.2f}   {right[1]:.2f}", flush=True)


def main() -> None:
    """Breed, and print the constants and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--population", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    others, pieces = list(players(range(100, 116))), list(chorales(1, 2))
    for heard, name in ((others, "other players"), (pieces, "chorales")):
        show(Keys(EAR), heard, name)
    if not options.generations:
        return
    rng = np.random.default_rng(options.seed)
    strategy = SepCma(np.zeros(len(NAMES), np.float32), options.population, rng, averaging=0.8)
    known = [*players(range(6)), *chorales(0, 4)]
    for generation in range(options.generations):
        scores = np.array([fitness(genome, known) for genome in strategy.ask().copy()])
        strategy.tell(scores)
        if generation % 5 == 4:
            print(generation + 1, f"{fitness(strategy.champion, known):.4f}", ear_of(strategy.champion), flush=True)
    keys = Keys(ear_of(strategy.champion))
    for heard, name in ((others, "other players"), (pieces, "chorales")):
        show(keys, heard, name)


if __name__ == "__main__":
    main()
