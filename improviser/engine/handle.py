"""The daemon's handle on one engine process: start it, talk to it, watch its heart, know what it left sounding."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

import msgspec

from improviser import errors
from improviser.core.live.output.ledger import SIZE, Ledger
from improviser.engine.protocol import (
    HEARTBEAT,
    MODEL,
    READ_BYTES,
    AnyReport,
    Applied,
    Bring,
    Close,
    Command,
    Failed,
    FrameReader,
    Open,
    Prepared,
    Ready,
    Swap,
    decode_report,
    frame,
)
from improviser.engine.shared_memory import SharedMemory
from improviser.errors import EngineError
from improviser.signals import own_group
from improviser.waiting import within

log = logging.getLogger("improviser")

PIPE_BYTES = 1 << 20
START_SECONDS = 40.0
"""An engine takes a second of a processor to start; where twenty others want that, too, it has taken over 20 s."""
WAIT_SECONDS, MOST_SILENT_WAITS, MOST_WAITS = 1.0, 3, 12
"""An engine that is to leave is waited for so long at a time, and killed when it has reported nothing in several waits.

A busy daemon may itself have stood still for one of them."""
KEPT_LINES = 20
MEMORY = {"MALLOC_ARENA_MAX": "1"}
"""One heap for all threads of the engine (read by glibc): each of its own would grow for hours before it is settled."""


def widen(pipe: object) -> None:
    """Let the reports of many seconds fit into a pipe, for a daemon that is busy; only Linux can."""
    with contextlib.suppress(ImportError, OSError, AttributeError, ValueError):  # the last: it is closed already
        import fcntl

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)  # type: ignore[attr-defined]


def _prepare(names: Sequence[str]) -> tuple[list[Prepared], list[Bring]]:
    from improviser.engine.loading import prepare  # which imports numpy, and the engine starts without waiting for it

    return prepare(names)


class EngineProcess:
    """One engine: `start` it, `begin` to play, `send` it commands, and `close` or `kill` it."""

    def __init__(self, process: asyncio.subprocess.Process, shared: SharedMemory) -> None:
        self._process = process
        self._shared = shared
        self._on_report: Callable[[AnyReport], None] = lambda _: None
        self._has_raised = False
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._tasks = [asyncio.create_task(self._read_reports()), asyncio.create_task(self._read_stderr())]
        self._swaps: asyncio.Queue[Swap | None] = asyncio.Queue()
        """What is to be prepared; None ends that."""
        self._preparing = asyncio.create_task(self._prepare_models())
        self._epoch = 0.0
        self._told = 0
        """How many reports came in."""
        self.ledger = Ledger(memoryview(shared.map)[:SIZE])
        self.said: deque[str] = deque(maxlen=KEPT_LINES)
        """The last lines of the engine's stderr, for the log if it dies."""

    @classmethod
    async def start(cls) -> Self:
        """Start an engine, which gets itself ready to be told what to open."""
        shared = SharedMemory(SIZE + HEARTBEAT.size)
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "improviser.engine", shared.argument),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env={**MEMORY, **os.environ},
                pass_fds=shared.inherited,
                **own_group(),
            )
        finally:
            shared.hand_over()
        return cls(process, shared)

    @classmethod
    async def open(cls, opening: Open, on_report: Callable[[AnyReport], None]) -> tuple[Self, Ready]:
        """Start an engine and wait until its ports are open; see `begin`."""
        engine = await cls.start()
        return engine, await engine.begin(opening, on_report)

    async def begin(
        self, opening: Open, on_report: Callable[[AnyReport], None], seconds: float = START_SECONDS
    ) -> Ready:
        """Open what is to be opened, and wait until it is; `on_report` gets all reports, and what it raises is logged.

        :raises ImproviserError: what the engine said it failed with, or EngineError if it said nothing in `seconds`.
        """
        self._on_report = on_report
        self._epoch = opening.epoch
        try:
            transport = self._process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]  # noqa: SLF001
            widen(transport.get_extra_info("pipe"))
            self.send(opening)
            return await within(seconds, self._ready)
        except BaseException as error:
            await self.leave()
            if isinstance(error, TimeoutError):
                late = f"the engine did not start within {seconds:g} s; {self.last_printed}"
                raise EngineError(late) from None
            raise

    async def leave(self) -> None:
        """End the process at once, and wait until it has ended."""
        self.kill()
        await self.ended()

    async def _read_reports(self) -> None:
        reader = FrameReader()
        stdout = self._process.stdout
        while stdout is not None and (data := await stdout.read(READ_BYTES)):
            try:
                for body in reader.feed(data):
                    self._take(decode_report(body))
            except (ValueError, msgspec.MsgspecError) as error:  # of the frames: what a listener raises stays there
                self._fail(EngineError(f"the engine's reports cannot be read: {error}"))
                self.kill()
                break
        await self._process.wait()
        self._fail(EngineError(f"the engine ended before it was ready; {self.last_printed}"))

    def _take(self, report: AnyReport) -> None:
        self._told += 1
        if isinstance(report, Ready) and not self._ready.done():
            self._ready.set_result(report)
        elif isinstance(report, Failed):
            self._fail(getattr(errors, report.kind, EngineError)(report.message))
        try:
            self._on_report(report)
        except Exception as error:  # whoever listens must not end the engine
            if not self._has_raised:
                log.warning("a report of the engine was not taken (%s: %s)", type(error).__name__, error)
            self._has_raised = True
            log.debug("the report was %r", report, exc_info=error)

    def _fail(self, error: Exception) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()  # seen here too: after a timeout nobody else will look

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (line := await stderr.readline()):
            if said := line.decode(errors="replace").rstrip():
                self.said.append(said)

    @property
    def last_printed(self) -> str:
        """What the engine last printed, in one line."""
        return f"it said: {self.said[-1]}" if self.said else "it said nothing"

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._process.pid

    @property
    def beats(self) -> int:
        """The engine's heartbeats so far; while it lives, this goes on rising."""
        (beats,) = HEARTBEAT.unpack_from(self._shared.map, SIZE)
        return int(beats)

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        return self._process.returncode is not None

    def send(self, command: Command) -> None:
        """Send a command; it waits in memory if it must, and is never dropped while the engine lives.

        The models of a swap are loaded first, and other commands go before it; if one cannot be, that is reported.
        """
        if isinstance(command, Swap):
            self._swaps.put_nowait(command)
        else:
            self._write(command)

    def _write(self, command: Command) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(frame(command))

    async def _prepare_models(self) -> None:
        while (swap := await self._swaps.get()) is not None and self._process.returncode is None:
            try:
                prepared, pieces = await asyncio.to_thread(_prepare, swap.models)
            except Exception as error:  # noqa: BLE001  of a file that anybody may have made
                now = time.perf_counter() - self._epoch
                self._take(Applied(MODEL, swap.models, str(error), now, request=swap.request))
            else:
                for command in (*pieces, msgspec.structs.replace(swap, prepared=prepared)):
                    self._write(command)

    async def ended(self) -> int:
        """Wait until the process has ended and all its reports are in; return its exit code."""
        code = await self._process.wait()
        self._swaps.put_nowait(None)  # a cancelled task would keep itself, and so what is open, until collected
        await asyncio.gather(*self._tasks)
        return code

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        """Let the engine end what sounds and leave; kill it if it does not. The ledger tells what it left sounding.

        It has ended what sounds long before it has told all that it played, if there is much of that.
        """
        self.send(Close())
        ending = asyncio.ensure_future(self.ended())
        silent = 0
        for _ in range(MOST_WAITS):
            before = self._told
            await asyncio.wait({ending}, timeout=WAIT_SECONDS)
            silent = 0 if self._told != before else silent + 1
            if ending.done() or silent == MOST_SILENT_WAITS:
                break
        if not ending.done():
            self.kill()
        await ending
