"""What a note waits while models are evolved beside it: latency with and without, by turns, in one run.

    uv run python -m tests.benchmarks.adapting_latency [--notes 500] [--turns 4] [--model bach-melody]

The process that breeds is the one of a session, at its priority, and has one lesson after the other.
"""

import argparse
import json
import os
import subprocess
import sys
import threading

import msgspec
import numpy as np

from improviser.engine.protocol import Loaded
from improviser.library import catalogue
from improviser.session.adapting import NICENESS, THREADS
from improviser.session.adapting_process import Lesson

LINE = np.random.default_rng(1).integers(57, 82, 4096).tolist()


class Breeding:
    """Keeps a process that breeds busy while the block lasts."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._ended = False
        self.lessons = 0

    def __enter__(self) -> "Breeding":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "improviser.session.adapting_process", str(NICENESS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **THREADS},
        )
        loaded = [Loaded(self._model, catalogue.digest(self._model))]
        self._ask(Lesson([(pitch, 0.4 * at) for at, pitch in enumerate(LINE[:512])], loaded))
        self._thread = threading.Thread(target=self._teach)
        self._thread.start()
        return self

    def _ask(self, lesson: Lesson) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(lesson) + b"\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def _teach(self) -> None:
        while not self._ended:
            self.lessons += 1
            start = 512 + 8 * (self.lessons % 400)
            notes = [(pitch, 300 + 4.0 * self.lessons + 0.4 * at) for at, pitch in enumerate(LINE[start : start + 8])]
            self._ask(Lesson(notes))

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join()
        self._process.kill()
        self._process.wait()


def measured(model: str, notes: int) -> dict[str, float]:
    """Return the latencies of one run of `improviser latency`, in microseconds."""
    command = [sys.executable, "-m", "improviser", "latency", "--json", "--notes", str(notes), "--model", model]
    told: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["engine_us"]
    return told


def main() -> None:
    """Print both, and how they compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--model", default="bach-melody")
    given = parser.parse_args()
    without, beside, lessons = [], [], 0
    for _ in range(given.turns):
        without.append(measured(given.model, given.notes))
        with Breeding(given.model) as breeding:
            beside.append(measured(given.model, given.notes))
        lessons += breeding.lessons
    for name, runs in (("without", without), ("beside", beside)):
        figures = {key: float(np.median([run[key] for run in runs])) for key in ("p50", "p99", "max")}
        print(f"{name:8} p50 {figures['p50']:.0f} µs  p99 {figures['p99']:.0f} µs  max {figures['max']:.0f} µs")
    ratio = np.median([one["p50"] / other["p50"] for one, other in zip(beside, without, strict=True)])
    print(f"p50 beside / without: {ratio:.2f}, with {lessons} lessons meanwhile")


if __name__ == "__main__":
    main()
