"""A session over loopback whose engine is killed again and again: nothing of the daemon grows.

    python -m tests.benchmarks.deaths [--seconds 300] [--every 5]

A file is played in a loop, recorded, and answered. Prints, at the start and at the end: the daemon's open files,
threads, children and memory, what lies in shared memory and in the folder of temporary files, and how many recordings
there are (each engine begins one).
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from tests.benchmarks.soak import PROCESSES, memory_of
from tests.melodies import TUNE, write_melody

SHARED = Path("/dev/shm")  # noqa: S108  only looked at
SETTLED_SECONDS = 3.0
DEADLINE_SECONDS = 60.0
PLAY = """
import sys
from improviser.cli import run
from improviser.session import players
players.survey = lambda: []
sys.argv = ["improviser", "play", *sys.argv[1:]]
sys.exit(run())
"""
"""Whatever MIDI systems there are: none is used."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is at a moment; `memory` in bytes."""

    files: int
    threads: int
    children: int
    memory: int
    shared: int
    temporary: int
    recordings: int


class Scene:
    """A session that is played in `folder` while the block lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = folder / "kept"
        self._log = folder / "play.log"
        write_melody(folder / "tune.mid", TUNE * 3)
        options = ["--input", str(folder / "tune.mid"), "--loop", "--no-display", "--record", str(self._kept)]
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PLAY, *options, "--name", f"deaths-{os.getpid()}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": str(folder)},
                start_new_session=True,
            )

    def engines(self) -> list[int]:
        """Return the children of the daemon."""
        listing = (PROCESSES / str(self.process.pid) / "task" / str(self.process.pid) / "children").read_text()
        return [int(pid) for pid in listing.split()]

    def notes_are_kept(self, recordings: int) -> bool:
        """Say whether so many recordings have been begun, the last of them with a note."""
        return len(list(self._kept.glob("*.jsonl"))) >= recordings

    def kill_engine(self) -> None:
        """Kill the engine, and wait until the next one has been heard."""
        recordings = len(list(self._kept.glob("*.jsonl")))
        for pid in self.engines():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait(lambda: self.notes_are_kept(recordings + 1), self.said)

    def look(self) -> Look:
        """Return what there is now."""
        mine = PROCESSES / str(self.process.pid)
        return Look(
            files=len(list((mine / "fd").iterdir())),
            threads=len(list((mine / "task").iterdir())),
            children=len(self.engines()),
            memory=memory_of(self.process.pid),
            shared=len(list(SHARED.glob("improviser*"))) if SHARED.is_dir() else 0,
            temporary=len(list(self._folder.glob("improviser*"))),
            recordings=len(list(self._kept.glob("*.jsonl"))),
        )

    def said(self) -> str:
        """Return what the session has printed last."""
        return self._log.read_text()[-2000:]

    def end(self) -> int:
        """End the session; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)


def wait(done: Callable[[], bool], said: Callable[[], str]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(said())
        time.sleep(0.05)


@contextlib.contextmanager
def scene() -> Iterator[Scene]:
    """Have a session played while the block lasts, until its first note is recorded."""
    with tempfile.TemporaryDirectory() as folder:
        play = Scene(Path(folder))
        try:
            wait(lambda: play.notes_are_kept(1), play.said)
            yield play
            play.end()
        finally:
            play.process.kill()
            play.process.wait()


def survive(seconds: float, every: float, tell: Callable[[int, Look], None] = lambda *_: None) -> tuple[Look, Look]:
    """Kill engines for so long; return what there was after the first death, and after the last."""
    with scene() as play:
        play.kill_engine()
        time.sleep(SETTLED_SECONDS)
        first = last = play.look()
        end, deaths = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            due = time.monotonic() + every
            play.kill_engine()
            deaths += 1
            time.sleep(max(0.0, due - time.monotonic()))
            tell(deaths, last := play.look())
        return first, last


def main() -> None:
    """Kill, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--every", type=float, default=5.0)
    options = parser.parse_args()
    deaths = 0

    def tell(count: int, look: Look) -> None:
        nonlocal deaths
        deaths = count
        if count % 10 == 0:
            print(f"{count:4} deaths: {look}", flush=True)

    first, last = survive(options.seconds, options.every, tell)
    print(f"{'':<12}{'at first':>12}{f'{deaths} deaths on':>16}")
    for field in fields(Look):
        print(f"{field.name:<12}{getattr(first, field.name):>12,}{getattr(last, field.name):>16,}")


if __name__ == "__main__":
    main()
