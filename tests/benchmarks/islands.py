"""Islands against members: what it gives to exchange champions, or to choose a choir from more populations.

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus --extra fast python -m tests.benchmarks.islands --folds 0,1

Every way scores as many networks: `--members` × `--generations` × 200. The melody task at the live level; a fold is
kept for the test, the next one chooses champions and choirs. The ways:

- one: a single population for all generations, the model a single network.
- members: what `improviser train --choir` does.
- chosen: twice as many populations for half as long; the choir is chosen from them for what its members add together,
  one after the other (greedily) on the development fold.
- snapshots: `members`, and the choir chosen in the same way from what each came to every 100 generations, too.
- migrating: as `members`, but every K generations each champion goes to the next population of a ring, where it takes a
  place in what is bred (injection as in Hansen, "Injecting External Solutions Into CMA-ES", 2011).
- migrating, chosen: both.
- viewpoints: as `members`, but each sees only some of the viewpoints, drawn by lot.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.networks.network import Shape
from improviser.core.networks.notes import Notes
from improviser.core.networks.population import Batch, Scorer
from improviser.core.networks.task import NetworkTask, choir_bits
from improviser.kernels.fastest import fastest_scorer
from improviser.training.choir_recipe import CHECK_EVERY, POPULATION
from improviser.training.chorales import load_chorales
from improviser.training.generations import Evolution
from tests.benchmarks.chorale_folds import fold_of
from tests.benchmarks.melody_folds import level_of

SNAPSHOT = 100
SEEN = 0.75
"""The share of viewpoints that a population sees where they differ."""


class Open(SepCma):
    """Breeds as `SepCma`, and takes immigrants in."""

    immigrant: Float32Array | None = None

    def ask(self) -> Float32Array:
        """Return the next population; the last of it may be an immigrant."""
        population = super().ask()
        if self.immigrant is not None:
            step = (self.immigrant - self._mean) / np.float32(self._step_size)
            length = float(np.sqrt((step * step / self._variances).sum()))
            longest = np.sqrt(step.size) + 2 * step.size / (step.size + 2)
            step *= np.float32(min(1.0, longest / max(length, 1e-9)))
            self._steps[-1] = step
            population[-1] = self._mean + np.float32(self._step_size) * step
            self.immigrant = None
        return population


@dataclass
class Fold:
    """What a fold is bred on, chosen by, and tested on."""

    shape: Shape
    training: Notes
    development: Notes
    test: Batch
    chooser: Batch
    scorer: Scorer

    def task(self, unseen: NDArray[np.int64] | None = None) -> NetworkTask:
        """Return the task; some viewpoints may be hidden."""
        training, development = (
            notes if unseen is None else hidden(notes, unseen) for notes in (self.training, self.development)
        )
        return NetworkTask("melody", self.shape, training, development, scorer=fastest_scorer(self.shape))

    def bits(self, genomes: Sequence[Float32Array], batch: Batch | None = None) -> float:
        """Return the bits of a choir on the test, or on something else."""
        return choir_bits(self.scorer, np.stack(genomes), batch or self.test)

    def chosen(self, candidates: Sequence[Float32Array], members: int) -> list[Float32Array]:
        """Return the choir that is best on the development fold, built one member after the other."""
        logs = [self.scorer.log_probabilities(genome, self.chooser) for genome in candidates]
        total = np.zeros_like(logs[0])
        picked: list[int] = []
        for _ in range(members):
            rest = [number for number in range(len(candidates)) if number not in picked]
            best = min(rest, key=lambda number: _bits(total + logs[number], len(picked) + 1, self.chooser))
            picked.append(best)
            total = total + logs[best]
        return [candidates[number] for number in picked]


def _bits(total: Float32Array, members: int, batch: Batch) -> float:
    logs = total / members
    logs = logs - logs.max(axis=0)
    logs -= np.log(np.exp(logs).sum(axis=0))
    return float(-np.take(logs.reshape(-1), batch.target).mean(dtype=np.float64))


def hidden(notes: Notes, unseen: NDArray[np.int64]) -> Notes:
    """Return notes of which some viewpoints are never seen."""
    choices = notes.choices.copy()
    numbers = notes.numbers.copy()
    kinds = choices.shape[1]
    choices[:, unseen[unseen < kinds]] = -1
    numbers[:, unseen[unseen >= kinds] - kinds] = 0
    return replace(notes, choices=choices, numbers=numbers)


class Population:
    """A population that goes on, and what it came to on the way."""

    def __init__(self, task: NetworkTask, seed: int, member: int) -> None:
        rng = generator(seed, 0, member)
        self.strategy = Open(task.first_population(rng, 1)[0], POPULATION, rng)
        self.evolution = Evolution(task, self.strategy, seed=seed + member, choice="held_out", check_every=CHECK_EVERY)
        self.snapshots: list[Float32Array] = []

    def to(self, generation: int) -> "Population":
        """Breed up to a generation."""
        while self.evolution.generation < generation:
            self.evolution.step()
            if self.evolution.generation % SNAPSHOT == 0:
                self.snapshots.append(self.strategy.champion.copy())
        return self

    @property
    def champion(self) -> Float32Array:
        """What it has come to."""
        assert self.evolution.champion is not None
        return self.evolution.champion.genome


def ring(fold: Fold, seed: int, islands: int, generations: int, every: int) -> list[Float32Array]:
    """Return the champions of islands that send theirs on."""
    populations = [Population(fold.task(), seed, member) for member in range(islands)]
    for generation in range(every, generations + 1, every):
        for population in populations:
            population.to(generation)
        leaving = [population.strategy.champion.copy() for population in populations]
        for number, population in enumerate(populations):
            population.strategy.immigrant = leaving[number - 1]
    return [population.to(generations).champion for population in populations]


def ring_chosen(fold: Fold, seed: int, members: int, generations: int, every: int) -> list[Float32Array]:
    """Return the best choir of the champions of twice as many islands."""
    return fold.chosen(ring(fold, seed, 2 * members, generations, every), members)


def narrowed(fold: Fold, seed: int, members: int, generations: int) -> list[Float32Array]:
    """Return champions that each see other viewpoints."""
    kinds = fold.training.choices.shape[1] + fold.training.numbers.shape[1]
    found = []
    for member in range(members):
        unseen = np.sort(generator(seed, 7, member).permutation(kinds)[round(SEEN * kinds) :])
        genome = Population(fold.task(unseen), seed, member).to(generations).champion.copy()
        first = genome[: fold.shape.first_weights].reshape(fold.shape.hidden, fold.shape.inputs)
        choices = fold.training.choices
        for kind in unseen:
            if kind < choices.shape[1]:
                inputs = np.unique(choices[:, kind])
                first[:, inputs[inputs >= 0]] = 0
            else:
                first[:, fold.training.columns[kind - choices.shape[1]]] = 0
        found.append(genome)
    return found


def ways(
    fold: Fold, seed: int, members: int, generations: int, every: Sequence[int]
) -> dict[str, Callable[[], list[Float32Array]]]:
    """Return all ways to breed a choir."""
    half = generations // 2
    populations = [Population(fold.task(), seed, member) for member in range(2 * members)]

    def chosen() -> list[Float32Array]:
        return fold.chosen([one.to(half).champion for one in populations], members)

    def alone() -> list[Float32Array]:
        return [one.to(generations).champion for one in populations[:members]]

    def snapshots() -> list[Float32Array]:
        pool = alone() + [genome for one in populations[:members] for genome in one.snapshots]
        return fold.chosen(pool, members)

    def one() -> list[Float32Array]:
        return [populations[0].to(members * generations).champion]

    found = {"chosen": chosen, "members": alone, "snapshots": snapshots}
    for number in every:
        found[f"migrating every {number}"] = partial(ring, fold, seed, members, generations, number)
        found[f"migrating every {number}, chosen"] = partial(ring_chosen, fold, seed, members, half, number)
    found["viewpoints"] = lambda: narrowed(fold, seed, members, generations)
    found["one"] = one
    return found


def fold_numbered(number: int) -> Fold:
    """Return a fold of the chorales' melodies."""
    pieces = load_chorales()
    folds = fold_of(pieces)
    level = level_of("live", pieces)
    develop = (number + 1) % 10
    parts = [
        level.notes([piece for piece, its in zip(pieces, folds, strict=True) if wanted(its)])
        for wanted in (
            lambda its: its not in (number, develop),
            lambda its: its == develop,
            lambda its: its == number,
        )
    ]
    shape = level.settings.shape(level.inputs.size, vertical=False)
    return Fold(shape, parts[0], parts[1], Batch(shape, parts[2]), Batch(shape, parts[1]), Scorer(shape))


