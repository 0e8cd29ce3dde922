"""What signals mean: to end, to read the settings again, and that the terminal has gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mido
import pytest

if sys.platform == "win32":
    pytest.skip("signals of this kind are Unix's", allow_module_level=True)

SCRIPT = """
import asyncio, fcntl, signal, sys, termios
from improviser.signals import run_until_signal
async def main():
    done = asyncio.Event()
    said = open(sys.argv[1], "w", buffering=1)
    async def work():
        said.write("ready\\n")
        await done.wait()
    reload = (lambda: said.write("reload\\n")) if "reload" in sys.argv else None
    return await run_until_signal(work(), done.set, reload)
if sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
if "nohup" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.exit(asyncio.run(main()))
"""


class Running:
    """A process that waits for signals."""

    def __init__(self, log: Path, *words: str, terminal: int | None = None) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(log), *words],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            start_new_session=True,
        )

    def until(self, *lines: str) -> None:
        deadline = time.monotonic() + 20
        while not self.log.exists() or self.log.read_text().splitlines() != list(lines):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running(log: Path, *words: str, terminal: int | None = None) -> Iterator[Running]:
    process = Running(log, *words, terminal=terminal)
    try:
        process.until("ready")
        yield process
    finally:
        process.end()


@pytest.mark.parametrize("words", [(), ("reload",)])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_what_ends_it(tmp_path: Path, words: tuple[str, ...], number: signal.Signals, code: int) -> None:
    with running(tmp_path / "log", *words) as process:
        process.process.send_signal(number)
        assert process.process.wait(10) == code


@pytest.mark.unix
def test_a_hangup_reads_again_where_there_is_something_to_read(tmp_path: Path) -> None:
    with running(tmp_path / "log", "reload") as process:
        process.process.send_signal(signal.SIGHUP)
        process.until("ready", "reload")
        process.process.send_signal(signal.SIGHUP)
        process.until("ready", "reload", "reload")
        process.process.terminate()
        assert process.process.wait(10) == 0


@pytest.mark.unix
def test_a_hangup_ends_it_where_there_is_nothing_to_read(tmp_path: Path) -> None:
    with running(tmp_path / "log") as process:
        process.process.send_signal(signal.SIGHUP)
        assert process.process.wait(10) == 0


@pytest.mark.unix
class TestTerminal:
    def test_it_ends_with_its_terminal(self, tmp_path: Path) -> None:
        ours, theirs = os.openpty()
        try:
            with running(tmp_path / "log", "reload", terminal=theirs) as process:
                process.process.send_signal(signal.SIGHUP)  # from somebody else, while the terminal is there
                process.until("ready", "reload")
                os.close(ours)
                ours = -1
                assert process.process.wait(10) == 0
                process.until("ready", "reload")
        finally:
            os.close(theirs)
            if ours >= 0:
                os.close(ours)

    def test_with_nohup_it_outlives_it(self, tmp_path: Path) -> None:
        ours, theirs = os.openpty()
        with running(tmp_path / "log", "reload", "nohup", terminal=theirs) as process:
            os.close(ours)
            os.close(theirs)
            time.sleep(0.2)
            process.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            assert process.process.poll() is None
            process.process.terminate()
            assert process.process.wait(10) == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells which signals a process catches")
@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.5])
def test_a_session_that_has_hardly_begun_ends_in_order(tmp_path: Path, seconds: float) -> None:
    """From the first line of ours on, SIGTERM means the same as later; what was started goes as well."""
    tune = tmp_path / "tune.mid"  # a player that needs no MIDI system: without one, a session would soon end by itself
    note = [mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=960)]
    mido.MidiFile(tracks=[mido.MidiTrack(note)]).save(tune)
    options = ["--input", str(tune), "--loop", "--record", str(tmp_path / "kept")]
    command = [sys.executable, "-m", "improviser", "play", *options]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    while not _catches(process.pid, signal.SIGTERM):
        assert process.poll() is None
    time.sleep(seconds)
    process.terminate()
    assert process.wait(20) == 0
    assert "Traceback" not in (tmp_path / "said").read_text()
    deadline = time.monotonic() + 10
    while _session(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _catches(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1]
    return bool(int(mask, 16) >> (number - 1) & 1)


def _session(pid: int) -> list[str]:
    """Return the processes that belong to a session and still live."""
    listing = subprocess.run(["ps", "-s", str(pid), "-o", "pid=,stat="], capture_output=True, text=True, check=False)
    return [line for line in listing.stdout.splitlines() if "Z" not in line.split()[1]]


SWALLOWED = """
import asyncio, os, signal
from improviser import termination
from improviser.signals import run_until_signal
from improviser.training.stopping import stop_request

class Swallowing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

termination.listen()
Swallowing()
with stop_request() as request:
    assert request()

async def session():
    stopped = asyncio.Event()
    return await run_until_signal(stopped.wait(), stopped.set)

raise SystemExit(asyncio.run(session()))
"""


def test_a_request_to_end_whose_exception_was_swallowed_is_not_lost() -> None:
    ran = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, timeout=60, check=False)
    assert "Exception ignored" in ran.stderr
    assert ran.returncode == 0, ran.stderr
