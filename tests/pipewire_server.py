"""A real PipeWire with WirePlumber for the tests: no display, no sound card, sockets in a folder of its own."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from improviser.ports.jack_choice import pipewire_library
from tests.servers import Server, missing, requires

NO_JACKD = "improviser-no-such-server"
DUMPS = 4
"""How often pw-dump is asked: it sometimes waits for ever for what is told of an object that has gone meanwhile."""


class Daemon(Server):
    """A daemon of PipeWire's; `kill` ends all that belongs to it, as a crash would."""

    def kill(self) -> None:
        """End it, and what it has started, as a crash would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        super().kill()


class PipeWireDaemon(Daemon):
    """The server itself."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        super().__init__([requires("pipewire")], folder / "pipewire.log", environment)

    def is_usable(self) -> bool:
        """Whether it takes connections and tells what there is."""
        return (self._folder / "pipewire-0").exists() and bool(dump(self.environment))


class WirePlumber(Daemon):
    """Its session manager."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        command = [requires("dbus-run-session"), "--", requires("wireplumber")]
        super().__init__(command, folder / "wireplumber.log", environment)

    def is_usable(self) -> bool:
        """Whether PipeWire knows it."""
        return any(name.startswith("WirePlumber") for name in names(self.environment, "Client"))


class PipeWire:
    """PipeWire and WirePlumber, which the test may kill and start again, each by itself.

    :param folder: where the sockets are; its path must be short.
    """

    def __init__(self, folder: Path, jackd: str = NO_JACKD) -> None:
        library = pipewire_library()
        if library is None:
            missing("PipeWire's libjack (pipewire-jack) is not installed")
        self.client_environment = {
            "XDG_RUNTIME_DIR": str(folder),
            "JACK_DEFAULT_SERVER": jackd,
            "JACK_NO_START_SERVER": "1",
        }
        self.peer_environment = {**self.client_environment, "LD_PRELOAD": str(library)}
        """For the tests' own clients through RtMidi, which brings a libjack of jackd's along."""
        self.server = PipeWireDaemon(folder, self.client_environment)
        self.manager = WirePlumber(folder, self.client_environment)

    def start(self) -> None:
        """Start both, and wait until clients are served."""
        self.server.start()
        self.manager.start()

    def kill(self) -> None:
        """End both as crashes would."""
        self.server.kill()
        self.manager.kill()

    def nodes(self) -> set[str]:
        """Return the names of all nodes of the graph: JACK's clients are nodes."""
        return names(self.client_environment, "Node")

    def set_quantum(self, frames: int) -> None:
        """Have the graph run in periods of so many frames."""
        command = [requires("pw-metadata"), "-n", "settings", "0", "clock.force-quantum", str(frames)]
        environment = {**os.environ, **self.client_environment}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=30)


def dump(environment: dict[str, str]) -> list[dict[str, Any]]:
    """Return all objects of the PipeWire that a client with this environment finds; none if there is no server."""
    for _ in range(DUMPS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            ran = subprocess.run(
                [requires("pw-dump")], env={**os.environ, **environment}, capture_output=True, check=False, timeout=10
            )
            break
    else:
        pytest.fail("pw-dump never ends")
    with contextlib.suppress(json.JSONDecodeError):
        objects: list[dict[str, Any]] = json.loads(ran.stdout)
        return objects
    return []


def names(environment: dict[str, str], kind: str) -> set[str]:
    """Return the names of all objects of a kind ("Node", "Client")."""
    found = set()
    for item in dump(environment):
        if item["type"].endswith(f":{kind}"):
            properties = (item.get("info") or {}).get("props") or {}
            found.add(str(properties.get("node.name") or properties.get("application.name")))
    return found


@contextlib.contextmanager
def running(pipewire: PipeWire) -> Iterator[PipeWire]:
    """Run PipeWire and WirePlumber while the block lasts."""
    try:
        pipewire.start()
        yield pipewire
    finally:
        pipewire.kill()


def wait_until_gone(pipewire: PipeWire, node: str, timeout: float = 20.0) -> None:
    """Wait until no node's name holds `node`."""
    deadline = time.monotonic() + timeout
    while left := [name for name in pipewire.nodes() if node in name]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
