"""What commands say: lines and JSON on the standard output, warnings on the standard error, all of it printable.

Commands print through this and nothing else (`ruff` sees to that), so that nothing from outside reaches a terminal raw.
"""

import contextlib
import errno
import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from improviser.core.printable import printable, printable_json


def say(*parts: object) -> None:
    """Print one line: the parts with spaces between them."""
    print(printable(" ".join(map(str, parts))), flush=True)


def warn(*parts: object) -> None:
    """Print one line on the standard error; where that is full or gone, go on without."""
    with contextlib.suppress(OSError):
        print(printable(" ".join(map(str, parts))), file=sys.stderr, flush=True)


def say_json(value: Any, *, indent: int | None = None) -> None:
    """Print a value as JSON, in one line unless there is an `indent`; see `json_text`."""
    print(json_text(value, indent=indent), flush=True)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return a value of dataclasses, mappings, sequences and scalars as JSON; a number that JSON has not is null."""
    return printable_json(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=indent))


def reader_has_gone(error: Exception) -> bool:
    """Return whether printing failed because the reader has closed the pipe, which Windows reports as EINVAL."""
    return isinstance(error, BrokenPipeError) or (
        os.name == "nt" and isinstance(error, OSError) and error.errno == errno.EINVAL
    )


def print_nowhere() -> None:
    """Print no more, and spare Python's flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plain(value: Any) -> Any:
    """Return what `json` can write."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
