"""Hides from Python what many machines lack; with this folder on PYTHONPATH it holds for every Python that is started.

`HIDDEN_FROM_PYTHON` names it, with commas: `libjack` is JACK's C library, anything else a module. By default, libjack.
"""

import ctypes.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

LIBJACK = "libjack"
VARIABLE = "HIDDEN_FROM_PYTHON"

hidden = set(os.environ.get(VARIABLE, LIBJACK).split(","))
find_library = ctypes.util.find_library


def find_what_is_not_hidden(name: str) -> str | None:
    """Find a C library, as `ctypes` does, but for JACK's."""
    return None if name in {"jack", "libjack", "libjack64"} else find_library(name)


class Hiding:
    """A finder of modules that says of some that they are not there."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Leave all other modules to the finders that follow."""
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


if __name__ == "sitecustomize":  # and not where a test only wants its names
    if LIBJACK in hidden:
        ctypes.util.find_library = find_what_is_not_hidden
    sys.meta_path.insert(0, Hiding)
