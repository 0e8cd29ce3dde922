"""On a system without what only Unix has (see `sitecustomize`), one plays, asks, steers and stops as ever."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from improviser import termination
from improviser.engine.priority import HIGH_PRIORITY_CLASS, go_first
from improviser.engine.timer import fine_timer
from improviser.remote.selector_thread import run_in_selector_thread, watches_sockets
from improviser.signals import CODES, own_group, pass_over_interrupts
from tests.mqtt_peer import Peer
from tests.playing import write_small_model
from tests.portable.sitecustomize import KEYBOARD, PLAYED, SYNTHESISER, TUNE, ProactorLike
from tests.servers import EmbeddedBroker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it shows what is elsewhere, and this is there")
HERE = Path(__file__).parent
LOOK = """
import json, sys
from improviser import locks, pipes, ports
from improviser.engine import shared_memory
from improviser.remote import instance
from improviser.session import keypresses
from improviser.ports.jack_library import find_jack
print(json.dumps({
    "sockets": instance.HAS_UNIX_SOCKETS, "flock": locks.HAS_FLOCK, "termios": keypresses.HAS_TERMIOS,
    "set_blocking": hasattr(pipes.os, "set_blocking"), "memfd": hasattr(shared_memory.os, "memfd_create"),
    "platform": shared_memory.os.name, "jack": not hasattr(find_jack(), "problem"),
}))
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process that is to see the other system."""
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder), **more}


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python there."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(folder),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def until(done: Callable[[], object], process: "subprocess.Popen[bytes]", seconds: float = 60.0) -> None:
    """Wait until something is so, while a process lives."""
    end = time.monotonic() + seconds
    while not done():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < end
        time.sleep(0.02)


class Playing:
    """`improviser play` there: its keyboard plays, its synthesiser writes down what it gets."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._played = folder / "played.txt"
        self.log = folder / "log.txt"
        write_small_model(folder / "small.safetensors")
        arguments = ("play", "--input", "keystation", "--output", "synth", "--model", "small.safetensors")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "improviser", *arguments, "--no-record", "--no-display", *options],
                env=environment(folder, **{PLAYED: str(self._played)}),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def played(self) -> list[bytes]:
        """What the synthesiser got."""
        return (
            [bytes.fromhex(line) for line in self._played.read_text("ascii").split()] if self._played.exists() else []
        )

    def sounding(self) -> set[tuple[int, int]]:
        """Return what still sounds there, by channel and pitch."""
        notes: set[tuple[int, int]] = set()
        for status, pitch, velocity in (message for message in self.played if len(message) == 3):
            key = (status & 0x0F, pitch)
            if status & 0xF0 == 0x90 and velocity:
                notes.add(key)
            elif status & 0xF0 in (0x80, 0x90):
                notes.discard(key)
        return notes

    def answered(self, notes: int) -> None:
        """Wait until so many notes were answered."""
        until(
            lambda: sum(message[0] & 0xF0 == 0x90 and message[2] > 0 for message in self.played) >= notes, self.process
        )


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Callable[..., Playing]]:
    """Begin to play; all that plays is ended with the test."""
    begun: list[Playing] = []

    def begin(*options: str) -> Playing:
        begun.append(Playing(tmp_path, *options))
        return begun[-1]

    yield begin
    for each in begun:
        each.process.kill()
        each.process.wait()


def test_the_other_system_lacks_what_it_should(tmp_path: Path) -> None:
    ran = run(tmp_path, "-c", LOOK)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        **dict.fromkeys(("sockets", "flock", "termios", "set_blocking", "memfd", "jack"), False),
        "platform": "nt",
    }


def test_ports_are_those_of_its_own_midi(tmp_path: Path) -> None:
    ran = run(tmp_path, "-m", "improviser", "ports", "--json")
    (report,) = json.loads(ran.stdout)
    assert (report["api"], report["inputs"], report["outputs"]) == ("winmm", [KEYBOARD], [SYNTHESISER])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_keyboard_is_answered_until_it_is_told_to_end_and_nothing_is_left(
    number: signal.Signals, code: int, played: Callable[..., Playing], tmp_path: Path
) -> None:
    playing = played()
    playing.answered(2 * len(TUNE))
    playing.process.send_signal(number)
    assert playing.process.wait(60) == code
    assert playing.sounding() == set()
    assert {path.name for path in tmp_path.iterdir()} - {
        "small.safetensors",
        "played.txt",
        "log.txt",
        "improviser",
    } == set()
    log = playing.log.read_text("utf-8")
    assert "Traceback" not in log, log


def test_an_engine_that_is_killed_is_replaced(played: Callable[..., Playing]) -> None:
    playing = played()
    playing.answered(3)
    engines = subprocess.run(
        ["ps", "--ppid", str(playing.process.pid), "-o", "pid="], capture_output=True, text=True, check=True
    )
    (engine,) = map(int, engines.stdout.split())
    before = len(playing.played)
    os.kill(engine, 9)
    until(lambda: len(playing.played) > before + 12, playing.process)
    playing.process.send_signal(signal.SIGINT)
    assert playing.process.wait(60) == 130
    assert playing.sounding() == set()


