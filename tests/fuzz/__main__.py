"""Runs cases of a fuzzer: `python -m tests.fuzz KIND [--seed S] [--first N] [--count N] [--keep FOLDER]`.

Each case is made from kind, seed and number alone. What fails is kept in a folder, with what was wrong, so that it can
be looked at, and run again alone by its seed and number.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.fuzz.file_kinds import FileKind, Logs, MidiFiles, Models, OriginalModels, SettingsFiles
from tests.fuzz.live_kinds import LiveKind, MqttMessages, WireBytes
from tests.fuzz.oracle import Watch, judge, run_apart, run_here

KINDS: Mapping[str, type[FileKind | LiveKind]] = {
    "models": Models,
    "midi": MidiFiles,
    "logs": Logs,
    "settings": SettingsFiles,
    "original": OriginalModels,
    "wire": WireBytes,
    "mqtt": MqttMessages,
}
APART = 250
"""One of so many commands is run in a process of its own as well, and must end in the same way."""
KEPT = Path(".fuzz-failures")


def main() -> int:
    """Run the cases; print those that fail as lines of JSON, and return 1 if any does."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Run cases of a fuzzer.")
    parser.add_argument("kind", choices=[*KINDS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--keep", type=Path, default=KEPT, metavar="FOLDER")
    chosen = parser.parse_args()
    keep = chosen.keep.absolute()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="improviser-fuzz-") as place:
        course = Course(chosen.kind, chosen.seed, Path(place))
        for number in range(chosen.first, chosen.first + chosen.count):
            if problems := course.problems(number):
                failed += 1
                kept = course.keep(number, problems, keep)
                what = {"kind": chosen.kind, "seed": chosen.seed, "number": number, "kept": str(kept)}
                print(json.dumps({**what, "problems": problems}), flush=True)
    print(json.dumps({"done": chosen.count, "failed": failed, "accepted": course.accepted}), flush=True)
    return 1 if failed else 0


class Course:
    """Runs the cases of one kind and seed, each in the same folder, which is empty before it."""

    def __init__(self, kind: str, seed: int, place: Path) -> None:
        self._name, self._seed = kind, seed
        self._folder, shared = place / "case", place / "shared"
        for folder in (self._folder, shared, place / "home", place / "tmp"):
            folder.mkdir()
        settle_in(place)
        os.chdir(self._folder)
        self._kind = KINDS[kind](shared)
        self._watch = Watch()
        self._outside = listing(place, self._folder)
        self._place = place
        self._arguments: tuple[str, ...] = ()
        self.accepted = 0
        """How many cases were none the worse for their damage: below all and above none, the fuzzer reaches deep."""

    def problems(self, number: int) -> list[str]:
        """Run a case; return what is wrong with it."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        os.chdir(self._folder)
        rng = random.Random(f"{self._name} {self._seed} {number}")
        if isinstance(self._kind, LiveKind):
            self._arguments = ()
            with self._watch.over(self._folder) as problems:
                problems.extend(self._kind.problems(rng))
                self.accepted += 1
            return problems
        problems = self._run(self._kind, rng, number)
        if listing(self._place, self._folder) != self._outside:
            problems.append("it leaves files elsewhere")
        return problems

    def _run(self, kind: FileKind, rng: random.Random, number: int) -> list[str]:
        command = kind.case(rng, self._folder)
        self._arguments = command.arguments
        arguments = [*command.arguments]
        with variables(dict(command.environment)):
            with self._watch.over(self._folder) as problems:
                code, said = run_here(arguments)
                problems.extend(judge(code, said))
                self.accepted += code == 0
                if code and command.output is not None and command.output.exists():
                    problems.append("it fails and leaves an output")
            if number % APART == 0:
                apart, said = run_apart(arguments)
                problems += [f"in a process of its own: {problem}" for problem in judge(apart, said)]
        return problems

    def keep(self, number: int, problems: list[str], folder: Path) -> Path:
        """Keep the files of a case, the command, and what was wrong."""
        kept = folder / f"{self._name}-{self._seed}-{number}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self._folder, kept)
        again = f"python -m tests.fuzz {self._name} --seed {self._seed} --first {number} --count 1"
        text = "\n".join([again, repr(("improviser", *self._arguments)), *problems, ""])
        (kept / "problems.txt").write_text(text, errors="backslashreplace")
        return kept


def settle_in(place: Path) -> None:
    """Let nothing of the user's be found, and nothing be written to where the user's is."""
    for variable in [*os.environ]:
        if variable.startswith(("IMPROVISER_", "XDG_")):
            del os.environ[variable]
    os.environ["HOME"] = str(place / "home")
    os.environ["TMPDIR"] = tempfile.tempdir = str(place / "tmp")
    os.environ["IMPROVISER_MODELS"] = str(place / "shared" / "models")
    os.environ["IMPROVISER_CACHE"] = str(place / "case" / "cache")  # what is kept of a case goes with it


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Let the environment have these while the block lasts."""
    former = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(former)


def listing(place: Path, but: Path) -> list[str]:
    """Return what is in a folder, but for one of those in it."""
    return sorted(str(path) for path in place.rglob("*") if path != but and but not in path.parents)


if __name__ == "__main__":
    sys.exit(main())
