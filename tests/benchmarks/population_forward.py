"""Workload R: how many networks a second are scored, against the same network in torch, in EvoTorch and in JAX.

Population 200, a shared minibatch of 512 notes, the melody network: 170 inputs of which 14 are active choices and 35
numbers, 16 tanh units, factorised heads over 25 pitches, 4 experts, as in bach-melody; 125 pairs of key and previous
pitch, where a minibatch of the chorales has some 80. One thread each, interleaved in one run, the peers' chunk sizes
swept. None of the peers is part of the project; those that are not installed are left out::

    OPENBLAS_NUM_THREADS=1 uv run --extra fast --with jax --with torch --with evotorch \
        python -m tests.benchmarks.population_forward
"""

import os

# Before numpy or JAX are imported: one thread each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.networks.network import Shape, first_genomes
from improviser.core.networks.notes import Notes
from improviser.core.networks.population import PopulationScorer, Scorer
from improviser.kernels.fastest import fastest_scorer
from tests.benchmarks import forward_peers

SHAPE = Shape(inputs=170, hidden=16, low=57, high=81, experts=4)
POPULATION, NOTES, CHOICES, NUMBERS, ROUNDS = 200, 512, 14, 35, 11
CHUNKS = (4, 8, 25, 50, 200)
Contestants = Mapping[str, Callable[[], Any]]


def main() -> None:
    """Print the table."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rng = np.random.default_rng(0)
    notes = some_notes(rng)
    genomes = first_genomes(SHAPE, rng, POPULATION)
    genomes += 0.1 * rng.standard_normal(genomes.shape, dtype=np.float32)
    wanted = np.asarray(ours(Scorer(SHAPE), notes, genomes)())
    contestants: dict[str, Callable[[], Any]] = {"improviser": ours(fastest_scorer(SHAPE), notes, genomes)}
    contestants["improviser, without Numba"] = ours(Scorer(SHAPE), notes, genomes)
    for name, peer in forward_peers.PEERS.items():
        for chunk in CHUNKS:
            try:
                evaluate = peer(SHAPE, notes, genomes, chunk)
            except ImportError as error:
                print(f"{name} is left out: {error}")
                break
            contestants[f"{name}, chunks of {chunk}"] = evaluate
    for name, evaluate in contestants.items():
        np.testing.assert_allclose(evaluate(), wanted, rtol=1e-3, err_msg=name)
    seconds = interleaved(contestants)
    for name, taken in seconds.items():
        ratio = taken / seconds["improviser"]
        print(f"{name:<34} {POPULATION / taken:>8.0f} networks/s {1000 * taken:>8.2f} ms a generation  {ratio:>6.2f}")
    strategy = SepCma(genomes[0], POPULATION, generator(0))

    def breed() -> None:
        strategy.ask()
        strategy.tell(-wanted)

    breeding = interleaved({"breed": breed})["breed"]
    print(f"breeding (sep-CMA-ES): {1000 * breeding:.2f} ms, {breeding / (breeding + seconds['improviser']):.1%}")


def ours(scorer: PopulationScorer, notes: Notes, genomes: Float32Array) -> Callable[[], Any]:
    """Return a function that scores the population as training does."""
    batch = scorer.lay_out(notes)
    return lambda: scorer.population_bits(genomes, batch)


def interleaved(contestants: Contestants) -> dict[str, float]:
    """Return the median time of the processor that each takes, all run in turn: others may use the machine as well."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            started = time.process_time()
            run()
            taken[name].append(time.process_time() - started)
    return {name: float(np.median(times)) for name, times in taken.items()}


def some_notes(rng: np.random.Generator) -> Notes:
    """Return notes whose inputs are as sparse as real ones, in five keys."""
    last = SHAPE.inputs - 1 - NUMBERS
    places = np.linspace(0, last, CHOICES + 1).astype(int)
    choices = np.stack([rng.integers(*ends, NOTES) for ends in pairwise(places)], axis=1)
    return Notes(
        width=SHAPE.inputs,
        choices=choices.astype(np.int32),
        columns=np.arange(last, last + NUMBERS),
        numbers=rng.standard_normal((NOTES, NUMBERS)).astype(np.float32),
        previous=rng.integers(57, 82, NOTES),
        tonic=rng.choice([0, 2, 5, 7, 9], NOTES),
        player=np.zeros(NOTES, dtype=np.int64),
        target=rng.integers(57, 82, NOTES),
        experts=rng.standard_normal((NOTES, SHAPE.experts, SHAPE.pitches)).astype(np.float32),
    )


if __name__ == "__main__":
    main()
