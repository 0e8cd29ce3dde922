"""Workload R: how many networks a second are scored, against the same network in jitted, vmapped JAX (evosax's way).

Population 200, a shared minibatch of 512 notes, the melody network: 131 inputs of which about 14 are active, 16 tanh
units, factorised heads over 25 pitches, 4 experts. One thread, interleaved in one run, JAX's chunk sizes swept. JAX is
no part of the project; without it only our figure is printed::

    OPENBLAS_NUM_THREADS=1 uv run --with jax python -m tests.benchmarks.population_forward
"""

import os

# Before numpy or JAX are imported: one thread each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.networks.network import Shape, first_genomes
from improviser.core.networks.population import Batch, Notes, Scorer

SHAPE = Shape(inputs=131, hidden=16, low=57, high=81, experts=4)
POPULATION, NOTES, ACTIVE, ROUNDS = 200, 512, 14, 15
CHUNKS = (4, 8, 25, 50, 200)
FloatArray = NDArray[np.float32]


def main() -> None:
    """Print the table."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rng = np.random.default_rng(0)
    notes = some_notes(rng)
    genomes = first_genomes(SHAPE, rng, POPULATION)
    genomes += 0.1 * rng.standard_normal(genomes.shape, dtype=np.float32)
    scorer, batch = Scorer(SHAPE), Batch(SHAPE, notes)
    ours = scorer.population_bits(genomes, batch)
    contestants: dict[str, Callable[[], Any]] = {"improviser": lambda: scorer.population_bits(genomes, batch)}
    for chunk in CHUNKS:
        evaluate = in_jax(notes, genomes, chunk)
        if evaluate is None:
            print("JAX is not installed: our figure alone")
            break
        np.testing.assert_allclose(evaluate(), ours, rtol=1e-3)
        contestants[f"JAX vmap, chunks of {chunk}"] = evaluate
    seconds = interleaved(contestants)
    for name, taken in seconds.items():
        ratio = taken / seconds["improviser"]
        print(f"{name:<26} {POPULATION / taken:>8.0f} networks/s {1000 * taken:>8.2f} ms a generation  {ratio:>5.2f}")
    strategy = SepCma(genomes[0], POPULATION, generator(0))

    def breed() -> None:
        strategy.ask()
        strategy.tell(-ours)

    breeding = interleaved({"breed": breed})["breed"]
    print(f"breeding (sep-CMA-ES): {1000 * breeding:.2f} ms, {breeding / (breeding + seconds['improviser']):.1%}")


def interleaved(contestants: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the median time of each, all run in turn."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            started = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - started)
    return {name: float(np.median(times)) for name, times in taken.items()}


def some_notes(rng: np.random.Generator) -> Notes:
    """Return notes whose inputs are as sparse as real ones."""
    inputs = np.zeros((NOTES, SHAPE.inputs), dtype=np.float32)
    for row in inputs:
        row[rng.choice(SHAPE.inputs - 1, ACTIVE, replace=False)] = 1.0
    inputs[:, -1] = 1.0
    return Notes(
        inputs=inputs,
        previous=rng.integers(57, 82, NOTES),
        tonic=rng.integers(0, 12, NOTES),
        player=np.zeros(NOTES, dtype=np.int64),
        target=rng.integers(57, 82, NOTES),
        experts=rng.standard_normal((NOTES, SHAPE.experts, SHAPE.pitches)).astype(np.float32),
    )


def in_jax(notes: Notes, genomes: FloatArray, chunk: int) -> Callable[[], FloatArray] | None:
    """Return a function that scores the population in JAX, so many genomes at a time; None without JAX."""
    try:
        import jax  # type: ignore[import-not-found, unused-ignore]
        import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    pitches = np.arange(SHAPE.low, SHAPE.high + 1)
    steps = np.clip(pitches - notes.previous[:, None], -SHAPE.reach, SHAPE.reach) + SHAPE.reach
    degrees = (pitches - notes.tonic[:, None]) % 12
    inputs, experts, target = jnp.asarray(notes.inputs), jnp.asarray(notes.experts), notes.target - SHAPE.low
    ends = np.cumsum([SHAPE.intervals, 12, SHAPE.pitches])

    def bits(genome: Any) -> Any:
        first = genome[: SHAPE.first_weights].reshape(SHAPE.hidden, SHAPE.inputs)
        heads = genome[SHAPE.first_weights :].reshape(SHAPE.outputs, SHAPE.hidden + 1)
        hidden = jnp.tanh(inputs @ first.T)
        outputs = hidden @ heads[:, :-1].T + heads[:, -1]
        interval, degree, height, gates = jnp.split(outputs, ends, axis=1)
        scores = jnp.take_along_axis(interval, steps, axis=1) + jnp.take_along_axis(degree, degrees, axis=1) + height
        scores += jnp.einsum("nk,nkp->np", gates, experts)
        played = jnp.take_along_axis(scores, target[:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(scores, axis=1) - played).mean() / jnp.log(2.0)

    compiled = jax.jit(jax.vmap(bits))
    parts = [jnp.asarray(genomes[start : start + chunk]) for start in range(0, len(genomes), chunk)]
    return lambda: np.concatenate([np.asarray(compiled(part)) for part in parts])


if __name__ == "__main__":
    main()
