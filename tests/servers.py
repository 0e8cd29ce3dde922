"""Real servers for the tests: JACK with its dummy driver, mosquitto and FluidSynth, started and stopped cleanly."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

# A JACK server keeps at most eight names, and one that was killed keeps its name: so few names, always the same.
# Two of each, so that two test runs on one machine do not wait for each other.
SHARED_NAMES = ("improviser-test", "improviser-test-b")
FAULT_NAMES = ("improviser-fault", "improviser-fault-b")
SOUND_FONTS = (
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/soundfonts/default.sf2",
)
HAS_RTMIDI_ON_JACK = importlib.util.find_spec("rtmidi") is not None
needs_rtmidi_on_jack = pytest.mark.skipif(
    not HAS_RTMIDI_ON_JACK, reason="RtMidi is on JACK by python-rtmidi, which has no wheels for this Python"
)
LOG_TAIL = 2000
"""How much a test that fails shows of a server's log, in characters."""
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def missing(reason: str) -> NoReturn:
    """Skip the test that needs what is missing; where all must be there (continuous integration on Linux), fail it."""
    required = os.environ.get("IMPROVISER_REQUIRE_SERVERS") or (os.environ.get("CI") and sys.platform == "linux")
    if required:
        pytest.fail(f"{reason}, and here every server is required", pytrace=False)
    pytest.skip(reason)


def requires(binary: str) -> str:
    """Return the path of `binary`; without it, skip the test (or fail it: see `missing`)."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    found = shutil.which(binary, path=path)
    if found is None:
        missing(f"{binary} is not installed")
    return found


def sound_font() -> Path:
    """Return a General MIDI SoundFont of this machine; without one, skip or fail like `requires`."""
    for name in SOUND_FONTS:
        if Path(name).is_file():
            return Path(name)
    missing("no General MIDI SoundFont is installed")


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def claimed(names: tuple[str, ...], timeout: float = 60.0) -> Iterator[str]:
    """Keep one of `names` from every other test run on this machine, until the end or the death of this one."""
    deadline = time.monotonic() + timeout
    while True:
        for name in names:
            # A name in Linux's abstract socket space is a lock that leaves no file and that no crash can leave locked.
            lock = socket.socket(socket.AF_UNIX)
            try:
                lock.bind(f"\0{name}.lock")
            except OSError:
                lock.close()
                continue
            with lock:
                yield name
                return
        if time.monotonic() > deadline:
            pytest.fail(f"other test runs have held the JACK servers {', '.join(names)} for {timeout:.0f} s")
        time.sleep(0.1)


class Server:
    """A server process that belongs to the tests; its output is kept in a log."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = command
        self.log = log
        self.environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None, f"{self.command[0]} is not running"
        return self.process.pid

    def is_running(self) -> bool:
        """Whether the process exists."""
        return self.process is not None and self.process.poll() is None

    def is_usable(self) -> bool:
        """Whether clients are served."""
        raise NotImplementedError

    def start(self, timeout: float = 20.0) -> None:
        """Start it and wait until clients are served."""
        assert not self.is_running(), f"{self.command[0]} runs already"
        with self.log.open("ab") as log:
            # Python ignores SIGPIPE; with `restore_signals=False` the child does too: jackd dies of it otherwise
            # when one of its clients is killed.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.environment,
                restore_signals=False,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while not self.is_usable():
            if not self.is_running() or time.monotonic() > deadline:
                self.kill()
                said = self.log.read_text(errors="replace")[-LOG_TAIL:]
                pytest.fail(f"{' '.join(self.command)} did not start:\n{said}")
            time.sleep(0.02)

    def stop(self, timeout: float = 20.0) -> None:
        """End it cleanly, and make sure that it ended."""
        if self.process is None:
            return
        self._ask_to_leave()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"{self.command[0]} did not end within {timeout} s of SIGTERM")
        self._forget()

    def kill(self) -> None:
        """End it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._forget()

    def freeze(self) -> None:
        """Stop it without ending it."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start it again, whether it was stopped, killed or still runs."""
        self.stop()
        self.start()

    def _ask_to_leave(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


class JackServer(Server):
    """A JACK server with the dummy driver: 48 kHz, periods of 64 frames (1.33 ms) or as many as asked for, no device.

    It is synchronous: no event is lost when a period is late. But a killed client then holds up everyone's events for
    five seconds or more. With `synchronous=False` it does not, though events of the first second may get lost if the
    client was killed in the middle of a period.
    """

    period_seconds = 64 / 48_000

    def __init__(
        self, name: str, folder: Path, *, synchronous: bool = True, frames: int = 64, real_time: bool = False
    ) -> None:
        self.name = name
        # The first -p is the most ports there may be: with the 2,048 that JACK plans for, it takes 107 MB at once.
        mode = ["-S"] if synchronous else []
        priority = "-R" if real_time else "-r"
        arguments = ["-n", name, priority, "-p", "64", *mode, "-d", "dummy", "-r", "48000", "-p", str(frames)]
        self.lister = requires("jack_lsp")
        super().__init__([requires("jackd"), *arguments], folder / f"{name}.log", self.client_environment)

    def start(self, timeout: float = 20.0) -> None:
        """Start it and wait until clients are served; not by another of this name, which a test run has left."""
        if not self.is_running() and self.is_usable():
            pytest.fail(f"a JACK server {self.name} runs already, and is none of ours: end it")
        super().start(timeout)

    @property
    def client_environment(self) -> dict[str, str]:
        """What a client's environment holds so that it finds this server and never starts another."""
        return {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}

    def is_usable(self) -> bool:
        """Whether a client can open and list ports."""
        return self.list_ports() is not None

    def list_ports(self) -> list[str] | None:
        """Return the names of all ports, or None if the server does not answer."""
        listing = subprocess.run(
            [self.lister, "-s", self.name], capture_output=True, env=self.environment, timeout=30, check=False
        )
        return listing.stdout.decode().split("\n")[:-1] if listing.returncode == 0 else None

    def wait_for_port(self, text: str, timeout: float = 30.0) -> str:
        """Return the first port whose name holds `text`, as soon as there is one; on a busy machine that takes time."""
        deadline = time.monotonic() + timeout
        while True:
            ports = self.list_ports() or []
            for port in ports:
                if text in port:
                    return port
            if time.monotonic() > deadline:
                raise TimeoutError(f"no JACK port with “{text}” within {timeout} s; there are: {', '.join(ports)}")
            time.sleep(0.05)  # each look is a client, for which the server stops for a moment

    @contextlib.contextmanager
    def recorded(self, path: Path, seconds: float, *ports: str) -> Iterator[None]:
        """Write what the audio `ports` play to a WAV file (16-bit); the block's end waits for the last second of it."""
        command = [requires("jack_rec"), "-f", str(path), "-d", str(seconds), "-b", "16", *ports]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment
        ) as process:
            try:
                self.wait_for_port("jackrec:input1")
                yield
                process.wait(seconds + 10)
            finally:
                process.kill()

    def close(self) -> None:
        """End it and give its name back: a killed server's name is only given back by a clean end."""
        if not self.is_running():
            self.kill()
            self.start()
        self.stop()


