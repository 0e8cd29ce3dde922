"""The command line, called within the test: what it prints and its exit code."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from improviser.cli import run


def _path(word: str) -> str:
    """Return a path as this system writes it."""
    return word.replace("/", os.sep)


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refused(self, *words: str) -> bool:
        """Whether it ended with exit code 2 and one line of ours that holds all of `words`."""
        lines = self.err.splitlines()
        ours = len(lines) == 1 and lines[0].startswith("improviser: error: ")
        return self.code == 2 and ours and all(word in lines[0] or _path(word) in lines[0] for word in words)


@dataclass(frozen=True)
class CommandLine:
    """Runs commands as a user would, in a folder of the test's own."""

    folder: Path
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Outcome:
        """Run `improviser` with `arguments`."""
        self.captured.readouterr()
        with self.patch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["improviser", *map(str, arguments)])
            code = run()
        out, err = self.captured.readouterr()
        return Outcome(code, out, err)

    def files(self) -> set[str]:
        """Return the names of all files in the folder."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}
