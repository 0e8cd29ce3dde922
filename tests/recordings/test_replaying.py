"""Replaying: what was played once is played again, note for note, from the log alone."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from improviser.cli import app
from improviser.core.melody.adaptation import Adaptation, size_of
from improviser.core.melody.model import MelodyModel
from improviser.core.midi.codec import encode
from improviser.core.midi.event import Event, NoteOn, PitchBend
from improviser.engine.events import event_of
from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import (
    Adapt,
    Adapted,
    AnyReport,
    Applied,
    Change,
    Command,
    Done,
    Hear,
    Instruct,
    Lose,
    Lost,
    Panic,
    Played,
    Ready,
    Renew,
    Step,
    Swap,
)
from improviser.errors import LogError, ModelError
from improviser.library.adaptations import base_of, digest_of, to_bytes
from improviser.library.catalogue import load_model
from improviser.midifile import part, read_midi
from improviser.recordings.log import adaptation_path, read, read_chain
from improviser.recordings.midi_recording import SessionMidi
from improviser.recordings.pruning import Limits, prune
from improviser.recordings.recorder import Sessions
from improviser.recordings.replaying import Replay, replay
from tests.engine.test_note_path import Reports, opening, play
from tests.playing import note_off, note_on, write_small_model

NOTES = 120
ON = NoteOn(0, 60, 80)


async def perform(engine: EngineProcess, reports: Reports) -> None:
    """Play with changes of mode, models and parameters, a panic, and another session at the end."""
    rng = np.random.default_rng(3)
    changes: dict[int, list[Command]] = {
        10: [Change("temperature", 1.3)],
        20: [Change("scale", "D minor"), Change("density", 0.6)],
        30: [Swap(["echo"])],
        45: [Change("mode", "mute")],
        55: [Change("mode", "shadow"), Change("thru", True), Change("scale", "no such scale")],
        70: [Swap(["bach-bass", "echo"])],
        80: [Panic()],
        82: [Instruct("bad")],
        85: [Change("controls", {"transpose": 21, "bad": {"control": 22, "channel": 2}})],
        88: [Instruct("good")],
        95: [Instruct("forget")],
        90: [Swap(["no such model"]), Change("low", 40)],
        100: [Renew()],
    }
    now = 0.0
    for number in range(NOTES):
        for command in changes.get(number, []):
            engine.send(command)
            if isinstance(command, Swap):
                count = len(reports)
                await reports.until(lambda told, count=count: len(told) > count)  # type: ignore[misc]
        pitch = int(rng.integers(50, 80))
        engine.send(Hear(now, bytes(note_on(pitch))))
        engine.send(Hear(now + 0.1, bytes((0xB1, 21 + number % 2, pitch)) if number > 85 else bytes((0xC0, 1))))
        engine.send(Hear(now + 0.1, bytes(note_off(pitch))))
        now += float(rng.random())
    await reports.until(lambda told: len(told.steps) == 3 * NOTES)


@pytest.fixture(scope="module")
def reports() -> list[AnyReport]:
    return list(play(opening("bach-bass", seed=5, parameters={"temperature": 0.9}), perform))


@pytest.fixture
def log(reports: list[AnyReport], tmp_path: Path) -> Path:
    """The log of a session on the real engine; what came before `Renew` is in a log of its own."""
    return record(reports, tmp_path)[0]


def record(reports: list[AnyReport], folder: Path, limits: Limits | None = None) -> list[Path]:
    sessions = Sessions(folder, limits or Limits())
    sessions.write(reports)
    sessions.close()
    logs = [read(path) for path in folder.glob("*.jsonl")]
    first_stamps = {path.path: next(r.stamp for _, r in path.reports if isinstance(r, Step)) for path in logs}
    return sorted(first_stamps, key=lambda path: first_stamps[path])


def replayed(log: Path) -> tuple[Replay, list[tuple[float, Event | None, tuple[bytes, ...]]]]:
    """Replay; return what was found, and what happened."""
    moments: list[tuple[float, Event | None, tuple[bytes, ...]]] = []

    def tell(report: Step | Played | Applied | Done | Adapted, played: Sequence[bytes]) -> None:
        moments.append((report.stamp, event_of(report).heard, tuple(played)))

    return replay(read_chain(log), tell), moments


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["replay", *map(str, arguments)])
    return result.exit_code, result.output


def test_a_session_with_changes_is_played_again(reports: list[AnyReport], tmp_path: Path) -> None:
    logs = record(reports, tmp_path)
    assert len(logs) == 2
    for log, heard in zip(logs, (300, 60), strict=True):
        out = tmp_path / f"{log.stem} again.mid"
        code, said = run(log, out)
        assert code == 0, said
        assert said.startswith(f"the same: {heard} messages heard, ")
        again, kept = read_midi(out), read_midi(log.with_suffix(".mid"))
        pitches = [[timed.note.pitch for timed in part(piece.notes, track=1)] for piece in (again, kept)]
        assert len(pitches[0]) > 10
        assert pitches[0] == pitches[1]
        starts = [min(timed.note.onset_seconds for timed in piece.notes) for piece in (again, kept)]
        assert starts == [0.0, 0.0]  # not at the time since the daemon began


def test_what_is_replayed_begins_with_its_first_note(tmp_path: Path) -> None:
    copy = SessionMidi()
    copy.add(Step(300.0, encode(PitchBend(0, 1)), [], 0.0))
    copy.add(Step(301.5, encode(ON), [], 0.0))
    copy.add(Played(301.75, [encode(ON)], "timer"))
    copy.add(Played(302.75, []))
    (tmp_path / "copy.mid").write_bytes(copy.image(final=True))
    piece = read_midi(tmp_path / "copy.mid")
    assert [round(timed.note.onset_seconds, 3) for timed in piece.notes] == [0.0, 0.25]
    assert [round(timed.note.end_seconds, 3) for timed in piece.notes] == [1.25, 1.25]
    (tmp_path / "copy.mid").write_bytes(SessionMidi().image(final=True))
    assert read_midi(tmp_path / "copy.mid").notes == ()


def test_replies_and_solos_are_played_again(tmp_path: Path) -> None:
    opened = opening("bach-bass", parameters={"mode": "answer"})

    def hear(engine: EngineProcess, message: Sequence[int]) -> None:
        engine.send(Hear(time.perf_counter() - opened.epoch, bytes(message)))

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        for turn, mode in enumerate(("answer", "solo")):
            engine.send(Change("mode", mode))
            for pitch in (60, 64, 67, 65, 62):
                hear(engine, note_on(pitch + turn))
                await asyncio.sleep(0.05)
                hear(engine, note_off(pitch + turn))
            began = len(reports)
            await reports.until(lambda told, began=began: sounding(told[began:]) > 3)  # type: ignore[misc]
            hear(engine, note_on(72))
            hear(engine, note_off(72))
        engine.send(Renew())
        engine.send(Change("mode", "shadow"))
        hear(engine, note_on(60, channel=3))
        await reports.until(lambda told: len(told.steps) == 25)

    def sounding(reports: list[AnyReport]) -> int:
        return sum(isinstance(report, Played) and bool(report.played) for report in reports)

    logs = record(list(play(opened, scene)), tmp_path)
    assert len(logs) == 2
    for log in logs:
        assert replay(read_chain(log)).difference is None


def test_a_replay_is_the_same_each_time(log: Path) -> None:
    (first, moments), (again, same) = replayed(log), replayed(log)
    assert first == again
    assert moments == same
    assert first.difference is None


def edited(log: Path, old: bytes, new: bytes, line: int) -> bytes:
    lines = log.read_bytes().splitlines(keepends=True)
    assert old in lines[line]
    lines[line] = lines[line].replace(old, new)
    return b"".join(lines)


def test_a_difference_is_said_with_its_place(log: Path, tmp_path: Path) -> None:
    log.write_bytes(edited(log, b'"seed":5', b'"seed":6', 1))
    code, said = run(log, tmp_path / "out.mid")
    assert code == 1
    (line,) = said.strip().splitlines()
    assert line.startswith("different: at ")
    assert f"({log.name}, line " in line
    assert (tmp_path / "out.mid").exists()


def test_lost_reports_are_said(reports: list[AnyReport], tmp_path: Path) -> None:
    (log, _) = record([*reports[:9], Lost(2), *reports[11:]], tmp_path)
    code, said = run(log)
    assert code == 1
    assert "2 reports were lost" in said
    assert "different: " in said


def test_a_log_cut_anywhere_is_replayed_as_far_as_it_goes(log: Path) -> None:
    data = log.read_bytes()
    first_line = data.index(b"\n") + 1
    _, whole = replayed(log)
    cuts = np.random.default_rng(1).integers(first_line, len(data), 12).tolist()
    for cut in [first_line, *cuts, len(data) - 1]:
        log.write_bytes(data[:cut])
        found, moments = replayed(log)
        assert found.difference is None
        assert moments == whole[: len(moments)]
    assert moments == whole
    code, said = run(log)
    assert code == 0
    assert "has no end" in said


def test_a_log_cut_in_its_first_line_is_none(log: Path) -> None:
    data = log.read_bytes()
    for cut in (0, 1, 40, data.index(b"\n")):
        log.write_bytes(data[:cut])
        code, said = run(log)
        assert code == 2
        assert "is not a session's log" in said


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        (b'"version":1', b'"version":9', 0, "version 9"),
        (b'"format":"improviser session"', b'"format":"x"', 0, "version"),
        (b'"type":"header"', b'"type":"end"', 0, "not a session's log"),
        (b'{"type":"header"', b'PK{"type":"header"', 0, "not a session's log"),
        (b'"type":"ready"', b'"type":"lost","count":1', 1, "before an engine began"),
        (b'"temperature":0.9', b'"temprature":0.9', 1, "does not know"),
        (b'"scale":"off"', b'"scale":["off"]', 1, "does not know"),
        (b'"heard":"', b'"heard":"' + b"A" * 20_000_000, 5, "line 6 is too long"),
        (b'"stamp":', b'"stomp":', 5, "damaged in line 6"),
        (b'"heard":"', b'"heard":"AAAA', 5, "damaged in line 6"),
        (b"{", b"\xff\xfe\x00", 7, "damaged in line 8"),
    ],
)
def test_a_damaged_log_is_refused(log: Path, old: bytes, new: bytes, line: int, reason: str, tmp_path: Path) -> None:
    log.write_bytes(edited(log, old, new, line))
    code, said = run(log, tmp_path / "out.mid")
    assert code == 2
    assert said.startswith("improviser: error: ")
    assert len(said.splitlines()) == 1
    assert reason in said
    assert not (tmp_path / "out.mid").exists()


@pytest.mark.parametrize("content", [b"", b"\n", b"MThd\0\0\0\6", bytes(5000), b'{"type":"step"}\n'])
def test_what_is_no_log_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    assert run(path)[0] == 2
    assert run(tmp_path)[0] == 2
    assert run(tmp_path / "missing")[0] == 2


def test_a_session_of_several_logs_is_replayed_from_its_beginning(reports: list[AnyReport], tmp_path: Path) -> None:
    before = [report for report in reports if not isinstance(report, Ready)][: len(reports) * 3 // 4]
    logs = record([reports[0], *before], tmp_path, Limits(file_seconds=15.0))
    assert len(logs) > 2
    found = replay(read_chain(logs[-1]))
    assert found.difference is None
    assert len(read_chain(logs[-1])) == len(logs)
    logs[0].unlink()
    code, said = run(logs[-1])
    assert code == 2
    assert "goes on from" in said


def test_a_log_that_goes_on_from_itself_is_refused(log: Path) -> None:
    header = f'"continues":"{log.name}"'.encode()
    log.write_bytes(edited(log, b'"continues":null', header, 0))
    with pytest.raises(LogError, match="its own end"):
        read_chain(log)


def test_a_model_that_has_changed_is_said(tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "small.safetensors")

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        engine.send(Hear(0.0, bytes(note_on(60))))
        await reports.until(lambda told: len(told.steps) == 1)

    (log,) = record(list(play(opening(model), scene)), tmp_path)
    assert replay(read_chain(log)).difference is None
    shutil.copy(Path(__file__).parents[2] / "models" / "echo.safetensors", model)
    with pytest.raises(ModelError, match="its file has changed"):
        replay(read_chain(log))
    model.unlink()
    assert run(log)[0] == 2


def test_several_inputs_are_replayed_each_with_its_own_keys(tmp_path: Path) -> None:
    async def both(engine: EngineProcess, reports: Reports) -> None:
        for number in (0, 1):
            engine.send(Hear(0.1 + number, bytes(note_on(60)), number))
            engine.send(Hear(0.2 + number, bytes((0xB0, 64, 127)), number))
        engine.send(Hear(1.5, bytes(note_on(67)), 1))
        engine.send(Lose(1))
        await reports.until(lambda told: any(isinstance(report, Played) for report in told))
        engine.send(Hear(1000.0, bytes(note_off(60))))
        await reports.until(lambda told: len(told.steps) == 6)

    reports = play(opening("bach-bass", seed=2, parameters={"thru": True}), both)
    (lost,) = [report for report in reports if isinstance(report, Played) and report.cause == "lost"]
    assert lost.input == 1
    assert bytes(note_off(60)) not in [message[:2] + b"\x40" for message in lost.played]  # the first one's sounds on
    assert bytes(note_off(60)) in [message[:2] + b"\x40" for message in reports.steps[-1].played]
    (log,) = record(reports, tmp_path)
    found, _ = replayed(log)
    assert found.difference is None
    assert (found.heard, found.lost) == (6, 0)
    wrong = log.read_bytes().replace(b'"input":1', b'"input":99')
    log.write_bytes(wrong)
    with pytest.raises(LogError, match="damaged in line"):
        replayed(log)


def test_a_log_of_one_input_says_nothing_of_inputs(log: Path) -> None:
    assert b'"input":0' not in log.read_bytes()
    assert log.read_bytes().count(b'"input"') == log.read_bytes().count(b'"type":"ready"')


def test_adaptations_lie_beside_the_log_and_a_replay_needs_them(tmp_path: Path) -> None:
    model = load_model("bach-melody")
    assert isinstance(model, MelodyModel)
    strong = Adaptation("bach-melody", base_of(model), np.full(size_of(model.shape), 0.6, np.float32))
    data = to_bytes(strong)

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        now = 0.0
        for turn in range(4):
            if turn == 1:
                engine.send(Adapt([data]))
                await reports.until(lambda told: any(isinstance(report, Adapted) for report in told))
            if turn == 3:
                engine.send(Instruct("forget"))
            for pitch in (60, 64, 67, 65, 62, 64):
                engine.send(Hear(now, bytes(note_on(pitch))))
                engine.send(Hear(now + 0.2, bytes(note_off(pitch))))
                now += 0.25
            now += 4.0
        await reports.until(lambda told: len(told.steps) == 48)

    parameters = {"mode": "answer", "adapt": "full"}
    reports = list(play(opening("bach-melody", seed=2, parameters=parameters), scene))
    (log,) = record(reports, tmp_path)
    beside = adaptation_path(log, digest_of(data))
    assert beside.read_bytes() == data
    found, _ = replayed(log)
    assert found.difference is None
    assert found.played > 30
    prune(tmp_path, Limits(kept_megabytes=0), keep=log.name)
    assert beside.exists(), "what is needed stays"
    beside.write_bytes(to_bytes(strong.part(0.5)))
    with pytest.raises(LogError, match="has changed since"):
        replayed(log)
    beside.unlink()
    with pytest.raises(LogError, match="a replay needs it"):
        replayed(log)
    beside.write_bytes(data)
    prune(tmp_path, Limits(kept_megabytes=0))
    assert not list(tmp_path.iterdir())
