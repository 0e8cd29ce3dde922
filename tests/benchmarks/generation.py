"""Workload S: one generation of the original experiment, breeding included; prints the median time.

200 networks 10-20-20-1, a sequence of 1,000 notes, frequency-rank decoding, Pearson's correlation. Run it with one
thread of linear algebra, as training does, on a machine with nothing else to do:

    OPENBLAS_NUM_THREADS=1 uv run python tests/benchmarks/generation.py

and with `uv run --with bach-generator …` beside the original, which then scores and clones a few networks on the same
notes; its time for a generation is theirs times as many as there are.
"""

import argparse
import importlib.util
import os
import statistics
import time
from importlib import import_module

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import LAYER_TYPES, EchoShape, LayerType
from improviser.core.echo.task import EchoTask
from improviser.core.evolution.ga import Breeding, GeneticAlgorithm
from improviser.core.evolution.mutation import Factor
from improviser.core.evolution.randomness import generator
from improviser.training.generations import Evolution

POPULATION = 200
NOTES = 1000
PITCHES = 22
ORIGINALS = 3
"""Networks of the original that are timed."""


def melody() -> EncodedNotes:
    """Return a random walk over as many pitches as the chorales' melodies have."""
    rng = generator(1)
    steps = rng.choice([-4, -3, -2, -1, 1, 2, 3, 4], NOTES, p=[0.04, 0.06, 0.2, 0.2, 0.2, 0.2, 0.06, 0.04])
    walk = np.abs((np.cumsum(steps) % (2 * PITCHES)) - PITCHES) % PITCHES
    return EncodedNotes.of((60 + walk).tolist())


def evolution(layer_type: LayerType, notes: EncodedNotes) -> Evolution:
    """Return a run of workload S."""
    rng = generator(2)
    task = EchoTask(EchoShape((10, 20, 20, 1), layer_type), notes, EncodedNotes.of([60, 62, 64]))
    return Evolution(
        task, GeneticAlgorithm(task.first_population(rng, POPULATION), Breeding(Factor(0.05)), rng), seed=1
    )


def original_seconds(layer_type: LayerType, notes: EncodedNotes) -> float:
    """Return how long the original takes for a generation, scoring and cloning."""
    managers, models, encoders, judges = (
        import_module(f"bach_generator.src.{name}") for name in ("manager", "model", "encoder", "judge")
    )
    models.Model.layer_class = {"object": models.Layer, "matrix": models.MatrixLayer}[layer_type]
    numbers = notes.numbers.tolist()
    quantizer = encoders.Quantizer()
    quantizer.setup(numbers)
    networks = [managers.ModelManager(inputs=10, outputs=1, layers=2, layer_size=20) for _ in range(ORIGINALS)]
    started = time.perf_counter()
    for network in networks:
        network.run_model(numbers, quantizer)
        network.get_rated_by(judges.Judge(), numbers)
        network.clone(models.jumble_by_factor_strategy, 0.05)
    return (time.perf_counter() - started) / ORIGINALS * POPULATION


def main() -> None:
    """Print a line for each layer type."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=200)
    generations = parser.parse_args().generations
    print(f"numpy {np.__version__}, {kernel()}")
    for layer_type in LAYER_TYPES:
        notes = melody()
        run = evolution(layer_type, notes)
        for _ in range(10):
            run.step()
        seconds = [run.step().seconds for _ in range(generations)]
        print(
            f"{layer_type:<7} {statistics.median(seconds) * 1e3:6.2f} ms a generation (median of {generations}; "
            f"fastest {min(seconds) * 1e3:.2f}), {POPULATION / statistics.median(seconds):,.0f} networks a second"
        )
        if importlib.util.find_spec("bach_generator"):
            original = original_seconds(layer_type, notes)
            print(f"        the original: {original:.1f} s, {original / statistics.median(seconds):,.0f} times as long")


def kernel() -> str:
    """Return which kernels of OpenBLAS are at work, as far as numpy says."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    pinned = os.environ.get("OPENBLAS_CORETYPE")
    loaded = f"pinned to {pinned}" if pinned else "chosen for this processor"
    threads = os.environ["OPENBLAS_NUM_THREADS"]
    return f"{blas['name']} {blas['version']} ({core_type()}, {loaded}), {threads} thread"


def core_type() -> str:
    """Return the name OpenBLAS gives its kernels, asked of the library that numpy has loaded."""
    import ctypes
    from pathlib import Path

    for library in Path(np.__file__).parents[1].glob("numpy.libs/*openblas*"):
        loaded = ctypes.CDLL(str(library))
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename"):
            if hasattr(loaded, name):
                function = getattr(loaded, name)
                function.restype = ctypes.c_char_p
                return str(function().decode())
    return "unknown kernels"


if __name__ == "__main__":
    main()
