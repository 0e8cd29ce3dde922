"""What must hold for a case: it ends soon, with 0, 1 or 2, in little memory and words that can be printed."""

import contextlib
import io
import logging
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from improviser.cli import run
from tests.hostile_text import raw

MOST_SECONDS = 5.0
"""Of processor time: what else the machine does counts for nothing."""
HANG_SECONDS = 60
MOST_BYTES = 500 << 20
CODES = (0, 1, 2)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")


class TooLongError(BaseException):
    """A case does not end; nothing that catches errors may catch this."""


class Watch:
    """Watches what a process writes, and how long and in how much memory a case takes; one for each process."""

    def __init__(self) -> None:
        self._allowed: tuple[str, ...] | None = None
        self._written: list[str] = []
        signal.signal(signal.SIGPROF, self._end)
        signal.signal(signal.SIGALRM, self._end)
        sys.addaudithook(self._hook)

    @staticmethod
    def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise TooLongError

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._allowed is None or not (event in CHANGES or event == "open"):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        for path in arguments[: 2 if event in ("os.rename", "os.link") else 1]:
            if isinstance(path, str | bytes | os.PathLike):
                place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  nothing that is audited itself
                if place not in self._allowed and not place.startswith(self._allowed[0]):
                    self._written.append(f"{event} {place!r}")

    @contextlib.contextmanager
    def over(self, folder: Path) -> Iterator[list[str]]:
        """Watch what is done in a block, which may write to `folder` alone; yield the list of what is wrong."""
        problems: list[str] = []
        self._written = []
        memory = _reset_peak()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_virtual_bytes() + MOST_BYTES, hard))
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        self._allowed = (f"{folder}{os.sep}", str(folder), os.devnull)
        try:
            yield problems
        except TooLongError:
            problems.append(f"it takes more than {MOST_SECONDS:g} s")
        except MemoryError:
            problems.append(f"it takes more than {MOST_BYTES >> 20} MB")
        except BaseException:  # noqa: BLE001  whatever it is
            problems.append(traceback.format_exc())
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._allowed = None
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        if _peak() - memory > MOST_BYTES:
            problems.append(f"it takes {(_peak() - memory) >> 20} MB")
        problems += [f"it writes elsewhere: {what}" for what in self._written]


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) << 10
    raise LookupError(name)


def _virtual_bytes() -> int:
    return _status("VmSize")


def _peak() -> int:
    return _status("VmHWM")


def _reset_peak() -> int:
    """Let the peak of memory be what is used just now; return that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def run_here(arguments: list[str]) -> tuple[int, str]:
    """Run a command in this process; return its exit code and all that it printed."""
    said = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="surrogatepass", newline="\n", write_through=True)
    root = logging.getLogger()
    handlers = root.handlers[:]
    argv = sys.argv
    sys.argv = ["improviser", *arguments]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run()
    finally:
        sys.argv = argv
        root.handlers[:] = handlers
    return code, said.buffer.getvalue().decode("utf-8", "surrogatepass")


def run_apart(arguments: list[str]) -> tuple[int, str]:
    """Run a command as a user does, in a process of its own."""
    command = [sys.executable, "-m", "improviser", *arguments]
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=HANG_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return -1, (late.output or b"").decode(errors="replace")
    return ran.returncode, ran.stdout.decode("utf-8", "surrogateescape")


def judge(code: int, said: str) -> Iterator[str]:
    """Yield what is wrong with how a command ended and what it said."""
    if code not in CODES:
        yield f"its exit code is {code}"
    if "Traceback" in said:
        yield f"it says:\n{said}"
    if unclean := raw(said):
        yield f"it says {unclean}"
    if code and not said:
        yield "it fails and says nothing"
