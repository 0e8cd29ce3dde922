"""The recorder: every session is on disk, whatever ends the program, and nothing ever waits for it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import mido
import pytest

from improviser.engine.events import event_of, sounds
from improviser.engine.protocol import AnyReport, Applied, Failed, Loaded, Lost, Played, Ready, Step
from improviser.errors import OutputError
from improviser.midifile import part, read_midi
from improviser.recordings import recorder as recorder_module
from improviser.recordings.log import SessionLog, read, read_chain
from improviser.recordings.pruning import Limits, prune
from improviser.recordings.recorder import Recorder, Sessions
from tests.processes import kill

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
        recorder.take(event_of(report))
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
        recorder.take(event_of(report))
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
    assert [len(kept(log)) for log in (first, second)] == [7, 4]
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
        recorder.take(event_of(report))
    assert not (tmp_path / "kept").exists()
    recorder.start()
    for report in (*note(2.0), Played(3.0, []), READY, *note(4.0)):
        recorder.take(event_of(report))
    recorder.stop()
    recorder.start()
    for report in (*note(5.0), READY, *note(6.0)):
        recorder.take(event_of(report))
    recorder.stop()
    for report in (*note(7.0), READY, *note(8.0)):
        recorder.take(event_of(report))
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
from improviser.engine.events import event_of, sounds
from improviser.engine.protocol import Ready, Step
from improviser.recordings.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]))
recorder.take(event_of(Ready("loopback", "", "", [], {}, 1)))
for number in range(1_000_000):
    recorder.take(event_of(Step(number * 0.01, bytes((0x90, 60 + number % 12, 64)), [bytes((0x90, 40, 64))], 0.0)))
    print(number, flush=True)
    time.sleep(0.001)
"""


def test_a_kill_loses_a_second_at_most(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        written = [(time.monotonic(), int(writer.stdout.readline())) for _ in range(1500)]
        kill(writer.pid)
        killed = time.monotonic()
    (log,) = logs(tmp_path)
    assert log.cut
    old = sum(killed - moment > 1.0 for moment, _ in written)
    assert len(kept(log)) > old > 100
    notes = [message for message in mido.MidiFile(log.path.with_suffix(".mid")).tracks[0] if message.type == "note_on"]
    assert len(notes) > old


FULL = "No space left on device"


def is_full(*_: object, **__: object) -> None:
    raise OSError(28, FULL)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what failed be tried again at once."""
    monkeypatch.setattr(recorder_module, "RETRY_SECONDS", 0.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("at", ["log", "midi", "prune", "finish"])
@pytest.mark.parametrize("begun", [False, True])
def test_after_a_full_disk_the_session_goes_on_and_nothing_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, at: str, begun: bool
) -> None:
    caplog.set_level("INFO")
    sessions = Sessions(tmp_path, Limits())
    first = [READY, *note(1.0)]
    sessions.write(first if begun else [])
    played = [report for number in range(5) for report in note(2.0 + 1000.0 * number)]
    with monkeypatch.context() as patch:
        match at:
            case "log":
                patch.setattr("improviser.recordings.files.SessionFiles._append", is_full)
            case "midi":
                patch.setattr("improviser.recordings.files.write_atomically", is_full)
                patch.setattr("improviser.recordings.midi_recording.GrowingFile.patches", lambda *_: None)
            case "finish":
                patch.setattr("improviser.recordings.files.End", is_full)
            case _:
                patch.setattr(recorder_module, "prune", is_full)
        for report in [*([] if begun else first), *played]:
            sessions.write([report])
        for report in note(5000.0):  # in another file, by then
            sessions.write([report])
    sessions.write([*note(5001.0), Applied("density", 0.5, None, 5002.0)])
    sessions.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot record: {FULL} ({tmp_path}); playing goes on, and is kept until it can",
        f"recording again in {tmp_path}",
    ]
    before, after = logs(tmp_path)
    assert [log.cut for log in (before, after)] == [False, False]
    assert kept(before) + kept(after) == [
        *first,
        *played,
        *note(5000.0),
        *note(5001.0),
        Applied("density", 0.5, None, 5002.0),
    ]
    assert len(read_chain(after.path)) == 2
    notes = [len(read_midi(log.path.with_suffix(".mid")).notes) for log in (before, after)]
    assert notes == [10, 6]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("at", ["log", "finish"])
def test_what_was_stopped_on_a_full_disk_ends_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The end waits in line: nothing before it is missing, and nothing after it gets into the same file."""
    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0)])
    other = READY.__class__("loopback", "", "", [], {}, 9)
    with monkeypatch.context() as patch:
        patch.setattr(f"improviser.recordings.files.{'SessionFiles._append' if at == 'log' else 'End'}", is_full)
        for reports in (note(2.0), [None], [None, other, *note(3.0)], [None]):
            sessions.write(reports)
    sessions.write([])
    first, second = logs(tmp_path)
    assert [log.cut for log in (first, second)] == [False, False]
    assert [log.header.continues for log in (first, second)] == [None, None]
    assert kept(first) == [READY, *note(1.0), *note(2.0)]
    assert kept(second) == [other, *note(3.0)]
    sessions.close()
    assert len(logs(tmp_path)) == 2