class Broker(Server):
    """A mosquitto that listens on a loopback port of its own; anyone may connect, nothing is kept on disk."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, *extra: str) -> None:
        self.port = free_port()
        lines = [f"listener {self.port} {self.host}", "allow_anonymous true", "persistence false", *extra]
        configuration = folder / f"mosquitto-{self.port}.conf"
        configuration.write_text("\n".join(lines) + "\n")
        super().__init__([requires("mosquitto"), "-c", str(configuration)], configuration.with_suffix(".log"))

    def is_usable(self) -> bool:
        """Whether it takes a connection."""
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
            return True
        return False


class EmbeddedBroker(Server):
    """A broker in Python, where no mosquitto is installed; MQTT 3.1.1 only."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("amqtt")
        self.port = free_port()
        command = [sys.executable, "-m", "tests.embedded_broker", str(self.port)]
        super().__init__(command, folder / f"amqtt-{self.port}.log", {"PYTHONPATH": str(Path(__file__).parents[1])})

    def is_usable(self) -> bool:
        """Whether it takes a connection."""
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
            return True
        return False


class FluidSynth(Server):
    """A FluidSynth on a JACK server: what is sent to its port `midi` sounds at its ports `left` and `right`."""

    def __init__(self, jack: JackServer, folder: Path) -> None:
        self.jack = jack
        self.name = f"improviser-synth-{os.getpid()}"
        options = {
            "audio.jack.id": self.name,
            "midi.jack.id": self.name,
            "audio.jack.server": jack.name,
            "midi.jack.server": jack.name,
            "synth.sample-rate": 48_000,
            "synth.gain": 1,
            "synth.reverb.active": 0,
            "synth.chorus.active": 0,
        }
        settings = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        command = [requires("fluidsynth"), "-a", "jack", "-m", "jack", *settings, str(sound_font())]
        super().__init__(command, folder / "fluidsynth.log", jack.client_environment)

    @property
    def midi(self) -> str:
        """The JACK port that it listens on."""
        return f"{self.name}:midi_00"

    @property
    def left(self) -> str:
        """The JACK port that its left channel comes from."""
        return f"{self.name}:left"

    @property
    def right(self) -> str:
        """The JACK port that its right channel comes from."""
        return f"{self.name}:right"

    def is_usable(self) -> bool:
        """Whether its ports are there."""
        return {self.midi, self.left, self.right} <= set(self.jack.list_ports() or [])

    def ask(self, line: str) -> str:
        """Give its shell one line (`get synth.polyphony`, say) and return what it says within a fifth of a second."""
        assert self.process is not None
        assert self.process.stdin is not None
        start = self.log.stat().st_size
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        time.sleep(0.2)
        return self.log.read_bytes()[start:].decode(errors="replace")

    def _ask_to_leave(self) -> None:
        # SIGTERM ends it like a crash, and a crashed client holds up a synchronous JACK server for seconds.
        with contextlib.suppress(OSError):
            self.ask("quit")


@contextlib.contextmanager
def jack_for_a_benchmark() -> Iterator[tuple[JackServer, Path]]:
    """Yield a running JACK server and a folder for what is written beside it; neither is left afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        server = JackServer("improviser-bench", Path(folder))
        server.start()
        try:
            yield server, Path(folder)
        finally:
            server.close()


@contextlib.contextmanager
def polled(server: JackServer) -> Iterator[None]:
    """Have clients of `server` come and go, as a script that lists its ports again and again."""
    ended = threading.Event()

    def poll() -> None:
        command = [server.lister, "-s", server.name]
        while not ended.is_set():
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
