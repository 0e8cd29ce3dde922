"""Which recordings make room for new ones: never for a clock alone, never another session's, and never in silence."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.engine.events import event_of
from improviser.recordings.pruning import Limits, prune
from improviser.recordings.recorder import Recorder, Sessions
from tests.portable.sitecustomize import ACTS, refusing
from tests.processes import freeze
from tests.recordings.test_recorder import READY, logs, make, note

YEAR = Limits(kept_days=365, kept_megabytes=1000)


def stems(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir()}


def names(count: int) -> list[str]:
    return [f"session-2026-01-{day:02}-120000" for day in range(1, count + 1)]


@pytest.mark.parametrize("clock_days", [400, 4000, -4000, -20_000])
def test_a_clock_that_leaps_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock_days: float
) -> None:
    caplog.set_level("INFO")
    for age, name in enumerate(names(20)):
        make(tmp_path, name, 1000, age)
    now = time.time() + clock_days * 86_400
    monkeypatch.setattr("time.time", lambda: now)
    for number in range(10):  # engines that die, hours that end, sessions that begin: under the wrong clock
        name = f"session-2031-01-01-12000{number}"
        make(tmp_path, name, 1000, -clock_days - number / 24)
        prune(tmp_path, YEAR, keep=f"{name}.jsonl")
    monkeypatch.undo()
    prune(tmp_path, YEAR)
    assert len(stems(tmp_path)) == 30
    assert not caplog.records


def test_what_is_old_by_what_came_after_it_goes_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for age, name in enumerate(names(20)):
        make(tmp_path, name, 1000, age * 5)
    prune(tmp_path, Limits(kept_days=62))
    assert stems(tmp_path) == set(names(13))
    assert [record.getMessage() for record in caplog.records] == [
        f"deleted the recording {name}: it is 62 days older than the newest" for name in names(20)[:12:-1]
    ]


def test_what_is_too_much_goes_the_oldest_first_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for age, name in enumerate(names(5)):
        make(tmp_path, name, 1_000_000, age)
    prune(tmp_path, Limits(kept_megabytes=3))
    assert stems(tmp_path) == set(names(3))
    assert [record.getMessage() for record in caplog.records] == [
        f"deleted the recording {name}: all that is kept takes more than 3 MB" for name in (names(5)[4], names(5)[3])
    ]


def test_what_is_dated_later_than_now_was_before_it(tmp_path: Path) -> None:
    """What was just played must not make room for what was kept when the clock was ahead."""
    ahead, before, played = names(3)
    make(tmp_path, ahead, 1_000_000, -400)
    make(tmp_path, before, 1_000_000, 1)
    make(tmp_path, played, 1_000_000, 0)
    prune(tmp_path, Limits(kept_megabytes=2))
    assert stems(tmp_path) == {before, played}


def test_what_is_no_file_of_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(bytes(2_000_000))
    (tmp_path / "session-2026-01-01-120000.jsonl").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "session-2026-01-02-120000.mid").mkdir()
    make(tmp_path, "session-2026-01-03-120000", 2_000_000, 0)
    for path in (tmp_path / "session-2026-01-03-120000").parent.glob("session-2026-01-03*"):
        path.rename(path.with_suffix(f"{path.suffix}.mine"))
    before = set(tmp_path.iterdir())
    prune(tmp_path, Limits(kept_megabytes=0.5))
    assert set(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_only_their_owner_may_read_what_was_played(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        sessions = Sessions(tmp_path, Limits())
        sessions.write([READY, *note(1.0)])
        for _ in range(2):
            assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
            sessions.close()
    finally:
        os.umask(mask)


OTHER = """
import sys, time
from pathlib import Path
from improviser.engine.protocol import Ready, Renew, Step
from improviser.recordings.pruning import Limits
from improviser.recordings.recorder import Sessions
sessions = Sessions(Path(sys.argv[1]), Limits(file_seconds=10.0))
ready = Ready("loopback", "", "", [], {}, 1)
sessions.write([ready])
for stamp in (1.0, 12.0, 23.0):
    sessions.write([Step(stamp, bytes((0x90, 60, 64)), [], 0.0)])
if sys.argv[2] == "idle":
    sessions.write([ready])  # a long silence has ended the files; the next note begins others
print("written", flush=True)
time.sleep(100)
"""


@pytest.mark.skipif(os.name == "nt" or not Path("/proc/self/fd").is_dir(), reason="it does not tell what is open")
def test_where_nothing_can_be_deleted_that_is_open_we_do_not_have_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "session-2026-01-01-120000", 1_000_000, 2)
    make(tmp_path, "session-2026-01-02-120000", 1_000_000, 1)
    monkeypatch.setattr("improviser.recordings.pruning.OPEN_FILES_STAY", True)
    for name, files in ACTS.items():
        monkeypatch.setattr(os, name, refusing(getattr(os, name), files=files))
    prune(tmp_path, Limits(kept_megabytes=1.5))
    assert {path.stem for path in tmp_path.iterdir()} == {"session-2026-01-02-120000"}


@pytest.fixture(params=["playing", "idle", "stopped"])
def other(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Another session that has recorded three files into the folder, one after the other."""
    arguments = [sys.executable, "-c", OTHER, str(tmp_path), request.param]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        if request.param == "stopped":
            freeze(process.pid)
        yield process
        process.kill()


def test_what_another_session_has_recorded_stays_as_long_as_it_is_there(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    theirs = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len({path.stem for path in theirs}) == 3
    for path in theirs:
        os.utime(path, (time.time() - 9e6, time.time() - 9e6))
    for age, name in enumerate(names(20)):
        make(tmp_path, name, 1_000_000, age)
    tiny = Limits(kept_days=0.5, kept_megabytes=0.5)
    sessions = Sessions(tmp_path, tiny)
    sessions.write([READY, *note(1.0)])
    sessions.close()
    assert {path: path.read_bytes() for path in theirs if path.exists()} == theirs
    assert not stems(tmp_path) & set(names(20))
    other.kill()
    other.wait()
    prune(tmp_path, Limits(kept_megabytes=0))
    assert not any(path.exists() for path in theirs)


def test_a_session_that_goes_on_for_long_makes_room_for_itself(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, Limits(file_seconds=10.0, kept_megabytes=0.005))
    sessions.write([READY])
    for hour in range(6):
        for second in range(9):
            sessions.write(note(hour * 10.0 + second))
    assert len(logs(tmp_path)) in (2, 3)
    sessions.close()


@pytest.mark.skipif(os.name == "nt" or not Path("/proc/self/fd").is_dir(), reason="it does not tell what is open")
def test_no_file_stays_open(tmp_path: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    recorder = Recorder(tmp_path, Limits(file_seconds=10.0))
    opened = set()
    for hour in range(8):
        for report in (READY, *note(hour * 20.0), *note(hour * 20.0 + 11.0)):
            recorder.take(event_of(report))
        recorder._sessions.write(recorder._take_waiting())
        opened.add(count())
    recorder.close()
    assert max(opened) <= before + 2  # what is written, and what was written last
    assert count() == before
