"""On Windows one plays without a keyboard, asks and stops; what dies is replaced, and nothing is left behind."""

import contextlib
import ctypes
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from improviser.errors import OutputError
from improviser.files import check_writable, write_atomically
from improviser.library import model_file
from tests.melodies import TUNE, write_melody
from tests.playing import write_small_model
from tests.processes import freeze, kill
from tests.servers import free_port

psutil: Any = pytest.importorskip("psutil", reason="the extra cluster brings psutil")
pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="it is Windows' alone")
WAIT_SECONDS = 90.0
PAGE = "the page: "


def in_wine() -> bool:
    """Return whether this is no Windows, but Wine."""
    windows: Any = ctypes.windll  # type: ignore[attr-defined, unused-ignore]
    return hasattr(windows.ntdll, "wine_get_version")


class Program:
    """A running `improviser`, in a process group and a folder of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log = folder / f"log-{time.monotonic_ns()}.txt"
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "improviser", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                creationflags=flags,
            )

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self._log.read_bytes().decode("utf-8", "replace")

    @property
    def engine(self) -> Any:
        """The engine that plays; there may be another that gets itself ready."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return next(process for process in below if "improviser.engine" in process.cmdline())

    def until(self, done: Callable[[], object]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + WAIT_SECONDS
        while not done():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.1)

    def ended(self) -> int:
        """Wait until it has ended; return its exit code."""
        return self.process.wait(WAIT_SECONDS)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start the program, as often as wanted; what runs is ended with the test."""
    begun: list[Program] = []

    def start(*arguments: str) -> Program:
        begun.append(Program(tmp_path, *arguments))
        return begun[-1]

    yield start
    for program in begun:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(program.process.pid).children(recursive=True):
                process.kill()
        program.process.kill()
        program.process.wait()


def test_a_file_is_played_and_replayed(begin: Callable[..., Program], tmp_path: Path) -> None:
    write_melody(tmp_path / "tune é.mid", TUNE)
    write_small_model(tmp_path / "small.safetensors")
    playing = begin(
        *("play", "--input", "tune é.mid", "--model", "small.safetensors", "--record", "my takes", "--no-display")
    )
    assert playing.ended() == 0, playing.said
    (log,) = (tmp_path / "my takes").glob("*.jsonl")
    assert f'improviser report "{log.with_suffix(".mid").relative_to(tmp_path)}"' in playing.said
    again = begin("replay", str(log))
    assert again.ended() == 0, again.said


def test_a_session_of_the_page_is_asked_and_its_engine_replaced(begin: Callable[..., Program], tmp_path: Path) -> None:
    playing = begin("play", "--web", str(free_port()), "--name", "Left Hand", "--no-record", "--no-display")
    playing.until(lambda: "end with Ctrl-C" in playing.said)
    address = playing.said.partition(PAGE)[2].split()[0]
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  our own
        assert b"<html" in answer.read()
    state = begin("status")
    assert state.ended() == 0
    assert "Left Hand plays on winmm" in state.said
    second = begin("play", "--web", str(free_port()), "--name", "Left Hand", "--no-record", "--no-display")
    assert second.ended() == 2
    assert f"Left Hand plays already (process {playing.process.pid})" in second.said
    for number, end in enumerate((kill, freeze), start=1):
        engine = playing.engine
        end(engine.pid)
        playing.until(lambda number=number: playing.said.count("playing again") == number)  # type: ignore[misc]
        assert not engine.is_running()
    engine = playing.engine
    kill(playing.process.pid)
    engine.wait(WAIT_SECONDS)
    asked = begin("status")
    assert asked.ended() == 1
    assert "no session is running" in asked.said


@pytest.mark.skipif(sys.platform == "win32" and not in_wine(), reason="the devices are those of `winmm.c`")
def test_a_keyboard_is_answered_and_what_a_dead_engine_held_is_released(
    begin: Callable[..., Program], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = tmp_path / "played.txt"
    monkeypatch.setenv("PLAYED_FILE", str(played))
    write_small_model(tmp_path / "small.safetensors")
    listed = begin("ports")
    assert listed.ended() == 0
    assert {"Keystation 0", "Microsoft GS Wavetable Synth 0"} <= {line.strip() for line in listed.said.splitlines()}
    playing = begin("play", "--model", "small.safetensors", "--no-record", "--no-display")

    def messages() -> list[bytes]:
        return [bytes.fromhex(line) for line in played.read_text("ascii").split()] if played.exists() else []

    def sounding() -> set[int]:
        notes: set[int] = set()
        for status, pitch, velocity in messages():
            if status & 0xF0 == 0x90 and velocity:
                notes.add(pitch)
            elif status & 0xF0 in (0x80, 0x90):
                notes.discard(pitch)
        return notes

    playing.until(lambda: len(messages()) > 16)
    assert "hears Keystation 0, plays to Microsoft GS Wavetable Synth 0" in playing.said
    assert len(sounding()) <= 1
    playing.until(sounding)
    before = len(messages())
    kill(playing.engine.pid)
    playing.until(lambda: "playing again" in playing.said)
    playing.until(lambda: len(messages()) > before + 40)
    assert len(sounding()) <= 1


@pytest.mark.skipif(sys.platform == "win32" and in_wine(), reason="Wine knows no Ctrl-Break")
def test_control_break_ends_a_session(begin: Callable[..., Program]) -> None:
    playing = begin("play", "--web", str(free_port()), "--no-record", "--no-display")
    playing.until(lambda: "end with Ctrl-C" in playing.said)
    playing.process.send_signal(signal.CTRL_BREAK_EVENT)  # type: ignore[attr-defined, unused-ignore]
    assert playing.ended() == 0


def test_files_that_are_open_or_read_only_stay_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path = write_small_model(tmp_path / "small.safetensors")
    before = path.read_bytes()
    with path.open("rb"), pytest.raises(OutputError, match=r"small\.safetensors"):
        write_atomically(path, b"new")
    path.chmod(stat.S_IREAD)
    with pytest.raises(OutputError, match="is read-only"):
        check_writable(path)
    path.chmod(stat.S_IREAD | stat.S_IWRITE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    held = model_file.read(path)
    write_atomically(path, before)  # who has read a model keeps nothing open
    assert held.task == "echo"


@pytest.mark.parametrize("name", ["CON", "nul.mid", "a?.mid", "a<b.mid", "take:1.mid", "a" * 256])
def test_names_that_windows_does_not_take_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_atomically(tmp_path / name, b"")
    assert list(tmp_path.iterdir()) == []


def test_deep_folders_and_long_names_are_taken(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a long way down to the songs"] * 3)
    folder.mkdir(parents=True)
    path = folder / "take 1.mid"
    write_atomically(path, b"data")
    assert path.read_bytes() == b"data"
