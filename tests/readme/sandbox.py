"""A new user's machine: a home and a folder of its own, a shell, and the parts that a block of the README needs."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.core.echo.original import recorded
from tests.jack_peer import JackPeer
from tests.melodies import TUNE, write_melody
from tests.mqtt_peer import Peer
from tests.servers import SHARED_NAMES as JACK_NAMES
from tests.servers import Broker, JackServer, claimed, missing, requires
from tests.terminals import terminal

PATIENCE_SECONDS = 30.0
PARTS_ON_JACK = {"jack", "port", "fluidsynth", "ardour", "playing"}
"""The parts that start a JACK server."""

# `broker.local` is the test's broker: a machine of that name is the one part that no computer has.
NAMES = """
import os, socket
ask = socket.getaddrinfo
def answer(host, port, *rest, **more):
    if host in ("broker.local", b"broker.local"):
        host, port = "127.0.0.1", int(os.environ["BROKER_AT_%s" % port])
    return ask(host, port, *rest, **more)
socket.getaddrinfo = answer
"""
# A systemd of a few lines: it starts what the unit says.
SYSTEMCTL = """#!/bin/sh
[ "$2" = enable ] || exit 0
. /dev/stdin <<UNIT
$(sed -n 's/^ExecStart=\\(.*\\)/exec \\1 >unit.log 2>\\&1 \\&/p' "$XDG_CONFIG_HOME/systemd/user/$4.service")
UNIT
until grep -q "playing on" unit.log; do sleep 0.1; done  # as systemd waits for what a service of its kind tells it
"""
# What Ardour shows to JACK of two MIDI tracks.
ARDOUR = """
import jack, sys
client = jack.Client("ardour", no_start_server=True)
client.midi_outports.register("Keyboard/midi_out 1")
client.midi_inports.register("Answers/midi_in 1")
client.set_process_callback(lambda frames: None)
client.activate()
print("ready", flush=True)
sys.stdin.read()
client.close()
"""


class Sandbox:
    """A shell in a folder of its own; each part is there once its method was called. `close` ends all that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "here"
        self.folder.mkdir()
        self.home, self.programs = folder / "home", folder / "programs"
        self.environment = {**os.environ, "HOME": str(self.home), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(folder)}
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            place = self.home / name.lower()
            place.mkdir(parents=True, mode=0o700)
            self.environment[f"XDG_{name}_HOME"] = str(place)
        self.programs.mkdir()
        own = [str(self.programs), str(Path(sys.executable).parent)]
        self.environment["PATH"] = os.pathsep.join([*own, os.environ["PATH"], "/usr/sbin"])
        (folder / "sitecustomize.py").write_text(NAMES)
        self._ends = contextlib.ExitStack()
        # The name of a socket has 107 bytes at most; the tests' own folders may be too deep for that.
        self.environment["XDG_RUNTIME_DIR"] = self._ends.enter_context(tempfile.TemporaryDirectory(prefix="run-"))
        self._server: JackServer | None = None
        self._broker: Broker | None = None

    def close(self) -> None:
        """End all that runs."""
        self._ends.close()

    # The shell.

    def run(self, line: str, *, keys: bytes = b"", until: str = "", code: int = 0) -> str:
        """Type a line; return what it prints.

        :param keys: what is typed next, on a terminal.
        :param until: where it would go on, what it must say first; then comes a Ctrl-C, if its `code` is that of one.
        """
        log = self.folder.parent / f"said-{len(list(self.folder.parent.glob('said-*')))}"
        with log.open("wb") as output, contextlib.ExitStack() as ends:
            ours, theirs = ends.enter_context(terminal()) if keys else (0, subprocess.DEVNULL)
            # In a shell that is interactive, the jobs of each line would have a group of their own, which Ctrl-C ends.
            shell = subprocess.Popen(
                ["bash", "-c", line], cwd=self.folder, env=self.environment, start_new_session=True,
                stdin=theirs, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            self._ends.callback(_end, shell)
            if until:
                self.wait_until(lambda: re.search(until, log.read_text("utf-8", "replace"), re.DOTALL), line, log)
                if keys:
                    os.write(ours, keys)
                elif code:
                    os.killpg(shell.pid, signal.SIGINT)
                else:
                    return log.read_text("utf-8", "replace")
            self.wait_until(lambda: shell.poll() is not None, line, log)
            assert shell.returncode == code, f"{line}\n{log.read_text('utf-8', 'replace')}"
        return log.read_text("utf-8", "replace")

    def wait_until(self, come: Callable[[], object], what: str, log: Path | None = None) -> None:
        """Wait until `come` says that it has."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not come():
            said = log.read_text("utf-8", "replace") if log is not None else ""
            assert time.monotonic() < deadline, f"{what}: it has not come\n{said}"
            time.sleep(0.05)

    # The parts.

    def add(self, part: str) -> None:
        """Put a part into place: the name of a method below, and what it takes."""
        what, _, which = part.partition(" ")
        getattr(self, what)(*[which] if which else [])

    def jack(self) -> JackServer:
        """A JACK server, without which a machine of our own cannot have ports."""
        if self._server is None:
            if sys.platform != "linux":
                missing("JACK is tested on Linux")
            requires("jackd")
            self._server = JackServer(self._ends.enter_context(claimed(JACK_NAMES)), self.folder.parent)
            self.environment |= self._server.client_environment
            self._server.start()
            self._ends.callback(self._server.close)
        return self._server

    def port(self, name: str) -> JackPeer:
        """A MIDI device's two ports, by another JACK client of that name."""
        peer = JackPeer(self.jack().client_environment, name)
        self._ends.callback(peer.close)
        return peer

    def songs(self) -> None:
        """A folder of tunes."""
        (self.folder / "songs").mkdir()
        for number in range(3):
            write_melody(self.folder / "songs" / f"tune {number}.mid")

    def web(self) -> None:
        """The extra that serves the page."""
        if importlib.util.find_spec("aiohttp") is None:
            missing("aiohttp is not installed: uv sync --extra web")

    def fluidsynth(self) -> None:
        """FluidSynth on JACK, and the SoundFont where the README says that it is."""
        self.jack()
        requires("fluidsynth")
        if not Path("/usr/share/sounds/sf2/TimGM6mb.sf2").exists():
            missing("this system keeps its SoundFont elsewhere")

    def ardour(self) -> None:
        """The ports of Ardour's two tracks (`test_daw` has the real one)."""
        self.jack()
        requires("jack_connect")
        program = subprocess.Popen(
            [sys.executable, "-c", ARDOUR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment
        )
        self._ends.callback(program.communicate)
        assert program.stdout is not None
        assert b"ready" in iter(lambda: program.stdout.readline().strip(), b"")  # type: ignore[union-attr]

    def broker(self) -> Broker:
        """A mosquitto, which clients of the shell find by themselves, and all others as `broker.local`."""
        requires("mosquitto_pub")
        self._broker = broker = Broker(self.folder.parent)
        broker.start()
        self._ends.callback(broker.stop)
        for client in ("mosquitto_pub", "mosquitto_sub"):
            (self.home / "config" / client).write_text(f"-h {broker.host}\n-p {broker.port}\n")
        self.environment["BROKER_AT_1883"] = str(broker.port)
        return broker

    def subscribed(self, *topics: str) -> Peer:
        """A client of the broker that hears `topics`."""
        assert self._broker is not None
        return self._ends.enter_context(Peer(self._broker, *topics))

    def locked_broker(self) -> Broker:
        """A mosquitto behind TLS and a password: that of `user` is the README's, `…`."""
        folder = self.folder.parent
        password = folder / "password"
        password.touch(mode=0o600)
        authority = _authority(folder)
        commands = [[requires("mosquitto_passwd"), "-b", str(password), "user", "…"], *authority]
        for command in commands:
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        files = {"certfile": "server.crt", "keyfile": "server.key", "password_file": "password"}
        broker = Broker(folder, *(f"{key} {folder / name}" for key, name in files.items()))
        text = Path(broker.command[-1]).read_text().replace("allow_anonymous true", "allow_anonymous false")
        Path(broker.command[-1]).write_text(f"user root\n{text}" if os.geteuid() == 0 else text)
        broker.start()
        self._ends.callback(broker.stop)
        self.environment |= {"BROKER_AT_8883": str(broker.port), "IMPROVISER_MQTT_CA_FILE": str(folder / "ca.crt")}
        return broker

    def systemd(self) -> None:
        """A `systemctl` that starts what a unit says, where there is no systemd to try it on."""
        (self.programs / "systemctl").write_text(SYSTEMCTL)
        (self.programs / "systemctl").chmod(0o755)

    def file(self, name: str) -> None:
        """A file that the README speaks of."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".mid":
            write_melody(path, TUNE * 3)
        else:
            path.write_text(json.dumps([echo.layers() for echo in recorded()]))

    def log(self, name: str) -> None:
        """A session's log, of a session that was played."""
        write_melody(self.folder / "played.mid", TUNE[:8])
        self.run("improviser play --input played.mid --record kept --no-display")
        (log,) = (self.folder / "kept").glob("*.jsonl")
        shutil.copy(log, self.folder / name)

    def chorales(self) -> None:
        """The chorales, read beforehand: four of them, again and again, since all take two minutes."""
        pytest.importorskip("music21")
        from music21 import corpus

        from improviser.training import chorales

        some = [chorales._parse_score(corpus, f"bwv{number}") for number in range(253, 257)]
        count = chorales.LAST_BWV - chorales.FIRST_BWV + 1
        scores = [some[index % len(some)] for index in range(count)]
        cache = chorales._Cache(chorales.CACHE_VERSION, "some", scores)
        folder = self.home / "cache" / "improviser"
        folder.mkdir(parents=True)
        (folder / "bach-chorales.json").write_bytes(msgspec.json.encode(cache))

    def playing(self, options: str = "") -> None:
        """A session that plays, in another terminal; over MQTT, if a broker is there."""
        self.jack()
        mqtt = ("--mqtt mqtt://broker.local", "connected to") if self._broker is not None else ("", "")
        self.run(f"improviser play {mqtt[0]} {options}", until=f"playing on jack.*{mqtt[1]}|{mqtt[1]}.*playing on jack")


def _authority(folder: Path) -> list[list[str]]:
    """Return the commands that make `broker.local` a certificate, and an authority that vouches for it."""
    openssl = requires("openssl")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    (folder / "names").write_text("subjectAltName=DNS:broker.local\n")
    return [
        [
            openssl,
            "req",
            "-x509",
            *curve,
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
            "-days",
            "2",
            "-subj",
            "/CN=authority",
        ],
        [openssl, "req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker.local"],
        [
            *[openssl, "x509", "-req", "-in", "server.csr", "-out", "server.crt", "-CA", "ca.crt", "-CAkey", "ca.key"],
            *["-CAcreateserial", "-days", "2", "-extfile", "names"],
        ],
    ]


def _end(shell: "subprocess.Popen[bytes]") -> None:
    """End a line's programs: kindly, and then by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                shell.wait(10)
