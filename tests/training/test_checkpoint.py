"""Checkpoints: what is put down is taken up."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from improviser.core.evolution.randomness import generator
from improviser.errors import ModelError, OutputError
from improviser.library import model_file
from improviser.library.model_file import ModelFile
from improviser.training import checkpoint

RECIPE = {"seed": 3, "sources": [{"name": "a"}], "layers": (20, 20)}


def test_arrays_numbers_and_generators_survive(tmp_path: Path) -> None:
    rng = generator(4)
    state: dict[str, Any] = {
        "generation": 3,
        "none": None,
        "population": np.arange(6, dtype=np.float32).reshape(2, 3),
        "unknown": np.array([[1.0, np.nan], [np.nan, 2.0]]),
        "nested": [{"array": np.ones(2, np.int64)}, "text"],
        "number": np.float64(0.5),
        "empty": np.zeros(0),
        "rng": rng.bit_generator.state,
    }
    checkpoint.save(tmp_path / "a", state, RECIPE)
    again = checkpoint.load(tmp_path / "a", RECIPE)
    assert again is not None
    assert (again["generation"], again["none"], again["number"], again["empty"]) == (3, None, 0.5, [])
    assert again["population"].tobytes() == state["population"].tobytes()
    assert again["population"].dtype == np.float32
    np.testing.assert_array_equal(again["unknown"], state["unknown"])
    assert again["nested"][0]["array"].tolist() == [1, 1]
    other = generator(0)
    other.bit_generator.state = again["rng"]
    assert other.random() == rng.random()


def test_no_checkpoint_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "none", RECIPE) is None


def test_a_run_with_other_settings_is_refused_and_they_are_named(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "a", {"generation": 1}, RECIPE)
    with pytest.raises(ModelError, match="other seed;"):
        checkpoint.load(tmp_path / "a", RECIPE | {"seed": 4})


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    model_file.write(path, ModelFile("echo", {}, {}))
    with pytest.raises(ModelError, match="no checkpoint"):
        checkpoint.load(path, RECIPE)
    path.write_bytes(b"{" + json.dumps(RECIPE).encode())
    with pytest.raises(ModelError):
        checkpoint.load(path, RECIPE)


def test_a_checkpoint_lies_beside_the_model() -> None:
    assert checkpoint.path_for(Path("a/b.safetensors")) == Path("a/b.safetensors.checkpoint")


def test_what_a_killed_run_left_half_written_is_written_over_and_removed(tmp_path: Path) -> None:
    unfinished = tmp_path / "a.unfinished"
    unfinished.write_bytes(b"half")
    checkpoint.save(tmp_path / "a", {"generation": 1}, RECIPE)
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    unfinished.write_bytes(b"half")
    checkpoint.remove(tmp_path / "a")
    checkpoint.remove(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path / "a", {"generation": 1}, RECIPE)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        checkpoint.save(tmp_path / "a", {"generation": 2}, RECIPE)
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    assert checkpoint.load(tmp_path / "a", RECIPE) == {"generation": 1}
