"""The original's model files: read, converted, and refused where they are none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from improviser.errors import ModelError
from improviser.library.bach_generator import convert, read_models
from tests.core.echo.original import Echo, recorded


@pytest.mark.parametrize("echo", recorded())
def test_the_originals_layers_become_our_network(echo: Echo) -> None:
    model = convert("original", echo.layers())
    assert model.network.shape == echo.shape
    assert (model.network.genome == np.concatenate(echo.weights)).all()
    assert model.play_whole(echo.pitches) == echo.played


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (None, "list of 2"),
        ([], "list of 2"),
        ([[[]]], "list of 2"),
        ([[[0.5]]] * 30, "list of 2"),
        ([[[0.5]], 3], "layer 1"),
        ([[], [[]]], "layer 0"),
        ([[[0.5]], []], "layer 1"),
        ([[[0.5], 3], [[]]], "node 1 of layer 0"),
        ([[[0.5], [0.5, 0.5]], [[]]], "node 1 of layer 0 has 2 weights"),
        ([[[0.5], []], [[]]], "node 1 of layer 0 has 0 weights"),
        ([[[0.5, 0.5]], [[], []]], "2 outputs"),
        ([[[0.5]], [[0.5, 0.5]]], "node 0 of layer 1 has 2 weights"),
        ([[["0.5"]], [[]]], "is no number"),
        ([[[True]], [[]]], "is no number"),
        ([[[None]], [[]]], "is no number"),
        ([[[float("nan")]], [[]]], "is no number"),
        ([[[float("inf")]], [[]]], "is no number"),
        ([[[10**400]], [[]]], "is no number"),
        ([[[1e7]], [[]]], "is no number"),
        ({"a": 1}, "list of 2"),
    ],
)
def test_layers_that_make_no_network_are_refused_with_the_place(layers: Any, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        convert("original", layers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nothing",
        "[]",
        "{}",
        "3",
        "null",
        "[" * 100_000,
        "[" + "9" * 5000 + "]",
        b"\xff\xfe\x00".decode("latin-1"),
    ],
)
def test_files_that_hold_no_models_are_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match=r"models\.json"):
        read_models(path)


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no file"):
        read_models(tmp_path / "none.json")
    with pytest.raises(ModelError, match="folder"):
        read_models(tmp_path)


def test_all_models_of_a_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text(json.dumps([echo.layers() for echo in recorded()]))
    assert len(read_models(path)) == len(recorded())
