"""Seconds of one core until a network foresees the melodies of fold 0 (live level) at 2.10 bits a note.

Ours (`cma`, `ga`), evosax's sep-CMA-ES, scored by the same network in JAX, and Adam in torch, by gradients, on that
network: the yardstick that we do not ship. All see the same minibatches (512 notes, 15 % of the inputs hidden, weight
decay) and one network is bred, population 200; the candidate is the running average of the means, which the fold's
notes are asked about every 25 generations, off the clock. Compiling is off the clock, too. Who is not installed is left
out. Run it from the repository's folder::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus --group benchmarks python -m tests.benchmarks.time_to_quality
"""

import os

# Before numpy or JAX are imported: one thread each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.evolution.cma import AVERAGING, STEP_SIZE
from improviser.core.evolution.randomness import generator
from improviser.core.networks.notes import Notes
from improviser.core.networks.population import Batch, Scorer
from improviser.core.networks.task import NetworkTask
from improviser.kernels.fastest import fastest_scorer
from improviser.training.choir_recipe import CHECK_EVERY, POPULATION, strategy_of
from improviser.training.chorales import load_chorales
from improviser.training.generations import fitness_of
from improviser.training.recipe import Options
from tests.benchmarks import forward_peers
from tests.benchmarks.chorale_folds import ALPHABET, fold_of
from tests.benchmarks.gradient import descent
from tests.benchmarks.melody_folds import level_of

if TYPE_CHECKING:
    from improviser.core.music.piece import Piece

CHUNK = 8
"""Networks that JAX scores at a time: its fastest on two machines."""


@dataclass(frozen=True, slots=True, eq=False)
class Race:
    """What all contestants run: a task, its training notes, and the fold's notes laid out."""

    task: NetworkTask
    training: Notes
    scorer: Scorer
    fold: Batch
    played: Notes

    def bits(self, genome: Float32Array) -> float:
        """Return bits a note of the fold, over the pitches that occur."""
        candidates = [pitch - self.task.shape.low for pitch in ALPHABET]
        logs = self.scorer.log_probabilities(genome, self.fold)[candidates].astype(np.float64)
        played = logs[np.searchsorted(ALPHABET, self.played.target), np.arange(len(self.played))]
        return float((np.logaddexp.reduce(logs, axis=0) - played).mean() / np.log(2))


Contestant = Callable[[Race, int], Iterator[Float32Array]]
"""Yields, every so many generations or steps, the network that it has come to."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", type=float, default=2.10)
    parser.add_argument("--seconds", type=float, default=120.0, help="of the processor, before one gives up")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--who", default=",".join(CONTESTANTS))
    options = parser.parse_args()
    race = race_of(0)
    for name in options.who.split(","):
        for seed in map(int, options.seeds.split(",")):
            try:
                print(f"{name:<8} seed {seed}: {run(CONTESTANTS[name], race, seed, options)}", flush=True)
            except ImportError as error:
                print(f"{name} is left out: {error}")
                break


def race_of(fold: int) -> Race:
    """Return the race on a fold: bred without it and the next one, as `melody_folds` does."""
    pieces = load_chorales()
    folds, level = fold_of(pieces), level_of("live", pieces)
    shape = level.settings.shape(level.inputs.size, vertical=False)
    parts: dict[str, list[Piece]] = {name: [] for name in ("train", "develop", "test")}
    for piece, its in zip(pieces, folds, strict=True):
        parts["test" if its == fold else "develop" if its == (fold + 1) % 10 else "train"].append(piece)
    training, played = level.notes(parts["train"]), level.notes(parts["test"])
    task = NetworkTask("melody", shape, training, level.notes(parts["develop"]), scorer=fastest_scorer(shape))
    scorer = Scorer(shape)
    return Race(task, training, scorer, scorer.lay_out(played), played)


def run(contestant: Contestant, race: Race, seed: int, options: argparse.Namespace) -> str:
    """Return what became of a contestant."""
    spent, best = 0.0, np.inf
    looks = contestant(race, seed)
    for warm_up_or_look in range(10**9):
        started = time.process_time()
        genome = next(looks, None)
        if warm_up_or_look:  # the first look is for compiling
            spent += time.process_time() - started
        if genome is None:
            break
        best = min(best, race.bits(genome))
        if best <= options.bits:
            return f"{spent:.1f} s, {warm_up_or_look * CHECK_EVERY} generations or steps"
        if spent > options.seconds:
            break
    return f"not in {spent:.0f} s; {best:.3f} bits"


def ours(name: str, race: Race, seed: int) -> Iterator[Float32Array]:
    """Breed as `improviser train --strategy NAME` does."""
    strategy = strategy_of(name, race.task, POPULATION, Options((), task="melody", seed=seed), 0)
    yield strategy.champion
    for generation in range(1, 10**9):
        batch = race.task.batch(generator(seed, generation))
        strategy.tell(fitness_of(race.task, strategy.ask(), batch))
        if generation % CHECK_EVERY == 0:
            yield strategy.champion


def evosax(race: Race, seed: int) -> Iterator[Float32Array]:
    """Breed by evosax's sep-CMA-ES; what it does not do, the running average, is done for it."""
    import jax  # type: ignore[import-not-found, unused-ignore]
    import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]
    from evosax.algorithms import Sep_CMA_ES  # type: ignore[import-not-found, unused-ignore]

    task, key = race.task, jax.random.key(seed)
    first = jnp.asarray(task.first_population(generator(seed, 0, 0), 1)[0])
    score = jax.jit(jax.vmap(forward_peers.jax_bits(task.shape), in_axes=(0, *[None] * 5)))
    strategy = Sep_CMA_ES(population_size=POPULATION, solution=first)
    params = strategy.default_params.replace(std_init=STEP_SIZE)
    state = strategy.init(key, first, params)
    average = np.zeros_like(first)
    for generation in range(10**9):
        if generation % CHECK_EVERY == 0:
            yield average / (1 - AVERAGING**generation) if generation else np.asarray(first)
        notes = task.seen(task.batch(generator(seed, generation + 1)))
        batch = [jnp.asarray(part) for part in forward_peers.laid_out(task.shape, notes)]
        key, asked, told = jax.random.split(key, 3)
        population, state = strategy.ask(asked, state, params)
        bits = [score(population[start : start + CHUNK], *batch) for start in range(0, POPULATION, CHUNK)]
        fitness = jnp.concatenate(bits) + task.decay * (population**2).mean(axis=1)
        state, _ = strategy.tell(told, population, fitness, state, params)
        average = AVERAGING * average + (1 - AVERAGING) * np.asarray(state.mean)


def adam(race: Race, seed: int) -> Iterator[Float32Array]:
    """Descend by gradients, in torch."""
    return descent(race.task.shape, race.training, seed, 0, CHECK_EVERY)


CONTESTANTS: Mapping[str, Contestant] = {
    "cma": partial(ours, "cma"),
    "ga": partial(ours, "ga"),
    "evosax": evosax,
    "Adam": adam,
}


if __name__ == "__main__":
    main()
