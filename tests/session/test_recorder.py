"""The recorder: every session is on disk, whatever ends the program, and nothing ever waits for it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mido
import pytest

from improviser.midifile import part, read_midi
from improviser.pipe import AnyReport, Applied, Failed, Loaded, Lost, Played, Ready, Step
from improviser.session import recorder as recorder_module
from improviser.session.log import SessionLog, read, read_chain
from improviser.session.recorder import Limits, Recorder, Sessions, prune, sounds

READY = Ready("loopback", "loopback", "loopback", [Loaded("echo", "00")], {"mode": "shadow"}, 7)


def note(stamp: float, pitch: int = 60) -> list[AnyReport]:
    return [
        Step(stamp, bytes((0x90, pitch, 70)), [bytes((0x90, pitch - 12, 70))], 0.0001),
        Step(stamp + 0.2, bytes((0x80, pitch, 64)), [bytes((0x80, pitch - 12, 64))], 0.0001),
    ]


def logs(folder: Path) -> list[SessionLog]:
    return [read(path) for path in sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)]


def kept(log: SessionLog) -> list[AnyReport]:
    return [report for _, report in log.reports]


def test_what_is_reported_is_kept_in_order(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "new" / "folder")
    change = Applied("temperature", 1.5, None, 0.05)
    reports = [READY, change, *note(0.1), Lost(3), Played(1.0, [b"\x80\x30\x40"]), *note(2.0, 64)]
    for report in reports:
        recorder.take(report)
    recorder.close()
    (log,) = logs(tmp_path / "new" / "folder")
    assert kept(log) == reports
    assert not log.cut
    piece = read_midi(log.path.with_suffix(".mid"))
    assert piece.tracks == ("Player", "Improviser")
    onsets = [(timed.note.pitch, round(timed.note.onset_seconds, 2)) for timed in part(piece.notes, track=1)]
    assert onsets == [(48, 0.0), (52, 1.9)]


def test_nothing_is_kept_of_a_session_without_notes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for report in (READY, Applied("density", 0.5), Played(1.0, []), Step(1.0, b"\xb0\x40\x7f", [], 0.0), READY):
        recorder.take(report)
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_session_goes_on_in_a_new_file_after_an_hour(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, Limits())
    stamps = [10.0, 1800.0, 3609.0, 3611.0, 7000.0]
    sessions.write([READY, *(report for stamp in stamps for report in note(stamp))])
    sessions.close()
    first, second = logs(tmp_path)
    assert second.header.continues == first.path.name
    assert first.header.continues is None
    assert [log.path for log in read_chain(second.path)] == [first.path, second.path]
    assert [len(log.reports) for log in (first, second)] == [7, 4]
    (onset, *_) = [timed.note.onset_seconds for timed in read_midi(second.path.with_suffix(".mid")).notes]
    assert onset == 0.0


def test_an_engine_that_begins_anew_begins_new_files(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0), Failed("EngineError", "it died")])
    sessions.write([READY, *note(2.0)])
    sessions.close()
    assert [kept(log)[0] for log in logs(tmp_path)] == [READY, READY]
    assert [log.header.continues for log in logs(tmp_path)] == [None, None]


def test_it_starts_with_an_engine_and_ends_at_once(tmp_path: Path) -> None:
    """What is kept begins where the performer begins anew: from there on it can be replayed."""
    recorder = Recorder(tmp_path / "kept", on=False)
    for report in (READY, *note(1.0)):
        recorder.take(report)
    assert not (tmp_path / "kept").exists()
    recorder.start()
    for report in (*note(2.0), Played(3.0, []), READY, *note(4.0)):
        recorder.take(report)
    recorder.stop()
    recorder.start()
    for report in (*note(5.0), READY, *note(6.0)):
        recorder.take(report)
    recorder.stop()
    for report in (*note(7.0), READY, *note(8.0)):
        recorder.take(report)
    recorder.close()
    assert [kept(log) for log in logs(tmp_path / "kept")] == [[READY, *note(4.0)], [READY, *note(6.0)]]
    assert not any(log.cut for log in logs(tmp_path / "kept"))


def test_a_turn_under_a_held_note_leaves_none_hanging(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, Limits(file_seconds=5.0))
    on, off = note(1.0)
    sessions.write([READY, on, *note(2.0, 70), *note(7.0, 72), off])
    sessions.close()
    for path in tmp_path.glob("*.mid"):
        sounding = 0
        for message in mido.MidiFile(path):
            sounding += {"note_on": 1, "note_off": -1}.get(message.type, 0)
        assert sounding == 0


WRITER = """
import sys, time
from pathlib import Path
from improviser.pipe import Ready, Step
from improviser.session.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]))
recorder.take(Ready("loopback", "", "", [], {}, 1))
for number in range(1_000_000):
    recorder.take(Step(number * 0.01, bytes((0x90, 60 + number % 12, 64)), [bytes((0x90, 40, 64))], 0.0))
    print(number, flush=True)
    time.sleep(0.001)
