"""`improviser play` as a process for the tests: start it, find its engine, signal it, and know what is left."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from improviser.core.echo.model import EchoModel
from improviser.core.echo.network import EchoNetwork, EchoShape
from improviser.engine import supervisor
from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import AnyReport, Change, Command
from improviser.library import model_file

PARTING_SECONDS = 3.0
PEDAL_DOWN, PEDAL_UP = (0xB0, 64, 127), (0xB0, 64, 0)


def note_on(pitch: int, velocity: int = 80, channel: int = 0) -> tuple[int, int, int]:
    """Return a raw note-on."""
    return 0x90 | channel, pitch, velocity


def note_off(pitch: int, channel: int = 0) -> tuple[int, int, int]:
    """Return a raw note-off."""
    return 0x80 | channel, pitch, 64


def virtual_ports(client: str, model: str) -> tuple[str, ...]:
    """Return options of `play`: ports of its own, and every note answered, the same way each time."""
    return (
        *("--name", client, "--model", model, "--seed", "1", "--follow", "every"),
        *("--input", "virtual", "--output", "virtual"),
    )


def write_small_model(path: Path) -> Path:
    """Write an echo model with random weights, which answers like any other."""
    shape = EchoShape((10, 20, 20, 1), "object")
    rng = np.random.default_rng(1)
    network = EchoNetwork(shape, tuple(rng.random(size) for size in ((10, 20), (20, 20), (20, 1))))
    settings, tensors = EchoModel("small", network).to_parts()
    model_file.write(path, model_file.ModelFile("echo", settings, tensors, {}))
    return path


class Player:
    """A running `improviser play`; ended, if need be by force, when the block ends.

    :param keys: whether it gets a terminal to read keys from (see `press`).
    """

    def __init__(self, environment: Mapping[str, str], log: Path, *options: str, keys: bool = False) -> None:
        self.log = log
        self._keyboard, terminal = os.openpty() if keys else (-1, subprocess.DEVNULL)
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "improviser", "play", *options],
                stdin=terminal,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        if keys:
            os.close(terminal)

    def press(self, keys: str) -> None:
        """Press keys on its terminal."""
        os.write(self._keyboard, keys.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A client of JACK's that is killed keeps its server from ending for five seconds.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(PARTING_SECONDS)
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if self._keyboard >= 0:
            os.close(self._keyboard)

    def family(self) -> list[int]:
        """Return the process ids of all that belongs to it and still lives (its session)."""
        listing = subprocess.run(
            ["ps", "-s", str(self.process.pid), "-o", "pid=,stat="], capture_output=True, check=False
        ).stdout.decode()
        return [int(line.split()[0]) for line in listing.splitlines() if "Z" not in line.split()[1]]

    @property
    def engine(self) -> int:
        """The process id of the engine."""
        (engine,) = [pid for pid in self.family() if pid != self.process.pid]
        return engine

    def said(self) -> str:
        """Return what it has printed so far."""
        return self.log.read_text()

    def wait_for(self, pattern: str, timeout: float = 60.0, count: int = 1) -> None:
        """Wait until it has printed `pattern` so many times."""
        deadline = time.monotonic() + timeout
        while len(re.findall(pattern, self.said())) < count:
            assert time.monotonic() < deadline, f"never said {pattern!r} {count} times:\n{self.said()}"
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.said()}"
            time.sleep(0.02)

    def leave(self, number: signal.Signals, timeout: float = 30.0) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def assert_gone(self, timeout: float = 10.0) -> None:
        """Assert that no process of it is left."""
        deadline = time.monotonic() + timeout
        while left := self.family():
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(0.02)


def bus_to(*takes: Callable[[AnyReport], None], events: Iterable[Callable[[SessionEvent], None]] = ()) -> Bus:
    """Return a bus that gives each of `takes` the engine's reports as they are, and each of `events` what they say."""
    bus = Bus()
    for number, take in enumerate(takes):
        bus.subscribe(f"reports {number}", partial(_take_report, take))
    for number, take_event in enumerate(events):
        bus.subscribe(f"events {number}", take_event)
    return bus


def _take_report(take: Callable[[AnyReport], None], event: SessionEvent) -> None:
    take(event.report)


def kill_engines_asked_for(parameter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every engine die when it is asked to change `parameter`."""

    class Frail(EngineProcess):
        def send(self, command: Command) -> None:
            if isinstance(command, Change) and command.parameter == parameter:
                self.kill()
            else:
                super().send(command)

    monkeypatch.setattr(supervisor, "EngineProcess", Frail)
