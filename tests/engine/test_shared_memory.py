"""The memory of an engine: shared by inheritance, and without a name that an end could leave behind."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from improviser.engine.handle import EngineProcess
from improviser.engine.shared_memory import PREFIX, SharedMemory, attach

SHARED = Path("/dev/shm")  # noqa: S108  only looked at
DAEMON = """
import asyncio, os, time
from improviser.engine.handle import EngineProcess

async def start():
    print((await EngineProcess.start()).pid, flush=True)
    time.sleep(60)

asyncio.run(start())
"""


def names() -> set[Path]:
    """Return what lies where shared memory with a name could."""
    return {path for folder in (SHARED, Path(tempfile.gettempdir())) for path in folder.glob(f"{PREFIX}*")}


def test_what_one_side_writes_the_other_reads() -> None:
    shared = SharedMemory(100)
    inherited = [os.dup(descriptor) for descriptor in shared.inherited]
    view = attach(str(inherited[0]) if inherited else shared.argument, 100)
    shared.hand_over()
    shared.hand_over()
    shared.map[7] = 42
    assert view[7] == 42


@pytest.mark.unix
def test_it_has_no_name_at_any_time() -> None:
    before = names()
    shared = SharedMemory(100)
    assert names() == before
    assert len(shared.inherited) == 1
    shared.hand_over()


@pytest.mark.unix
def test_daemon_and_engine_that_are_killed_while_they_start_leave_nothing() -> None:
    before = names()
    with subprocess.Popen([sys.executable, "-c", DAEMON], stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        engine = int(daemon.stdout.readline())
        assert names() == before
        daemon.kill()
        os.kill(engine, signal.SIGKILL)
    assert names() == before


@pytest.mark.skipif(os.name == "nt" or not Path("/proc/self/fd").is_dir(), reason="it does not tell what is open")
def test_engines_that_have_ended_keep_nothing_open() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def come_and_go() -> list[int]:
        counts = []
        for _ in range(4):
            await (await EngineProcess.start()).leave()
            counts.append(count())
        return counts

    counts = asyncio.run(come_and_go())
    assert counts[-1] <= counts[0]  # what the first has closed may be closed a moment later