@pytest.mark.usefixtures("patient")
def test_what_a_full_disk_has_torn_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0)])
    assert sessions._files is not None
    real = sessions._files._log

    class Full:
        """A file on a disk with room for ten bytes more."""

        def write(self, data: bytes) -> int:
            if len(data) <= 10:
                is_full()
            return real.write(data[:10])

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

    with monkeypatch.context() as patch:
        patch.setattr(sessions._files, "_log", Full())
        sessions.write(note(2.0))
        assert not (tmp_path / sessions._files.path).read_bytes().endswith(b"\n")
        sessions.write(note(3.0))
    sessions.write(note(4.0))
    sessions.close()
    (log,) = logs(tmp_path)
    assert kept(log) == [READY, *note(1.0), *note(2.0), *note(3.0), *note(4.0)]


@pytest.mark.usefixtures("patient")
def test_more_than_memory_should_hold_is_missing_and_the_log_says_how_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MAX_KEPT", 3)
    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0)[:1]])
    other = READY.__class__("loopback", "", "", [], {}, 9)
    with monkeypatch.context() as patch:
        patch.setattr("improviser.recordings.files.SessionFiles._append", is_full)
        sessions.write(note(2.0))
        sessions.write([*note(3.0), *note(4.0)])
        sessions.write([other, *note(5.0)])
    sessions.write([])
    sessions.write(note(6.0))
    sessions.close()
    first, second = logs(tmp_path)
    assert kept(first) == [READY, *note(1.0)[:1], *note(2.0), *note(3.0)[:1], Lost(3)]
    assert kept(second) == [other, Lost(2), *note(6.0)]


@pytest.mark.usefixtures("patient")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_without_room_is_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sessions = Sessions(tmp_path, Limits())
    sessions.write([READY, *note(1.0)])
    files = sessions._files
    assert files is not None
    files._log.close()
    files._log = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    for stamp in (2.0, 3.0):
        sessions.write(note(stamp))
    sessions.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot record: {FULL} ({tmp_path}); playing goes on, and is kept until it can",
        "the end of the session is not recorded: 4 messages",
    ]


@pytest.mark.unix  # elsewhere nothing can go away that is open
@pytest.mark.usefixtures("patient")
def test_a_folder_that_goes_away_is_made_again_and_the_log_says_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "sessions"
    sessions = Sessions(folder, Limits())
    sessions.write([READY, *note(1.0)])
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    sessions.write(note(2.0))
    sessions.write(note(3.0))
    sessions.close()
    (log,) = logs(folder)
    assert kept(log) == [READY, Lost(4), *note(3.0)]
    (warning,) = (record for record in caplog.records if record.levelname == "WARNING")
    assert "playing goes on" in warning.getMessage()


def make(folder: Path, name: str, size: int, age_days: float) -> None:
    for suffix in (".jsonl", ".mid"):
        path = folder / f"{name}{suffix}"
        path.write_bytes(bytes(size // 2))
        moment = time.time() - age_days * 86_400
        os.utime(path, (moment, moment))


def test_old_sessions_make_room_and_nothing_else_is_touched(tmp_path: Path) -> None:
    ours = [f"session-2026-01-0{9 - days}-120000{'-2' * (days % 2)}" for days in range(6)]
    for days, name in enumerate(ours):
        make(tmp_path, name, 1_000_000, days)
    mine = {"mine", "session-with-anna", "session-2026-01-02", "session-2026-01-02-120000 take"}
    for name in mine:
        make(tmp_path, name, 9_000_000, 99)
    prune(tmp_path, Limits(kept_days=4.5, kept_megabytes=1000))
    assert {path.stem for path in tmp_path.iterdir()} == {*mine, *ours[:5]}
    prune(tmp_path, Limits(kept_megabytes=3), keep=f"{ours[4]}.jsonl")
    assert {path.stem for path in tmp_path.iterdir()} == {*mine, ours[4], *ours[:3]}


def test_what_was_kept_before_the_clock_was_set_is_not_old(tmp_path: Path) -> None:
    """A small computer without a clock of its own begins in 1970, until it has asked the network."""
    make(tmp_path, "session-1970-01-01-000200", 1_000_000, (time.time() - 120) / 86_400)
    make(tmp_path, "session-2026-01-01-120000", 1_000_000, 0)
    prune(tmp_path, Limits())
    assert len(list(tmp_path.iterdir())) == 4
    prune(tmp_path, Limits(kept_megabytes=1))
    assert {path.stem for path in tmp_path.iterdir()} == {"session-2026-01-01-120000"}


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(OutputError, match="may not be written to"):
        Recorder(tmp_path)


def test_a_disk_that_hangs_loses_reports_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MAX_WAITING", 3)
    monkeypatch.setattr(recorder_module, "WRITE_SECONDS", 3600.0)
    recorder = Recorder(tmp_path)
    for report in (READY, *note(1.0), *note(2.0)):
        recorder.take(event_of(report))
    recorder._sessions.write(recorder._take_waiting())
    for report in note(3.0):
        recorder.take(event_of(report))
    recorder.close()
    (log,) = logs(tmp_path)
    assert kept(log) == [READY, *note(1.0), Lost(2), *note(3.0)]


def test_what_a_disk_that_hangs_has_lost_is_said_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MAX_WAITING", 3)
    monkeypatch.setattr(recorder_module, "WRITE_SECONDS", 3600.0)
    recorder = Recorder(tmp_path)
    for report in (READY, *note(1.0), *note(2.0)):
        recorder.take(event_of(report))
    recorder.stop()
    recorder.close()
    (log,) = logs(tmp_path)
    assert kept(log) == [READY, *note(1.0), Lost(2)]


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
