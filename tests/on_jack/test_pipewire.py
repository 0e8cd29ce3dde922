"""`improviser` on a real PipeWire, without a display or a sound card, and without `pw-jack`."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from improviser.ports.jack_choice import pipewire_library
from tests.servers import Server, missing, requires


class PipeWire(Server):
    """A PipeWire with its session manager, on sockets in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {"XDG_RUNTIME_DIR": str(folder), "JACK_DEFAULT_SERVER": "improviser-no-such-server"}
        script = f"{requires('pipewire')} & exec {requires('dbus-run-session')} {requires('wireplumber')}"
        super().__init__([requires("sh"), "-c", script], folder / "pipewire.log", environment)

    def is_usable(self) -> bool:
        """Whether JACK's programs find a graph that runs."""
        return (self.folder / "pipewire-0").exists()


@pytest.fixture
def pipewire() -> Iterator[Mapping[str, str]]:
    """The environment of programs on a PipeWire that runs."""
    if pipewire_library() is None:
        missing("PipeWire's libjack (pipewire-jack) is not installed")
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        server = PipeWire(Path(folder))
        server.start()
        try:
            yield server.environment
        finally:
            subprocess.run(["pkill", "-KILL", "-s", str(server.pid)], check=False)
            server.kill()


def improviser(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "improviser", *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_notes_are_answered_on_pipewire_and_it_says_whose_jack_it_is(pipewire: Mapping[str, str]) -> None:
    deadline = time.monotonic() + 20
    while "JACK (PipeWire) (--api jack)" not in (listing := improviser(pipewire, "ports")):
        assert time.monotonic() < deadline, listing
    measured = json.loads(improviser(pipewire, "latency", "--api", "jack", "--notes", "20", "--gap", "60", "--json"))
    assert measured["api"] == "jack"
    assert measured["lost"] == 0
    assert measured["wire_us"]["p50"] > 0
