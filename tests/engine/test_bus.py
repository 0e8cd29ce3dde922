"""Whoever takes reports and fails ends alone: the engine, the other takers and the session go on."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.core.midi import codec
from improviser.core.midi.event import Event, NoteOn
from improviser.engine import events
from improviser.engine.bus import Bus, alone
from improviser.engine.events import SessionEvent, event_of
from improviser.engine.frames import LENGTH, FrameReader
from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import AnyReport, Applied, Hear, Lost, Played, Ready, Step
from improviser.errors import EngineError, OutputError
from improviser.recordings.recorder import Recorder
from tests.engine.test_note_path import Reports, opening
from tests.playing import note_off, note_on
from tests.recordings.test_recorder import READY, note

ERRORS = [ValueError("a value"), KeyError("a key"), TypeError("two\nlines"), OSError(28, "full"), RecursionError()]


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_subscriber_that_raises_is_cut_off_and_said_once(
    error: Exception, slow: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    taken: list[AnyReport] = []
    asked = 0

    def fail(_: SessionEvent) -> None:
        nonlocal asked
        asked += 1
        raise error

    bus = Bus()
    (bus.subscribe_slow if slow else bus.subscribe)("the display", fail)
    bus.subscribe("the recording", lambda event: taken.append(event.report))
    for count in range(3):
        bus.take(Lost(count))
    bus.close()
    assert taken == [Lost(0), Lost(1), Lost(2)]
    assert asked == 1
    said = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert len(said) == 1
    assert said[0].getMessage().startswith(f"the display has ended by a fault ({type(error).__name__}")
    assert "\n" not in said[0].getMessage()
    assert [record.exc_info is not None for record in caplog.records if record.levelno == logging.DEBUG] == [True]


def test_a_slow_subscriber_drops_its_own_events_counts_them_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """It stands still with an event in its hands: the others have all at once, and it gets as many as find room."""
    caplog.set_level("INFO")
    goes_on, stands = threading.Event(), threading.Event()
    slow: list[AnyReport] = []
    quick: list[AnyReport] = []

    def wait(event: SessionEvent) -> None:
        stands.set()
        goes_on.wait(60)
        slow.append(event.report)

    bus = Bus()
    bus.subscribe_slow("the display", wait, room=5)
    bus.subscribe("the recording", lambda event: quick.append(event.report))
    sent: list[AnyReport] = [Step(float(number), b"\x90<P", [], 0.0) for number in range(20)]
    bus.take(sent[0])
    assert stands.wait(60)
    for report in sent[1:10]:
        bus.take(report)
    assert quick == sent[:10]
    assert bus.dropped == {"the display": 4}
    goes_on.set()
    deadline = time.monotonic() + 60
    while len(slow) < 6:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    for report in sent[10:12]:
        bus.take(report)
    bus.close()
    assert slow == [*sent[:6], Lost(4), *sent[10:12]]
    assert bus.dropped == {"the display": 4}
    bus.take(sent[12])
    assert quick == [*sent[:12], sent[12]]
    assert len(slow) == 9, "closed is closed"
    assert [record.getMessage() for record in caplog.records] == [
        "the display could not keep up: it has missed 4 events of this session"
    ]


def test_the_end_does_not_wait_for_who_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improviser.engine.bus.CLOSE_SECONDS", 0.05)
    for_ever = threading.Event()
    bus = Bus()

    def wait(_: SessionEvent) -> None:
        for_ever.wait(60)

    bus.subscribe_slow("the display", wait)
    for count in range(5000):
        bus.take(Lost(count))
    bus.close()
    assert bus.dropped["the display"] >= 2000
    for_ever.set()


def test_messages_are_decoded_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []

    def decode(message: bytes) -> Event | None:
        decoded.append(message)
        return codec.decode(message)

    monkeypatch.setattr(events, "decode", decode)
    taken: list[SessionEvent] = []
    bus = Bus()
    for part in ("the display", "the recording", "MQTT"):
        bus.subscribe(part, taken.append)
    heard, played = NoteOn(0, 60, 80), NoteOn(0, 48, 70)
    step = Step(1.0, codec.encode(heard), [codec.encode(played)], 0.001)
    bus.take(step)
    assert taken == [SessionEvent(step, heard, (played,))] * 3
    assert decoded == [codec.encode(heard)]
    for report in (Played(2.0, [codec.encode(played)]), Applied("mode", "mute", None, 2.0, [codec.encode(played)])):
        assert event_of(report) == SessionEvent(report, None, (played,))
    assert event_of(Lost(1)) == SessionEvent(Lost(1))


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
        recorder.take(event_of(report))
    recorder.close()
    assert not recorder.on
    assert [record.getMessage() for record in caplog.records] == [
        "the recording has ended by a fault (KeyError: 'a fault'); playing and all else go on"
    ]
    with pytest.raises(OutputError, match="by a fault"):
        recorder.start()
