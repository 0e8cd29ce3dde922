"""Pseudo-terminals: our end and the end that a program takes for a terminal."""

import contextlib
import os
from collections.abc import Iterator

COLOURFUL = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
"""What makes a program take a pseudo-terminal for one of 80 by 24 with colours; `NO_COLOR` must not be set."""


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Yield both ends, and close what is still open of them."""
    ends = os.openpty()
    try:
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)


def colourful() -> dict[str, str]:
    """Return the environment of a program that is to show the live view."""
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return {**plain, **COLOURFUL}


def read_until(descriptor: int, phrase: bytes) -> bytes:
    """Return what comes until `phrase` has come."""
    said = b""
    while phrase not in said:
        said += os.read(descriptor, 65536)
    return said