def main() -> None:
    """Print a line for each way, fold and seed, and the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folds", default="0,1")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--generations", type=int, default=800, help="per member, where there are as many as members")
    parser.add_argument("--every", default="50", help="generations between migrations")
    options = parser.parse_args()
    every = [int(number) for number in options.every.split(",")]
    found: dict[str, list[float]] = {}
    for number in map(int, options.folds.split(",")):
        fold = fold_numbered(number)
        for seed in map(int, options.seeds.split(",")):
            for name, breed in ways(fold, seed + 100 * number, options.members, options.generations, every).items():
                started = time.monotonic()
                choir = breed()
                bits = fold.bits(choir)
                alone = float(np.mean([fold.bits([genome]) for genome in choir]))
                found.setdefault(name, []).append(bits)
                print(
                    f"fold {number} seed {seed} {name:<28} choir {bits:.4f}  member {alone:.4f}  "
                    f"{time.monotonic() - started:5.0f} s",
                    flush=True,
                )
    base = np.array(found["members"])
    print(f"{'':<28} {'mean':>7} {'against members, each':>22}")
    for name, its in found.items():
        print(f"{name:<28} {np.mean(its):7.4f}  " + " ".join(f"{value:+.4f}" for value in np.array(its) - base))


if __name__ == "__main__":
    main()
