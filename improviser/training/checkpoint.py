"""Checkpoints: the whole state of a training run in one file, so that it can go on after any end."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.errors import ModelError, OutputError
from improviser.files import replace_file
from improviser.library import model_file
from improviser.library.catalogue import CHECKPOINT
from improviser.library.model_file import ModelFile

FORM = 3
"""Of what a run puts down; it belongs to the settings that must agree, so that none of another form is taken up."""
ARRAY = "$array"
NAN = "nan"
LARGEST = 2**29
"""Bytes: a population of the largest that may be bred, and what belongs to it."""


def path_for(output: Path) -> Path:
    """Return where the checkpoint of a run that writes `output` lies."""
    return output.with_name(output.name + ".checkpoint")


def save(path: Path, state: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    """Write `state` (JSON values and arrays, nested), and the settings it belongs to, whole or not at all.

    What a run that was killed leaves half-written has a name of its own, so that the next one writes over it.

    :raises OutputError: if that is not possible; the one before stays.
    """
    tensors: dict[str, NDArray[Any]] = {}
    flat = _flatten(state, tensors)
    try:
        data = model_file.encode(ModelFile(CHECKPOINT, flat, tensors, recipe), LARGEST)
    except ModelError as error:  # what is bred is worth more than what could be resumed
        raise OutputError(f"cannot write the checkpoint {path}: {error}") from error
    unfinished = unfinished_for(path)
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace_file(unfinished, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise OutputError(f"cannot write the checkpoint {path}: {error.strerror or error}") from error


def remove(path: Path) -> None:
    """Remove a checkpoint, and what a run that was killed may have left of the next."""
    for file in (path, unfinished_for(path)):
        with contextlib.suppress(OSError):
            file.unlink()


def unfinished_for(path: Path) -> Path:
    """Return where the next checkpoint is written before it takes the place of the one at `path`."""
    return path.with_name(path.name + ".unfinished")


def load(path: Path, recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the state of a run with these settings, or None if there is no checkpoint.

    :raises ModelError: if it cannot be read, or belongs to other settings.
    """
    if not path.exists():
        return None
    file = model_file.read(path, LARGEST)
    if file.task != CHECKPOINT:
        raise ModelError(f"{path} is no checkpoint; remove it, or train without --resume")
    wanted = json.loads(json.dumps(recipe))
    if file.provenance != wanted:
        names = sorted(name for name in {*file.provenance, *wanted} if file.provenance.get(name) != wanted.get(name))
        raise ModelError(
            f"{path} is of a run with other {', '.join(names)}; give the same options, or train without --resume"
        )
    restored = _unflatten(dict(file.settings), file.tensors)
    if not isinstance(restored, dict):
        raise ModelError(f"{path} is damaged; remove it, or train without --resume")
    return restored


def _flatten(value: Any, tensors: dict[str, NDArray[Any]]) -> Any:
    """Return JSON values that stand for `value`; arrays go to `tensors`, but whole numbers of 64 bits become lists."""
    if isinstance(value, Mapping):
        return {key: _flatten(item, tensors) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_flatten(item, tensors) for item in value]
    if isinstance(value, np.ndarray):
        if value.dtype == np.uint64 or not value.size:
            return value.tolist()
        name = f"array_{len(tensors)}"
        tensors[name] = np.nan_to_num(value)
        if np.isnan(value).any():
            tensors[name + NAN] = np.isnan(value).astype(np.int32)
        return {ARRAY: name}
    return value.item() if isinstance(value, np.generic) else value


def _unflatten(value: Any, tensors: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_unflatten(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if ARRAY not in value:
        return {key: _unflatten(item, tensors) for key, item in value.items()}
    array = np.array(tensors[value[ARRAY]])
    missing = tensors.get(value[ARRAY] + NAN)
    return array if missing is None else np.where(missing, np.nan, array).astype(array.dtype)
