"""Model files: a genome with its settings and provenance ↔ one safe file.

The format is safetensors (a JSON header, then raw arrays: nothing in it can execute), with five entries of metadata::

    format      "improviser model"
    version     "1"
    task        what the network was evolved to do: "echo", "melody", "harmony"
    settings    JSON: shape, viewpoints, tables; whatever the task needs to rebuild the network around its arrays
    provenance  JSON: sources, seed, options, scores; nothing here changes how the model plays

A file is somebody else's bytes: everything is checked against the limits below before anything is allocated for it.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import numpy as np
from numpy.typing import NDArray

from improviser.errors import ModelError
from improviser.files import read_regular, write_atomically

FORMAT = "improviser model"
VERSION = "1"
SUFFIX = ".safetensors"

MAX_FILE_BYTES = 64 * 2**20
MAX_HEADER_BYTES = 2**20
MAX_TENSORS = 256
MAX_DIMENSIONS = 4
DTYPES: dict[str, np.dtype[Any]] = {
    "U8": np.dtype("<u1"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
}
"""The number types a model may hold, by their safetensors names."""

LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What one file holds.

    :param task: which class rebuilds the model; see `improviser.library`.
    :param settings: JSON values (objects, lists, finite numbers, strings) that the model needs.
    :param tensors: arrays by name, of the types in `DTYPES`, finite.
    :param provenance: JSON values about where it came from.
    """

    task: str
    settings: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]]
    provenance: Mapping[str, Any] = field(default_factory=dict)


def write(path: Path, model: ModelFile) -> None:
    """Write `model` to `path`, whole or not at all; the same model gives the same bytes.

    :raises OutputError: if the file cannot be written.
    """
    write_atomically(path, encode(model))