def test_status_asks_over_loopback(played: Callable[..., Playing], tmp_path: Path) -> None:
    playing = played("--name", "left hand")
    playing.answered(1)
    (address,) = tmp_path.rglob("*.port")
    assert stat.S_IMODE(address.stat().st_mode) == 0o600
    ran = run(tmp_path, "-m", "improviser", "status", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["connection"]["api"] == "winmm"
    playing.process.send_signal(signal.SIGINT)
    assert playing.process.wait(60) == 130
    assert not list(tmp_path.rglob("*.port"))
    assert "no session is running" in run(tmp_path, "-m", "improviser", "status").stderr


def test_it_is_steered_over_mqtt(played: Callable[..., Playing], tmp_path: Path) -> None:
    broker, base = EmbeddedBroker(tmp_path), "improviser/improviser"
    broker.start()
    try:
        playing = played("--mqtt", f"mqtt://{broker.host}:{broker.port}")
        with Peer(broker, f"{base}/#", version=MQTTProtocolVersion.MQTTv311) as peer:
            peer.wait_for(f"{base}/status", lambda heard: heard.payload == b"online")
            playing.answered(1)
            peer.publish(f"{base}/set/temperature", "1.5")
            (reply,) = peer.wait_for(f"{base}/reply")
            assert (reply.json["ok"], reply.json["value"]) == (True, 1.5)
            playing.process.send_signal(signal.SIGINT)
            assert playing.process.wait(60) == 130
            peer.wait_for(f"{base}/status", lambda heard: heard.payload == b"offline")
        assert "Traceback" not in playing.log.read_text("utf-8")
    finally:
        broker.kill()


class TestSelectorThread:
    """The thread for what watches sockets."""

    @staticmethod
    def on_a_proactor(work: Callable[[], Any]) -> None:
        with asyncio.Runner(loop_factory=ProactorLike) as runner:
            runner.run(work())

    def test_it_watches_sockets_and_the_other_does_not(self) -> None:
        told: list[tuple[bool, str]] = []

        async def work() -> None:
            told.append((watches_sockets(asyncio.get_running_loop()), threading.current_thread().name))

        async def scene() -> None:
            assert not watches_sockets(asyncio.get_running_loop())
            await run_in_selector_thread(work, "there")

        self.on_a_proactor(scene)
        assert told == [(True, "there")]

    def test_what_it_raises_is_raised(self) -> None:
        async def work() -> None:
            raise LookupError("there is none")

        async def scene() -> None:
            with pytest.raises(LookupError, match="there is none"):
                await run_in_selector_thread(work, "there")

        self.on_a_proactor(scene)

    def test_when_it_is_cancelled_the_work_ends_first(self) -> None:
        said: list[str] = []

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
                said.append("goodbye")

        async def scene() -> None:
            task = asyncio.ensure_future(run_in_selector_thread(work, "there"))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert said == ["goodbye"]

        self.on_a_proactor(scene)


class TestWindows:
    """What Windows alone has, by stand-ins for its libraries."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
        """Return what Windows is asked for."""
        asked: list[tuple[object, ...]] = []

        def note(name: str, answer: int) -> Callable[..., int]:
            def answer_it(*given: object) -> int:
                asked.append((name, *(getattr(each, "value", each) for each in given)))
                return answer

            return answer_it

        names = ("timeBeginPeriod", "timeEndPeriod")
        winmm = SimpleNamespace(**{name: note(name, 0) for name in names})
        kernel = SimpleNamespace(
            SetPriorityClass=note("SetPriorityClass", 1), GetCurrentProcess=note("GetCurrentProcess", -1)
        )
        monkeypatch.setattr("ctypes.windll", SimpleNamespace(winmm=winmm, kernel32=kernel), raising=False)
        return asked

    def test_the_timer_is_fine_for_as_long_as_it_is_needed(self, asked: list[tuple[object, ...]]) -> None:
        with fine_timer():
            assert asked == [("timeBeginPeriod", 1)]
        assert asked == [("timeBeginPeriod", 1), ("timeEndPeriod", 1)]

    def test_a_timer_that_is_refused_is_not_given_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        winmm = SimpleNamespace(timeBeginPeriod=lambda _: 97)  # and no other: it would be an error to call it
        monkeypatch.setattr("ctypes.windll", SimpleNamespace(winmm=winmm), raising=False)
        with fine_timer():
            pass

    def test_the_engine_goes_first(self, asked: list[tuple[object, ...]]) -> None:
        go_first()
        assert asked[-1] == ("SetPriorityClass", (1 << 64) - 1, HIGH_PRIORITY_CLASS)

    def test_control_c_is_for_the_daemon_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
        assert own_group() == {"creationflags": 0x200}
        monkeypatch.delattr(subprocess, "CREATE_NEW_PROCESS_GROUP")
        assert own_group() == {"process_group": 0}

    def test_control_break_ends_the_daemon_and_nothing_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        handlers: dict[int, object] = {}
        monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
        monkeypatch.setattr(signal, "signal", handlers.__setitem__)
        pass_over_interrupts()
        assert handlers[21] == signal.SIG_IGN
        termination.listen()
        assert handlers[21] is handlers[signal.SIGTERM] is termination.leave
        assert CODES["SIGBREAK"] == CODES["SIGTERM"] == 0
