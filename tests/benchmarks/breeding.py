"""Breeds the choirs of the benchmarks as `improviser train` does, and keeps them so that a run can go on."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.networks.task import NetworkTask
from improviser.training.choir_recipe import CHECK_EVERY, POPULATION, strategy_of
from improviser.training.generations import Evolution, Limits, run
from improviser.training.recipe import Options


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