def read(path: Path, largest: int = MAX_FILE_BYTES) -> ModelFile:
    """Read the model in `path`.

    :raises ModelError: if there is none, or it is damaged, foreign, of another version, or beyond the limits.
    """
    try:
        if path.is_dir():
            raise ModelError(f"{path} is a folder; name a model file in it")
        if not path.exists():
            raise ModelError(f"there is no model file {path}; `improviser models` lists what there is")
        if not path.is_file():
            raise ModelError(f"{path} is not a regular file; name a model file (*{SUFFIX})")
        if (size := path.stat().st_size) > largest:
            raise ModelError(f"{path} is too large for a model ({size} bytes, the limit is {largest})")
        data = read_regular(path, largest)
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the model {path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        return decode(data, largest)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def encode(model: ModelFile, largest: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of `model`'s file.

    Written here and not by the library, whose order of metadata differs from run to run.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in sorted(model.tensors.items())}
    header: dict[str, Any] = {
        "__metadata__": {
            "format": FORMAT,
            "version": VERSION,
            "task": model.task,
            "settings": _to_json(model.settings),
            "provenance": _to_json(model.provenance),
        }
    }
    offset = 0
    chunks = []
    names = {dtype: name for name, dtype in DTYPES.items()}
    for name, array in arrays.items():
        dtype = array.dtype.newbyteorder("<")
        if dtype not in names or not np.isfinite(array).all():
            raise ModelError(f"cannot save the array {name!r}: it must hold finite numbers of {', '.join(DTYPES)}")
        chunks.append(array.astype(dtype).tobytes())
        header[name] = {
            "dtype": names[dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset := offset + array.nbytes],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH.size)
    data = b"".join([LENGTH.pack(len(text)), text, *chunks])
    decode(data, largest)  # what this package would refuse to read must not be written
    return data


def decode(data: bytes, largest: int = MAX_FILE_BYTES) -> ModelFile:
    """Return the model in the bytes of a file.

    :raises ModelError: if they are not a model of ours, or are damaged or beyond the limits.
    """
    header = _header(data)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        _refuse("it is a safetensors file, but not a model of this program; train one with `improviser train`")
    if metadata.get("version") != VERSION:
        _refuse(
            f"it is of format version {str(metadata.get('version'))[:20]!r}, and this program reads {VERSION!r}; "
            "update improviser, or train the model anew"
        )
    _check_arrays(header, len(data) - LENGTH.size - LENGTH.unpack_from(data)[0], largest)
    task = metadata.get("task")
    if not isinstance(task, str):
        _refuse("it does not say what it was evolved for; it is damaged")
    tensors = _load(data)
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            _refuse(f"the array {name!r} holds values that are not finite; it is damaged")
    settings, provenance = (_from_json(metadata.get(key), key) for key in ("settings", "provenance"))
    return ModelFile(task, settings, tensors, provenance)


def _header(data: bytes) -> dict[str, Any]:
    """Return the parsed header of a safetensors file."""
    if len(data) < LENGTH.size:
        _refuse("it is empty or cut short; it is not a model")
    (length,) = LENGTH.unpack_from(data)
    if length > MAX_HEADER_BYTES or length > len(data) - LENGTH.size:
        _refuse("its header is cut short or is none; it is not a model file, or a damaged one")
    header = _parse(data[LENGTH.size : LENGTH.size + length], "header")
    if len(header) > MAX_TENSORS + 1:
        _refuse(f"it holds {len(header) - 1} arrays, and a model at most {MAX_TENSORS}")
    return header


def _check_arrays(entries: Mapping[str, Any], available: int, largest: int) -> None:
    """Check types, shapes and places of all arrays: they must tile the `available` bytes exactly."""
    places: list[tuple[int, ...]] = []
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str) or entry["dtype"] not in DTYPES:
            _refuse(f"the array {name[:40]!r} is of a type that models do not hold")
        shape, place = entry.get("shape"), entry.get("data_offsets")
        if not (_are_counts(shape, largest) and len(shape) <= MAX_DIMENSIONS):
            _refuse(f"the array {name[:40]!r} has no sound shape")
        if not (_are_counts(place, largest) and len(place) == 2):
            _refuse(f"the array {name[:40]!r} has no sound shape")
        size = DTYPES[entry["dtype"]].itemsize
        for length in shape:
            size *= length
            if not 0 < size <= largest:
                _refuse(f"the array {name[:40]!r} has no sound shape")
        if place[1] - place[0] != size:
            _refuse(f"the array {name[:40]!r} is not as long as its shape says")
        places.append(tuple(place))
    end = 0
    for start, stop in sorted(places):
        if start != end:
            _refuse("its arrays overlap or leave gaps")
        end = stop
    if end != available:
        _refuse(f"its arrays need {end} bytes and {available} are there; it is cut short or damaged")


def _are_counts(values: Any, largest: int) -> TypeGuard[list[int]]:
    """Whether `values` is a list of non-negative whole numbers, small enough for a file."""
    return isinstance(values, list) and all(type(value) is int and 0 <= value <= largest for value in values)


def _load(data: bytes) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(sorted(load(data).items()))
    except SafetensorError as error:
        raise ModelError(f"it is damaged ({error})") from error


def _to_json(values: Mapping[str, Any]) -> str:
    try:
        return json.dumps(values, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ModelError(f"cannot save the model: {error}") from error


def _from_json(text: Any, what: str) -> dict[str, Any]:
    if not isinstance(text, str):
        _refuse(f"its {what} are missing; it is damaged")
    return _parse(text.encode(errors="replace"), what)


def _parse(text: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object in `text`; numbers must be finite."""

    def refuse_constant(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number")

    def finite(number: str) -> float:
        if not np.isfinite(value := float(number)):
            raise ValueError(f"{number[:20]} is out of range")
        return value

    try:
        values = json.loads(text, parse_constant=refuse_constant, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"its {what} cannot be read; it is not a model file, or a damaged one") from error
    if not isinstance(values, dict):
        _refuse(f"its {what} cannot be read; it is not a model file, or a damaged one")
    return values


def _refuse(reason: str) -> NoReturn:
    raise ModelError(reason)
