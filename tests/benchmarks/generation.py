"""Workload S: one generation of the original experiment, breeding included; prints the median time.

200 networks 10-20-20-1, a sequence of 1,000 notes, frequency-rank decoding, Pearson's correlation. Run it with one
thread of linear algebra, as training does, on a machine with nothing else to do:

    OPENBLAS_NUM_THREADS=1 uv run python tests/benchmarks/generation.py
"""

import argparse
import os
import statistics

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import LAYER_TYPES, EchoShape, LayerType
from improviser.core.echo.task import EchoTask
from improviser.core.evolution.ga import Breeding, GeneticAlgorithm
from improviser.core.evolution.mutation import Factor
from improviser.core.evolution.randomness import generator
from improviser.training import Evolution

POPULATION = 200
NOTES = 1000
PITCHES = 22


def evolution(layer_type: LayerType) -> Evolution:
    """Return a run of workload S, on a random walk over as many pitches as the chorales' melodies have."""
    rng = generator(1)
    steps = rng.choice([-4, -3, -2, -1, 1, 2, 3, 4], NOTES, p=[0.04, 0.06, 0.2, 0.2, 0.2, 0.2, 0.06, 0.04])
    walk = np.abs((np.cumsum(steps) % (2 * PITCHES)) - PITCHES) % PITCHES
    notes = EncodedNotes.of((60 + walk).tolist())
    task = EchoTask(EchoShape((10, 20, 20, 1), layer_type), notes, EncodedNotes.of([60, 62, 64]))
    return Evolution(
        task, GeneticAlgorithm(task.first_population(rng, POPULATION), Breeding(Factor(0.05)), rng), seed=1
    )


def main() -> None:
    """Print a line for each layer type."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=200)
    generations = parser.parse_args().generations
    print(f"numpy {np.__version__}, {kernel()}")
    for layer_type in LAYER_TYPES:
        run = evolution(layer_type)
        for _ in range(10):
            run.step()
        seconds = [run.step().seconds for _ in range(generations)]
        print(
            f"{layer_type:<7} {statistics.median(seconds) * 1e3:6.2f} ms a generation (median of {generations}; "
            f"fastest {min(seconds) * 1e3:.2f}), {POPULATION / statistics.median(seconds):,.0f} networks a second"
        )


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
