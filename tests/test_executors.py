"""Executors for calls that may hang: results arrive, errors too, and the program ends at once."""

import asyncio
import subprocess
import sys
import threading

import pytest

from improviser.executors import DaemonThreadExecutor


def test_results_and_errors_arrive() -> None:
    async def scene() -> None:
        asyncio.get_running_loop().set_default_executor(DaemonThreadExecutor())
        assert await asyncio.to_thread(sum, [1, 2, 3]) == 6
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        results = await asyncio.gather(*(asyncio.to_thread(pow, number, 2) for number in range(50)))
        assert results == [number**2 for number in range(50)]

    asyncio.run(scene())


def test_what_hangs_keeps_nobody() -> None:
    script = (
        "import asyncio, threading\n"
        "from improviser.executors import DaemonThreadExecutor\n"
        "async def scene():\n"
        "    asyncio.get_running_loop().set_default_executor(DaemonThreadExecutor())\n"
        "    hanging = asyncio.ensure_future(asyncio.to_thread(threading.Event().wait))\n"
        "    await asyncio.sleep(0.05)\n"
        "    hanging.cancel()\n"
        "asyncio.run(scene())\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], timeout=30, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_after_the_end_results_are_nobodys() -> None:
    free = threading.Event()

    async def scene() -> None:
        asyncio.get_running_loop().set_default_executor(DaemonThreadExecutor())
        waiting = asyncio.ensure_future(asyncio.to_thread(free.wait))
        await asyncio.sleep(0.01)
        waiting.cancel()

    asyncio.run(scene())
    free.set()
    for thread in threading.enumerate():
        if thread.name == "daemon-call":
            thread.join(10)


HANGING = """
import asyncio, atexit, threading, time
from improviser import __main__, cli
from improviser.executors import SerialExecutor

async def play():
    calls = SerialExecutor("jack")
    try:
        await asyncio.wait_for(calls.call(threading.Event().wait), 0.1)
    except TimeoutError:
        pass
    kept.append(calls)

def run():
    asyncio.run(play())
    print("done")
    return 3

kept = []
atexit.register(time.sleep, 1000)
cli.run = run
__main__.main()
"""


def test_a_call_that_hangs_holds_up_no_end() -> None:
    """Nor does what a library does at the end of a process, such as to wait for that call."""
    ran = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (3, "done"), ran.stderr
