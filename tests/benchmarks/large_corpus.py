"""A corpus of ten thousand files: seconds and memory of training on it, the first time and the second.

    uv run --extra corpus --extra cluster python -m tests.benchmarks.large_corpus make FOLDER
    uv run --extra corpus --extra cluster python -m tests.benchmarks.large_corpus run FOLDER [--command evaluate]
    uv run … run FOLDER --tree ANOTHER_CLONE   # how it was before

`make` writes files of several kinds and sizes: tunes, tunes with a bass, four voices, pieces for two hands, and some
that are damaged. `run` starts the command itself, and looks at the memory of all its processes every tenth of a second:
`resident` is all that is mapped, `own` what no other process shares and no file backs.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.odd_midi import END, chunk, header, mutated

FILES = 10_000
STEPS = (-4, -3, -2, -2, -1, -1, 0, 1, 1, 2, 2, 3, 5)
SCALE = (0, 2, 4, 5, 7, 9, 11)
LENGTHS = (12, 20, 40, 60, 100, 150, 250, 400, 800)
EVERY = 0.1
ROOT = Path(__file__).parents[2]


Event = tuple[int, bytes]
"""When, in ticks, and what."""


def line(rng: random.Random, channel: int, length: int, low: int, high: int, chord: Sequence[int]) -> list[Event]:
    """Return a walk on a scale, in a rhythm that comes again; each note with others that far above it."""
    tonic, degree = rng.randrange(12), 0
    rhythm = [rng.choice((120, 240, 240, 480, 720)) for _ in range(rng.choice((4, 6, 8)))]
    start, events = 0, []
    for place in range(length):
        degree += rng.choice(STEPS)
        pitch = (low + high) // 2 + tonic - 6 + 12 * (degree // 7) + SCALE[degree % 7]
        while not low <= pitch <= high:
            away = -7 if pitch > high else 7
            degree, pitch = degree + away, pitch + 12 * away // 7
        duration = rhythm[place % len(rhythm)]
        for above in chord:
            events.append((start, bytes((0x90 + channel, pitch + above, rng.randint(40, 100)))))
            events.append((start + duration - 10, bytes((0x80 + channel, pitch + above, 0))))
        start += duration
    return sorted(events)


def track(events: Sequence[Event]) -> bytes:
    """Return a track of a MIDI file."""
    found, now = [], 0
    for tick, message in events:
        delta, now = tick - now, tick
        found.append((bytes((0x80 | delta >> 7, delta & 0x7F)) if delta > 0x7F else bytes((delta,))) + message)
    return chunk(b"".join(found) + END)


def piece(rng: random.Random) -> bytes:
    """Return a MIDI file: a tune, a tune with a bass, four voices, or something for two hands."""
    length, kind = rng.choice(LENGTHS), rng.randrange(4)
    ranges: tuple[tuple[int, int], ...] = ((60, 84), (36, 58)) if kind else ((60, 84),)
    if kind == 2:
        ranges = ((60, 81), (55, 74), (48, 67), (36, 60))
    chords = [(0, 4, 7) if kind == 3 and number else (0,) for number in range(len(ranges))]
    lines = [
        line(rng, number, length, *its, chord) for number, (its, chord) in enumerate(zip(ranges, chords, strict=True))
    ]
    return header(len(lines)) + b"".join(map(track, lines))


def make(folder: Path, files: int) -> None:
    """Write the files; one in fifty is damaged, and some are beyond repair."""
    rng = random.Random(1)
    for number in range(files):
        path = folder / f"{number // 500:02}" / f"{number:05}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = piece(rng)
        if number % 50 == 7:
            data = mutated(data, rng)
        if number % 1000 == 13:
            data = rng.randbytes(300)
        path.write_bytes(data)
    sizes = [path.stat().st_size for path in folder.rglob("*.mid")]
    print(f"{len(sizes):,} files, {sum(sizes) / 2**20:.1f} MiB, the largest {max(sizes):,} bytes")


@dataclass
class Memory:
    """The most that a process took, in bytes."""

    resident: int = 0
    own: int = 0


@dataclass
class Watched:
    """What a command took."""

    seconds: float = 0.0
    processes: dict[int, Memory] = field(default_factory=dict)
    output: str = ""
    steps: dict[str, float] = field(default_factory=dict)


def watched(words: Sequence[str], tree: Path, cache: Path) -> Watched:
    """Run a command, and look at its processes."""
    import psutil

    found = Watched()
    environment = {**os.environ, "IMPROVISER_CACHE": str(cache), "PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1"}
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "improviser", *words],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=tree,
        )
        parent = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.Error):
                for each in (parent, *parent.children(recursive=True)):
                    with suppress(psutil.Error, OSError):
                        taken = each.memory_info()
                        memory = found.processes.setdefault(each.pid, Memory())
                        memory.resident = max(memory.resident, taken.rss)
                        memory.own = max(memory.own, taken.rss - taken.shared)
            time.sleep(EVERY)
        output.seek(0)
        found.output = output.read()
    found.seconds = time.perf_counter() - started
    if process.returncode:
        print(found.output[-2000:])
    return found


def run(options: argparse.Namespace) -> None:
    """Run a command twice on an empty cache, and with one file changed; print what it takes."""
    folder, command, tree = options.folder, options.command, options.tree
    workers, generations, task = options.workers, options.generations, options.task
    with tempfile.TemporaryDirectory() as temporary:
        place = options.place or temporary
        Path(place).mkdir(exist_ok=True)
        where = ["--workers", str(workers)]
        models = []
        for number, name in enumerate(("first", "second", "one file changed")):
            if name not in options.runs.split(","):
                continue
            if number == 2:
                path = sorted(folder.rglob("*.mid"))[5]
                before = path.read_bytes()
                path.write_bytes(piece(random.Random(time.time())))
            model = Path(place, f"{number}.safetensors")
            words = [command, str(folder), *where]
            if command == "train":
                words += ["--task", task, "--generations", str(generations), "--choir", "2", "--seed", "1"]
                words += ["--output", str(model), "--no-report"]
            elif command == "tune":
                words += ["--task", task, "--rounds", "1", "--minutes", "30", "--output", f"{place}/{number}.md"]
            elif command == "evaluate":
                words = [command, "bach-melody", str(folder), *where]
            taken = watched(words, tree, Path(place, "cache"))
            if number == 2:
                path.write_bytes(before)
            models.append(model.read_bytes() if model.exists() else b"")
            memory = sorted(taken.processes.items())
            print(f"{command} {name}: {taken.seconds:.1f} s", flush=True)
            for pid, its in memory:
                what = "parent" if pid == memory[0][0] else "worker"
                print(f"    {what}: {its.resident / 2**20:.0f} MiB resident, {its.own / 2**20:.0f} MiB its own")
        sizes = [path.stat().st_size for path in Path(place, "cache").rglob("*") if path.is_file()]
        print(f"cache: {len(sizes):,} files, {sum(sizes) / 2**20:.0f} MiB; models: {len({*models} - {b''})}")


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("what", choices=("make", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--command", default="train")
    parser.add_argument("--task", default="melody")
    parser.add_argument("--tree", type=Path, default=ROOT)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--generations", type=int, default=100)
    parser.add_argument("--place", help="where models and the cache are kept, to go on later")
    parser.add_argument("--runs", default="first,second,one file changed")
    options = parser.parse_args()
    if options.what == "make":
        make(options.folder, options.files)
    else:
        run(options)


if __name__ == "__main__":
    main()
