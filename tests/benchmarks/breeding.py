"""Breeds the choirs of the benchmarks as `improviser train` does, and keeps them so that a run can go on."""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.music.piece import Piece
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.notes import Notes
from improviser.core.networks.task import NetworkTask
from improviser.core.networks.viewpoints import Inputs
from improviser.kernels.fastest import fastest_scorer
from improviser.training.choir_recipe import CHECK_EVERY, POPULATION, strategy_of
from improviser.training.generations import Evolution, Limits, run
from improviser.training.recipe import Options
from tests.benchmarks.gradient import descended


class Level(Protocol):
    """An information level, as far as breeding asks."""

    @property
    def settings(self) -> ChoirSettings:
        """Of the choir."""

    @property
    def inputs(self) -> Inputs[Any]:
        """What its networks see."""

    def notes(self, pieces: Sequence[Piece]) -> Notes:
        """Return the notes of pieces, to be scored."""


def choir_of_fold(
    options: argparse.Namespace, task: str, fold: int, level: Level, pieces: Sequence[Piece], folds: Sequence[int]
) -> Float32Array:
    """Return the choir of a fold, bred without its pieces; those of the next fold choose the champions.

    :param options: the strategy, generations, members of the choir, seed, and the folder in which it is kept; all but
        `folds` and `keep` name it there.
    """

    def breed() -> Float32Array:
        develop = (fold + 1) % 10
        train = level.notes([piece for piece, its in zip(pieces, folds, strict=True) if its not in (fold, develop)])
        held = level.notes([piece for piece, its in zip(pieces, folds, strict=True) if its == develop])
        shape = level.settings.shape(level.inputs.size, vertical=task == "harmony")
        # Choirs of melody and of harmony have always been bred so; other seeds would need all tables anew.
        seed = options.seed + 100 * fold if task == "melody" else options.seed
        if options.strategy == "gradient":
            return descended(shape, train, held, members=options.choir, seed=seed)
        scored = NetworkTask(task, shape, train, held, scorer=fastest_scorer(shape))
        return breed_choir(scored, options.strategy, members=options.choir, generations=options.generations, seed=seed)

    chosen = {key: value for key, value in vars(options).items() if key not in ("folds", "keep")}
    return kept_choir(options.keep, {**chosen, "fold": fold, "settings": level.settings.to_json()}, breed)


def kept_choir(folder: Path | None, identity: Mapping[str, Any], breed: Callable[[], Float32Array]) -> Float32Array:
    """Return the choir that `identity` names: from the folder if it is there, else bred now and put there."""
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    path = folder / f"{name}.npy" if folder else None
    if path is not None and path.exists():
        loaded: Float32Array = np.load(path)
        return loaded
    started = time.monotonic()
    genomes = breed()
    print(f"     bred in {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part.npy")
        np.save(temporary, genomes)
        temporary.replace(path)
    return genomes


def breed_choir(task: NetworkTask, strategy: str, *, members: int, generations: int, seed: int) -> Float32Array:
    """Return the champions of so many members, each bred for so many generations, shape (members, genome_size)."""
    champions = []
    for member in range(members):
        options = Options((), task=task.name, seed=seed)
        evolution = Evolution(
            task,
            strategy_of(strategy, task, POPULATION, options, member),
            seed=seed + member,
            choice="held_out",
            check_every=CHECK_EVERY,
        )
        run(evolution, Limits(generations=generations), lambda _: None)
        if evolution.champion is None:
            raise ValueError("no generation fitted into the time")
        champions.append(evolution.champion.genome)
    return np.stack(champions)
