"""`improviser play --record`: whatever ends it, the session is there, and is played again note for note."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mido
import pytest
from typer.testing import CliRunner

from improviser.cli import app
from improviser.recordings.log import read
from tests.melodies import TUNE, write_melody
from tests.playing import Player
from tests.terminals import colourful, read_until, terminal

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it is killed as Unix kills")


def player(folder: Path, *options: str) -> Player:
    write_melody(folder / "tune.mid", TUNE * 3)
    fixed = ("--input", str(folder / "tune.mid"), "--loop", "--no-display", "--name", f"recorded-{folder.name}"[:40])
    return Player({}, folder / "play.log", *fixed, *options)


def wait_for_notes(folder: Path, count: int, logs: int = 1, timeout: float = 30.0) -> list[Path]:
    """Wait until so many logs are there, and the last has this many lines."""
    deadline = time.monotonic() + timeout
    while True:
        paths = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        if len(paths) == logs and paths[-1].read_bytes().count(b"\n") > count:
            return paths
        assert time.monotonic() < deadline, [(path, path.stat().st_size) for path in paths]
        time.sleep(0.05)


def assert_replayed(log: Path, out: Path) -> str:
    result = CliRunner().invoke(app, ["replay", str(log), str(out), "--force"])
    assert result.exit_code == 0, result.output
    kept, again = (mido.MidiFile(path).tracks[1] for path in (log.with_suffix(".mid"), out))
    played = [[message.note for message in track if message.type == "note_on"] for track in (kept, again)]
    assert played[0] == played[1] != []
    return result.output


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (KILL, -9)])
def test_a_session_is_kept_however_it_ends(tmp_path: Path, number: signal.Signals, code: int) -> None:
    kept = tmp_path / "kept" / "here"
    with player(tmp_path, "--record", str(kept), "--mode", "shadow") as running:
        running.wait_for(f"  {kept}")
        wait_for_notes(kept, 8)
        assert running.leave(number) == code
    (log,) = kept.glob("*.jsonl")
    assert read(log).cut == (number == KILL)
    said = assert_replayed(log, tmp_path / "again.mid")
    assert ("has no end" in said) == (number == KILL)


def test_an_engine_that_dies_begins_another_log(tmp_path: Path) -> None:
    with player(tmp_path, "--record", str(tmp_path)) as running:
        wait_for_notes(tmp_path, 6)
        os.kill(running.engine, KILL)
        logs = wait_for_notes(tmp_path, 6, logs=2)
        assert running.leave(signal.SIGTERM) == 0
    for log in logs:
        assert_replayed(log, tmp_path / "again.mid")


def test_nothing_is_kept_if_nothing_is_to_be(tmp_path: Path) -> None:
    with player(tmp_path, "--no-record") as running:
        running.wait_for("playing on")
        time.sleep(1.0)
        assert running.leave(signal.SIGTERM) == 0
        assert "recording the session" not in running.said()
    assert {path.name for path in tmp_path.iterdir()} == {"tune.mid", "play.log"}


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with player(tmp_path, "--record", str(tmp_path / "file")) as running:
        assert running.process.wait(20) == 2
        assert running.said().startswith("improviser: error: cannot create the folder ")


def test_a_key_keeps_what_follows_of_a_session_that_was_not_kept(tmp_path: Path) -> None:
    write_melody(tmp_path / "tune.mid", TUNE * 3)
    folder = tmp_path / "data" / "improviser" / "sessions"
    options = ("--input", "tune.mid", "--loop", "--no-record", "--name", f"key-{tmp_path.name}"[:40])
    with terminal() as (ours, theirs):
        program = subprocess.Popen(
            [sys.executable, "-m", "improviser", "play", *options],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path,
            env={**colourful(), "XDG_DATA_HOME": str(tmp_path / "data")},
        )  # fmt: skip
        try:
            read_until(ours, b"\xe2\x86\x92")  # the arrow of the first answer
            assert not folder.exists()
            for number in (1, 2):
                os.write(ours, b"r")
                read_until(ours, "● rec".encode())
                wait_for_notes(folder, 20, logs=number)
                os.write(ours, b"r")
                read_until(ours, b"recording ended")
            os.write(ours, b"q")
            read_until(ours, b"\x1b[?1049l")
            assert program.wait(20) == 0
        finally:
            program.kill()
    logs = list(folder.glob("*.jsonl"))
    assert len(logs) == 2
    for log in logs:
        assert assert_replayed(log, tmp_path / "again.mid").startswith("the same")
        assert not read(log).cut
