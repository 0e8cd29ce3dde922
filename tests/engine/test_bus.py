"""Whoever takes reports and fails ends alone: the engine, the other takers and the session go on."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.engine.bus import Bus, alone
from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import LENGTH, AnyReport, FrameReader, Hear, Lost, Ready
from improviser.errors import EngineError, OutputError
from improviser.recordings.recorder import Recorder
from tests.engine.test_note_path import Reports, opening
from tests.playing import note_off, note_on
from tests.recordings.test_recorder import READY, note

ERRORS = [ValueError("a value"), KeyError("a key"), TypeError("two\nlines"), OSError(28, "full"), RecursionError()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_subscriber_that_raises_is_cut_off_and_said_once(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    taken: list[AnyReport] = []
    asked = 0

    def fail(_: AnyReport) -> None:
        nonlocal asked
        asked += 1
        raise error

    bus = Bus()
    bus.subscribe("the display", fail)
    bus.subscribe("the recording", taken.append)
    for count in range(3):
        bus.take(Lost(count))
    assert taken == [Lost(0), Lost(1), Lost(2)]
    assert asked == 1
    said = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert len(said) == 1
    assert said[0].getMessage().startswith(f"the display has ended by a fault ({type(error).__name__}")
    assert "\n" not in said[0].getMessage()
    assert [record.exc_info is not None for record in caplog.records if record.levelno == logging.DEBUG] == [True]


def test_what_a_part_does_beside_ends_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise OutputError("the disk is full")

    asyncio.run(alone("learning", fail()))
    assert [record.getMessage() for record in caplog.records] == [
        "learning has ended by a fault (the disk is full); playing and all else go on"
    ]

    async def cancel() -> bool:
        waiting = asyncio.ensure_future(alone("learning", asyncio.sleep(60)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return waiting.cancelled()

    assert asyncio.run(cancel())


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_engine_goes_on_whatever_its_listener_raises(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    reports = Reports()

    def fail(report: AnyReport) -> None:
        reports.append(report)
        raise error

    async def run() -> None:
        engine, _ = await EngineProcess.open(opening("echo"), fail)
        for number in range(3):
            engine.send(Hear(number * 1.0, bytes(note_on(60))))
            engine.send(Hear(number * 1.0 + 0.5, bytes(note_off(60))))
        await reports.until(lambda told: len(told.steps) == 6)
        assert not engine.dead
        await engine.close()

    asyncio.run(run())
    assert isinstance(reports[0], Ready)
    assert len([record for record in caplog.records if "was not taken" in record.getMessage()]) == 1


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", LENGTH.pack(3) + b"abc", LENGTH.pack(1) + b"\x01"])
def test_an_engine_whose_reports_cannot_be_read_is_ended(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    class Torn(FrameReader):
        def feed(self, data: bytes) -> Iterator[bytes]:
            yield from super().feed(sent + data)

    async def run() -> None:
        monkeypatch.setattr("improviser.engine.handle.FrameReader", Torn)
        with pytest.raises(EngineError, match="the engine's reports cannot be read"):
            await EngineProcess.open(opening("echo"), lambda _: None)

    asyncio.run(run())


def test_a_recorder_with_a_fault_of_its_own_says_so_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a fault")

    monkeypatch.setattr("improviser.recordings.recorder.Sessions.write", fail)
    recorder = Recorder(tmp_path)
    for report in (READY, *note(1.0)):
        recorder.take(report)
    recorder.close()
    assert not recorder.on
    assert [record.getMessage() for record in caplog.records] == [
        "the recording has ended by a fault (KeyError: 'a fault'); playing and all else go on"
    ]
    with pytest.raises(OutputError, match="by a fault"):
        recorder.start()