"""


def test_a_kill_loses_a_second_at_most(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        written = [(time.monotonic(), int(writer.stdout.readline())) for _ in range(1500)]
        os.kill(writer.pid, signal.SIGKILL)
        killed = time.monotonic()
    (log,) = logs(tmp_path)
    assert log.cut
    old = sum(killed - moment > 1.0 for moment, _ in written)
    assert len(log.reports) > old > 100
    notes = [message for message in mido.MidiFile(log.path.with_suffix(".mid")).tracks[0] if message.type == "note_on"]
    assert len(notes) > old


@pytest.mark.parametrize("at", ["log", "midi", "prune"])
def test_a_full_disk_is_said_once_and_the_next_session_is_tried(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0)])
    target = {"log": "encode", "midi": "write_atomically"}.get(at)
    with monkeypatch.context() as patch:
        if target is not None:
            patch.setattr(f"improviser.session.files.{target}", full)
        else:
            patch.setattr(recorder_module, "prune", full)
        for number in range(5):
            sessions.write([*note(4000.0 * number), Applied("density", 0.5, None, 4000.0 * number)])
    assert [record.getMessage() for record in caplog.records] == [
        f"this session is not recorded any more: No space left on device ({tmp_path}); playing goes on"
    ]
    sessions.write([READY, *note(1.0)])
    sessions.close()
    assert kept(logs(tmp_path)[-1]) == [READY, *note(1.0)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_without_room_is_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0)])
    files = sessions._files
    assert files is not None
    files._log.close()
    files._log = Path("/dev/full").open("wb")  # noqa: SIM115
    for stamp in (2.0, 3.0):
        sessions.write(note(stamp))
    sessions.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"this session is not recorded any more: No space left on device ({tmp_path}); playing goes on"
    ]


def test_a_folder_that_goes_away_is_no_matter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "sessions"
    recorder = Recorder(folder)
    recorder.take(READY)
    for report in note(1.0):
        recorder.take(report)
    deadline = time.monotonic() + 10
    while not list(folder.glob("*.mid")) and time.monotonic() < deadline:
        time.sleep(0.01)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    for report in note(2.0):
        recorder.take(report)
    recorder.close()
    assert len(caplog.records) == 1
    assert "playing goes on" in caplog.records[0].getMessage()


def make(folder: Path, name: str, size: int, age_days: float) -> None:
    for suffix in (".jsonl", ".mid"):
        path = folder / f"{name}{suffix}"
        path.write_bytes(bytes(size // 2))
        moment = time.time() - age_days * 86_400
        os.utime(path, (moment, moment))


def test_old_sessions_make_room(tmp_path: Path) -> None:
    for days in range(6):
        make(tmp_path, f"session-{days}", 1_000_000, days)
    make(tmp_path, "mine", 9_000_000, 99)
    prune(tmp_path, Limits(kept_days=4.5, kept_megabytes=1000))
    assert {path.stem for path in tmp_path.iterdir()} == {"mine", *(f"session-{days}" for days in range(5))}
    prune(tmp_path, Limits(kept_megabytes=3), keep="session-4.jsonl")
    assert {path.stem for path in tmp_path.iterdir()} == {
        "mine",
        "session-4",
        *(f"session-{days}" for days in range(3)),
    }


def test_a_disk_that_hangs_loses_reports_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MAX_WAITING", 3)
    monkeypatch.setattr(recorder_module, "WRITE_SECONDS", 3600.0)
    recorder = Recorder(tmp_path)
    for report in (READY, *note(1.0), *note(2.0)):
        recorder.take(report)
    recorder._sessions.write(recorder._take_waiting())
    for report in note(3.0):
        recorder.take(report)
    recorder.close()
    (log,) = logs(tmp_path)
    assert kept(log) == [READY, *note(1.0), Lost(2), *note(3.0)]


def test_what_sounds() -> None:
    assert sounds(Step(0.0, b"\x90\x3c\x40", [], 0.0))
    assert sounds(Played(0.0, [b"\x90\x3c\x40"], "timer"))
    assert not sounds(Step(0.0, b"\xf8", [], 0.0))
    assert not sounds(Played(0.0, []))
    assert not sounds(READY)


def test_lines_are_json(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0)])
    sessions.close()
    (log,) = logs(tmp_path)
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [line["type"] for line in lines] == ["header", "ready", "step", "step", "end"]
