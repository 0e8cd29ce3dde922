"""How long `replay` and `report` take over a long session, and how much memory: a log of 100,000 notes.

    python -m tests.benchmarks.long_log [--notes 100000] [--model bach-bass] [--mode shadow] [--keep LOG]

The log is what a recorder writes: a melody that wanders, each note held until the next, is heard by a performer, and
what that plays is entered. With `--keep` it stays, to be read by another version for comparison.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.codec import encode
from improviser.core.midi.event import Event, NoteOff, NoteOn
from improviser.engine.protocol import AnyReport, Loaded, Played, Ready, Step
from improviser.library.catalogue import digest, load_model
from improviser.recordings.log import FORMAT, VERSION, End, Header
from improviser.recordings.log import encode as line_of

GAPS = (0.125, 0.25, 0.25, 0.5)
REPLYING, PHRASE, REST_SECONDS = ("answer", "solo"), 8, 6.0
"""In modes that wait for the end of a phrase, the player rests after each."""
LATENCY_SECONDS = 0.0002
PEAK = """
import resource, sys
from improviser.cli import run
sys.argv = ["improviser", *sys.argv[1:]]
code = run()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
print(f"{peak:.0f} MB", file=sys.stderr)
sys.exit(code)
"""


def reports(notes: int, model: str, mode: str, seed: int = 1) -> Iterator[AnyReport]:
    """Yield what an engine reports of a session of so many notes."""
    parameters = Parameters(mode=mode)
    performer = Performer([load_model(model)], parameters, np.random.default_rng(seed))
    yield Ready("loopback", "loopback", "loopback", [Loaded(model, digest(model))], asdict(parameters), seed)
    chance = random.Random(seed)
    stamp, pitch = 1.0, 60

    def sent(events: list[Event]) -> list[bytes]:
        for event in events:
            performer.sent(event)
        return [encode(event) for event in events]

    for number in range(notes):
        if mode in REPLYING and number % PHRASE == 0:
            stamp += REST_SECONDS
        pitch = min(84, max(48, pitch + chance.choice((-4, -2, -1, 1, 2, 3, 5))))
        for event in (NoteOn(0, pitch, chance.randrange(40, 110)), NoteOff(0, pitch, 64)):
            while (due := performer.deadline) is not None and due <= stamp:
                yield Played(due, sent(performer.advance(due).events), "timer", 0.0)
                performer.settle()
            yield Step(stamp, encode(event), sent(performer.hear(event, stamp).events), LATENCY_SECONDS)
            performer.settle()
            stamp += chance.choice(GAPS)


def write(path: Path, notes: int, model: str = "bach-bass", mode: str = "shadow") -> None:
    """Write the log of a session of so many notes."""
    header = Header(
        format=FORMAT, version=VERSION, program="benchmark", numpy=np.__version__, began="2026-01-01T12:00:00+00:00"
    )
    with path.open("wb") as file:
        file.write(line_of(header))
        for report in reports(notes, model, mode):
            file.write(line_of(report))
        file.write(line_of(End()))


def measure(*arguments: object) -> str:
    """Run a command of ours; return its last line, how long it took, and its peak of memory."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    took = time.perf_counter() - began
    return f"{arguments[0]}: {took:.1f} s, {done.stderr.strip()} ({done.stdout.strip()})"


def main() -> None:
    """Write the log, and read it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=100_000)
    parser.add_argument("--model", default="bach-bass")
    parser.add_argument("--mode", default="shadow")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = options.keep or Path(folder) / "session.jsonl"
        if not log.exists():
            began = time.perf_counter()
            write(log, options.notes, options.model, options.mode)
            print(f"written in {time.perf_counter() - began:.1f} s: {log.stat().st_size / 1e6:.0f} MB", flush=True)
        print(measure("replay", log), flush=True)
        print(measure("replay", log, Path(folder) / "again.mid"), flush=True)
        print(measure("report", log, "-o", Path(folder) / "page.html"), flush=True)


if __name__ == "__main__":
    main()
