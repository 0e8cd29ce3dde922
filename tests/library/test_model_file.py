"""Model files: what is written is read, and nothing else is trusted."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save

from improviser.errors import ModelError, OutputError
from improviser.library import model_file
from improviser.library.model_file import ModelFile

MODEL = ModelFile(
    "echo",
    {"nodes": [2, 1], "name": "Übung"},
    {"one": np.arange(6, dtype=np.float32).reshape(2, 3), "two": np.array([0.1, 0.2])},
    {"seed": 3, "scores": {"held_out": None}},
)


def header_of(data: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<Q", data)
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    return header


def forged(header: Any, body: bytes = b"") -> bytes:
    """Return a file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def metadata(**changes: Any) -> dict[str, Any]:
    sound = {"format": "improviser model", "version": "1", "task": "echo", "settings": "{}", "provenance": "{}"}
    return {key: value for key, value in (sound | changes).items() if value is not None}


def entry(dtype: Any = "F32", shape: Any = (1,), offsets: Any = (0, 4)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    model_file.write(path, MODEL)
    again = model_file.read(path)
    assert (again.task, again.settings, again.provenance) == (MODEL.task, MODEL.settings, MODEL.provenance)
    assert set(again.tensors) == set(MODEL.tensors)
    for name, tensor in MODEL.tensors.items():
        assert again.tensors[name].dtype == tensor.dtype
        assert (again.tensors[name] == tensor).all()


def test_the_same_model_is_the_same_bytes_and_others_can_read_it() -> None:
    data = model_file.encode(MODEL)
    assert data == model_file.encode(MODEL)
    assert (load(data)["one"] == MODEL.tensors["one"]).all()
    assert header_of(data)["__metadata__"]["format"] == "improviser model"


def test_nothing_is_written_that_could_not_be_read(tmp_path: Path) -> None:
    for tensors in ({"a": np.array([np.nan])}, {"a": np.array(["x"])}, {f"a{n}": np.ones(1) for n in range(300)}):
        with pytest.raises(ModelError):
            model_file.write(tmp_path / "a.safetensors", ModelFile("echo", {}, tensors))
    with pytest.raises(ModelError, match="cannot save"):
        model_file.write(tmp_path / "a.safetensors", ModelFile("echo", {"a": float("nan")}, {}))
    with pytest.raises(OutputError):
        model_file.write(tmp_path / "no" / "a.safetensors", MODEL)
    assert list(tmp_path.iterdir()) == []


HOSTILE = {
    "empty": b"",
    "short": b"abc",
    "text": b"this is not a model, it is a letter to a friend",
    "huge header": struct.pack("<Q", 2**62) + b"{}",
    "header beyond the end": struct.pack("<Q", 500) + b"{}",
    "no json": forged(b"{not json"),
    "no object": forged([1, 2]),
    "nested deeply": forged(b"[" * 100_000),
    "not unicode": forged(b'{"\xff\xfe": 1}'),
    "foreign": save({"a": np.ones(3)}, {"format": "pt"}),
    "foreign without metadata": save({"a": np.ones(3)}),
    "other version": forged({"__metadata__": metadata(version="2")}),
    "no version": forged({"__metadata__": metadata(version=None)}),
    "no task": forged({"__metadata__": metadata(task=None)}),
    "task of numbers": forged({"__metadata__": metadata(task=3)}),
    "no settings": forged({"__metadata__": metadata(settings=None)}),
    "settings no object": forged({"__metadata__": metadata(settings="[]")}),
    "settings not json": forged({"__metadata__": metadata(settings="{")}),
    "settings nested deeply": forged({"__metadata__": metadata(settings="[" * 50_000)}),
    "settings not a number": forged({"__metadata__": metadata(settings='{"a": NaN}')}),
    "settings out of range": forged({"__metadata__": metadata(settings='{"a": 1e999}')}),
    "array of signed bytes": forged({"__metadata__": metadata(), "a": entry("I8", [4])}, b"1234"),
    "array of lists": forged({"__metadata__": metadata(), "a": entry([1])}, b"1234"),
    "array without shape": forged({"__metadata__": metadata(), "a": {"dtype": "F32"}}, b"1234"),
    "array no object": forged({"__metadata__": metadata(), "a": 3}),
    "negative shape": forged({"__metadata__": metadata(), "a": entry("F32", [-1, -1])}, b"1234"),
    "shape of fractions": forged({"__metadata__": metadata(), "a": entry("F32", [1.0])}, b"1234"),
    "no length": forged({"__metadata__": metadata(), "a": entry("F32", [0], [0, 0])}),
    "huge shape": forged({"__metadata__": metadata(), "a": entry("F32", [2**40], [0, 2**42])}, b"1234"),
    "overflowing shape": forged({"__metadata__": metadata(), "a": entry("F32", [2**20] * 4, [0, 4])}, b"1234"),
    "five dimensions": forged({"__metadata__": metadata(), "a": entry("F32", [1] * 5)}, b"1234"),
    "shape and place differ": forged({"__metadata__": metadata(), "a": entry("F32", [2])}, b"1234"),
    "gap": forged({"__metadata__": metadata(), "a": entry("F32", [1], [4, 8])}, b"12345678"),
    "overlap": forged({"__metadata__": metadata(), "a": entry(), "b": entry()}, b"1234"),
    "more than is said": forged({"__metadata__": metadata(), "a": entry()}, b"12345678"),
    "cut short": model_file.encode(MODEL)[:-5],
    "too many arrays": forged({"__metadata__": metadata()} | {f"a{n}": entry() for n in range(300)}, b"1234"),
    "infinite": forged({"__metadata__": metadata(), "a": entry()}, np.array([np.inf], "<f4").tobytes()),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused_by_name_and_in_one_line(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        model_file.read(path)
    message = str(caught.value)
    assert "bad.safetensors" in message
    assert "\n" not in message
    assert len(message) < 400


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        model_file.decode(data)


@given(st.data())
def test_damaged_files_are_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(model_file.encode(MODEL))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(0, len(whole))) :]
    try:
        model = model_file.decode(bytes(whole))
    except ModelError:
        return
    assert all(np.isfinite(tensor).all() for tensor in model.tensors.values())


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "folder"), (tmp_path / "none", "no model file")):
        with pytest.raises(ModelError, match=why):
            model_file.read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_and_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    with pytest.raises(ModelError, match="regular"):
        model_file.read(pipe)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.truncate(model_file.MAX_FILE_BYTES + 1)
    with pytest.raises(ModelError, match="too large"):
        model_file.read(path)
