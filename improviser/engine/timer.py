"""Makes the system's timer fine enough for the note path: Windows else wakes a waiting thread up to 15.6 ms late."""

import contextlib
import ctypes
from collections.abc import Iterator

PERIOD_MILLISECONDS = 1


@contextlib.contextmanager
def fine_timer() -> Iterator[None]:
    """Let waits end within a millisecond while the block lasts; where they do anyway, nothing happens."""
    windows = _winmm()
    asked = windows is not None and windows.timeBeginPeriod(PERIOD_MILLISECONDS) == 0
    try:
        yield
    finally:
        if asked and windows is not None:
            windows.timeEndPeriod(PERIOD_MILLISECONDS)


def _winmm() -> "ctypes.CDLL | None":
    with contextlib.suppress(AttributeError, OSError):
        library: ctypes.CDLL = ctypes.windll.winmm  # type: ignore[attr-defined, unused-ignore]
        return library
    return None
