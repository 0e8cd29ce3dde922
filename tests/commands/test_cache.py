"""`improviser cache`: what is kept of the music that was read."""

import json
from pathlib import Path

import pytest

from tests.command import CommandLine


def test_it_says_what_is_kept_and_clears_it(
    improviser: CommandLine, tune: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPROVISER_CACHE", str(tmp_path / "cache"))
    assert json.loads(improviser("cache", "--json").out)["files"] == 0
    evaluated = improviser("evaluate", "bach-melody", tune, "--workers", 2)
    assert evaluated.code == 0
    assert improviser("cache").out.startswith("1 files, 0.0 MiB, in ")
    assert improviser("cache", "--clear").out.startswith("cleared 1 files")
    assert json.loads(improviser("cache", "--json").out)["files"] == 0
    assert improviser("evaluate", "bach-melody", tune).out == evaluated.out
