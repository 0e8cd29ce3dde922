"""Memory that the daemon shares with an engine: without a name, where that is possible, which an end could leave."""

import contextlib
import mmap
import os
import tempfile
from pathlib import Path

PREFIX = "improviser-"
HAS_NAMELESS = os.name == "posix"
"""Whether a file can lose its name while it is used, and a process inherit it."""


class SharedMemory:
    """The daemon's side: `map`, and what an engine needs to find it: `argument`, and the `inherited` descriptors.

    :raises OSError: if there is no room for it.
    """

    def __init__(self, size: int) -> None:
        self._path: Path | None = None
        self._descriptor = self._create()
        try:
            os.truncate(self._descriptor, size)
            self.map = mmap.mmap(self._descriptor, size)
        except BaseException:
            self.hand_over()
            raise

    def _create(self) -> int:
        if hasattr(os, "memfd_create"):
            return os.memfd_create(f"{PREFIX}engine")
        descriptor, name = tempfile.mkstemp(prefix=PREFIX)
        if HAS_NAMELESS:
            Path(name).unlink()
        else:
            self._path = Path(name)
        return descriptor

    @property
    def inherited(self) -> tuple[int, ...]:
        """The descriptors that the engine must inherit."""
        return () if self._path else (self._descriptor,)

    @property
    def argument(self) -> str:
        """What tells the engine where the memory is; see `attach`."""
        return str(self._path or self._descriptor)

    def hand_over(self) -> None:
        """Close what is not needed any more once the engine is started; the map goes on.

        A name, where there must be one, goes with `forget`.
        """
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def forget(self) -> None:
        """Take its name away, if it has one and no process needs it; where a mapped file cannot lose it, it stays."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()


def attach(argument: str, size: int) -> memoryview:
    """Return the memory that the `argument` of a `SharedMemory` tells of, in the process that has inherited it."""
    if HAS_NAMELESS:
        descriptor, path = int(argument), None
    else:
        path = Path(argument)
        descriptor = os.open(path, os.O_RDWR)
    try:
        return memoryview(mmap.mmap(descriptor, size))
    finally:
        os.close(descriptor)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()
