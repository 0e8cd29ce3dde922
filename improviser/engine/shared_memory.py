"""Memory that the daemon shares with an engine, and that no crash leaves behind.

On Linux it has no name and is inherited as a descriptor; elsewhere on Unix it is a file that is deleted once it is
open. On Windows it has a tag, and goes with the last process that uses it.
"""

import contextlib
import mmap
import os
import secrets
import struct
import tempfile
from pathlib import Path

PREFIX = "improviser-"
HEARTBEAT = struct.Struct("<Q")
"""Behind the ledger in the shared memory: a counter that a living engine keeps raising."""


class SharedMemory:
    """The daemon's side: `map`, and what an engine needs to find it: `argument`, and the `inherited` descriptors.

    :raises OSError: if there is no room for it.
    """

    def __init__(self, size: int) -> None:
        self._descriptor = -1
        self._tag = f"{PREFIX}{secrets.token_hex(16)}"
        if not hasattr(os, "memfd_create"):
            with contextlib.suppress(TypeError):  # only Windows has tags
                self.map = _tagged(self._tag, size)
                return
        self._descriptor = _nameless()
        try:
            os.truncate(self._descriptor, size)
            self.map = mmap.mmap(self._descriptor, size)
        except BaseException:
            self.hand_over()
            raise

    @property
    def inherited(self) -> tuple[int, ...]:
        """The descriptors that the engine must inherit."""
        return () if self._descriptor < 0 else (self._descriptor,)

    @property
    def argument(self) -> str:
        """What tells the engine where the memory is; see `attach`."""
        return self._tag if self._descriptor < 0 else str(self._descriptor)

    def hand_over(self) -> None:
        """Close what is not needed any more once the engine is started; the map goes on."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _tagged(tag: str, size: int) -> mmap.mmap:
    """Return the memory that all processes know by a tag.

    :raises TypeError: if this system has no such thing.
    """
    return mmap.mmap(-1, size, tagname=tag)  # type: ignore[call-arg, unused-ignore]


def _nameless() -> int:
    """Return the descriptor of memory, or of a file, without a name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(f"{PREFIX}engine")
    descriptor, name = tempfile.mkstemp(prefix=PREFIX)
    Path(name).unlink()
    return descriptor


def attach(argument: str, size: int) -> memoryview:
    """Return the memory that the `argument` of a `SharedMemory` tells of, in the process that the daemon started."""
    if argument.startswith(PREFIX):
        return memoryview(_tagged(argument, size))
    descriptor = int(argument)
    try:
        return memoryview(mmap.mmap(descriptor, size))
    finally:
        os.close(descriptor)
