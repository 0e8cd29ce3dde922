"""The engine process over loopback ports: what comes in is answered, and every ending is silent."""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from improviser.core.live.output.ledger import Ledger
from improviser.core.midi.codec import decode
from improviser.engine import note_path
from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import (
    AnyReport,
    Applied,
    Change,
    FrameReader,
    Hear,
    Noticed,
    Open,
    Panic,
    Played,
    Reporter,
    Step,
    Swap,
    Weighed,
    decode_report,
)
from improviser.errors import EngineError, ImproviserError, MidiSystemError, ModelError, PortError
from improviser.ports.interface import Answered, Listener, LoopbackPorts
from tests.jack_peer import held
from tests.playing import PEDAL_DOWN, note_off, note_on, write_small_model

Scene = Callable[[EngineProcess, "Reports"], Awaitable[None]]


class Reports(list[AnyReport]):
    """What the engine has reported."""

    async def until(self, done: Callable[["Reports"], bool], timeout: float = 10.0) -> None:
        """Wait until the reports are such that `done`."""
        deadline = time.monotonic() + timeout
        while not done(self):
            assert time.monotonic() < deadline, list(self)
            await asyncio.sleep(0.005)

    @property
    def steps(self) -> list[Step]:
        return [report for report in self if isinstance(report, Step)]

    @property
    def sent(self) -> list[bytes]:
        """All messages that left the engine, in order."""
        told = (report for report in self if isinstance(report, Step | Played | Applied))
        return [message for report in told for message in report.played]


def opening(model: Path | str, **changes: object) -> Open:
    fields: dict[str, object] = {
        "api": "loopback",
        "name": "test",
        "input": ["auto"],
        "output": ["auto"],
        "models": [str(model)],
        "parameters": {},
        "seed": 1,
        "epoch": time.perf_counter(),
    }
    return Open(**{**fields, **changes})  # type: ignore[arg-type]


def play(opened: Open, scene: Scene) -> Reports:
    """Run an engine through a scene, close it, and return its reports."""
    reports = Reports()

    async def run() -> None:
        engine, ready = await EngineProcess.open(opened, reports.append)
        assert (ready.api, ready.input, ready.output) == ("loopback", "loopback", "loopback")
        try:
            await scene(engine, reports)
        finally:
            await engine.close()
            assert engine.dead

    asyncio.run(run())
    return reports


def hears(engine: EngineProcess, messages: Sequence[Sequence[int]], seconds: float = 0.25, start: float = 0.0) -> None:
    """Send messages, `seconds` apart by their stamps."""
    for number, message in enumerate(messages):
        engine.send(Hear(start + number * seconds, bytes(message)))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_model(tmp_path_factory.mktemp("models") / "small.safetensors")


TUNE = [message for pitch in (60, 62, 64, 60, 67, 65, 64, 62, 60) for message in (note_on(pitch), note_off(pitch))]


def test_every_note_is_answered_and_ended_at_its_own_stamp(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, TUNE)
        await reports.until(lambda told: len(told.steps) == len(TUNE))

    reports = play(opening(model), scene)
    assert [step.stamp for step in reports.steps] == [number * 0.25 for number in range(len(TUNE))]
    assert [step.heard for step in reports.steps] == [bytes(message) for message in TUNE]
    assert [len(step.played) for step in reports.steps] == [1] * len(TUNE)
    assert all(step.latency_seconds > 0 for step in reports.steps)
    assert not held(reports.sent)


def test_the_same_seed_gives_the_same_messages_and_another_seed_others() -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, TUNE * 4)
        await reports.until(lambda told: len(told.steps) == 4 * len(TUNE))

    first, again, other = (
        play(opening("bach-bass", seed=seed, parameters={"temperature": 1.0}), scene).sent for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_in_quiet_times_the_engine_thinks_of_the_notes_to_come(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        for number in range(500):
            hears(engine, [TUNE[number % len(TUNE)]], start=number * 0.25)
            await asyncio.sleep(0.01)
            if any(step.foreseen for step in reports.steps):
                return

    assert any(step.foreseen for step in play(opening(model), scene).steps)


def test_an_engine_that_died_before_it_was_told_what_to_open_is_an_error_like_any_other(model: Path) -> None:
    async def run() -> None:
        engine = await EngineProcess.start()
        engine.kill()
        await engine.ended()
        with pytest.raises(EngineError, match="before it was ready"):
            await engine.begin(opening(model), lambda _: None)

    asyncio.run(run())


def test_closing_ends_what_sounds_with_its_pedal(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, [PEDAL_DOWN, note_on(60), note_on(64), (0xE0, 0, 96)])
        await reports.until(lambda told: len(told.steps) == 4)
        assert not engine.ledger.silent

    sent = play(opening(model), scene).sent
    assert not held(sent)
    assert (0xB0, 64, 0) in [tuple(message) for message in sent]


def test_the_ledger_is_shared(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, [PEDAL_DOWN, note_on(60), note_on(64)])
        await reports.until(lambda told: len(told.steps) == 3)
        mirror = Ledger()
        for message in reports.sent:
            event = decode(message)
            assert event is not None
            for part in mirror.admit(event):
                mirror.sent(part)
        assert engine.ledger.snapshot() == mirror.snapshot()
        engine.kill()
        await engine.ended()
        assert len(engine.ledger.sounding) == 2

    play(opening(model), scene)


def test_panic_and_changes_are_obeyed_between_notes(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, [note_on(60)])
        engine.send(Panic())
        engine.send(Change("mode", "mute"))
        engine.send(Hear(1.0, bytes(note_on(62))))
        engine.send(Change("mode", "shadow"))
        engine.send(Change("scale", "no such scale"))
        engine.send(Swap(["no such model"]))
        engine.send(Hear(2.0, bytes(note_on(64))))
        await reports.until(lambda told: len(told.steps) == 3)
        await reports.until(lambda told: sum(isinstance(report, Applied) for report in told) == 4)

    reports = play(opening(model), scene)
    assert [len(step.played) for step in reports.steps] == [1, 0, 1]
    applied = [report for report in reports if isinstance(report, Applied)]
    assert sorted(report.error is None for report in applied) == [False, False, True, True]
    assert not held(reports.sent)


def test_swapping_the_model_under_a_held_note_neither_ends_nor_sticks_it(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, [note_on(60)])
        engine.send(Swap(["echo"]))
        engine.send(Hear(1.0, bytes(note_on(62))))
        await reports.until(lambda told: len(told.steps) == 2)
        assert len(held(reports.sent)) == 2
        engine.send(Hear(2.0, bytes(note_off(60))))
        engine.send(Hear(2.1, bytes(note_off(62))))
        await reports.until(lambda told: len(told.steps) == 4)
        assert not held(reports.sent)

    play(opening(model), scene)


@pytest.mark.parametrize(
    "message", [b"", b"\x90", b"\xf8", b"\xf0\x01\xf7", b"\x90\x3c", b"\x3c\x40", b"\xff\xff\xff", bytes(300)]
)
def test_what_is_no_message_is_passed_over(model: Path, message: bytes) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        engine.send(Hear(0.0, message))
        engine.send(Hear(1.0, bytes(note_on(60))))
        await reports.until(lambda told: len(told.steps) == 1)

    assert len(play(opening(model), scene).sent) >= 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"models": ["no such model"]}, ModelError),
        ({"api": "no such api"}, (PortError, MidiSystemError)),
        ({"parameters": {"no such parameter": 1}}, EngineError),
    ],
)
def test_what_cannot_be_opened_is_said(
    model: Path, changes: dict[str, object], error: type[ImproviserError] | tuple[type[ImproviserError], ...]
) -> None:
    with pytest.raises(error):
        play(opening(model, **changes), lambda *_: asyncio.sleep(0))


def test_releases_of_a_dead_predecessor_are_accepted(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, TUNE[:2])
        await reports.until(lambda told: len(told.steps) == 2)

    assert len(play(opening(model, releases=[bytes(note_off(60))]), scene).steps) == 2


def test_a_phrase_is_replied_to_by_the_timer_at_the_scheduled_stamps(model: Path) -> None:
    """The timer plays on the clock: what it is late is told, and is not in the stamps."""

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        begun = time.perf_counter() - opened.epoch
        for number, pitch in enumerate((60, 62, 64, 65)):
            engine.send(Hear(begun + 0.1 * number, bytes(note_on(pitch, 50 + number))))
            engine.send(Hear(begun + 0.1 * number + 0.05, bytes(note_off(pitch))))
        await reports.until(lambda told: len(timed(told)) == 8)

    def timed(reports: Reports) -> list[tuple[float, bytes]]:
        played = (report for report in reports if isinstance(report, Played) and report.cause == "timer")
        return [(report.stamp, message) for report in played for message in report.played]

    opened = opening(model, parameters={"mode": "answer"})
    reports = play(opened, scene)
    starts = [(stamp, message[2]) for stamp, message in timed(reports) if message[0] == 0x90]
    ends = [stamp for stamp, message in timed(reports) if message[0] == 0x80]
    assert [velocity for _, velocity in starts] == [50, 51, 52, 53]
    assert [stamp - starts[0][0] for stamp, _ in starts] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert [end - start for (start, _), end in zip(starts, ends, strict=True)] == pytest.approx([0.05] * 4)
    assert all(report.late_seconds < 0.1 for report in reports if isinstance(report, Played))
    assert not held(reports.sent)


def test_notes_that_come_faster_than_time_find_the_replies_between_them(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        for number in range(5):
            engine.send(Hear(100.0 + 10.0 * number, bytes(note_on(60))))
            engine.send(Hear(100.5 + 10.0 * number, bytes(note_off(60))))
        await reports.until(lambda told: len(told.steps) == 10)

    played = [
        report for report in play(opening(model, parameters={"mode": "answer"}), scene) if isinstance(report, Played)
    ]
    assert [message[0] for report in played for message in report.played if message[0] < 0xB0] == [0x90, 0x80] * 4


def test_a_loop_is_told_once(model: Path) -> None:
    """Every note that is sent comes back in, as a loop in the connections would bring it; only stamps tell the time."""

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        heard = 0
        for number in range(4):
            stamp, messages = float(number), [bytes(note_on(60 + number, 50 + number))]
            while messages:
                engine.send(Hear(stamp, messages.pop(0)))
                heard, stamp = heard + 1, stamp + 0.002
                await reports.until(lambda told, count=heard: len(told.steps) == count)  # type: ignore[misc]
                messages += [message for message in reports.steps[-1].played if message[0] == 0x90]
                assert heard < 100

    reports = play(opening(model, epoch=time.perf_counter() + 3600), scene)
    assert len([report for report in reports if isinstance(report, Noticed)]) == 1
    assert not held(reports.sent)


def test_garbage_is_passed_over(model: Path) -> None:
    garbage = [
        b"",
        b"\x90",
        b"\x90\x3c",
        b"\xf4",
        b"\xf0\x7e\x00",
        b"\xf7",
        b"\x3c\x40",
        b"\xff",
        b"\x90\x90\x90",
        b"\xf2\x01",
    ]
    mixed = [message for note in TUNE for message in (*garbage, bytes(note))]

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, mixed, 0.01)
        await reports.until(lambda told: len(told.steps) == len(TUNE))

    reports = play(opening(model), scene)
    assert [step.heard for step in reports.steps] == [bytes(note) for note in TUNE]
    assert [len(step.played) for step in reports.steps] == [1] * len(TUNE)
    assert not held(reports.sent)


def test_active_sensing_is_told_only_when_it_ends(model: Path) -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        def now() -> float:
            return time.perf_counter() - opened.epoch

        engine.send(Hear(now(), bytes(note_on(60))))
        for _ in range(50):
            engine.send(Hear(now(), b"\xfe"))
        engine.send(Change("temperature", 0.5))
        await reports.until(lambda told: any(isinstance(report, Applied) for report in told))
        assert len(reports.steps) == 1
        await reports.until(lambda told: any(isinstance(report, Noticed) for report in told))

    opened = opening(model)
    reports = play(opened, scene)
    lost = [report for report in reports if isinstance(report, Played) and report.cause == "lost"]
    assert len(lost) == 1
    assert [message[0] & 0xF0 for message in lost[0].played] == [0x80]
    assert len(reports.steps) == 1
    assert not held(reports.sent)


def test_who_is_listened_to_is_told_once_the_player_has_said_something() -> None:
    async def scene(engine: EngineProcess, reports: Reports) -> None:
        hears(engine, [note_on(pitch) for pitch in (60, 62, 64, 65, 67, 65, 64, 62) * 3])
        await reports.until(lambda told: any(isinstance(report, Weighed) for report in told))

    reports = play(opening("auto", parameters={"mode": "answer"}), scene)
    weights = next(report.weights for report in reports if isinstance(report, Weighed))
    assert {"bach-melody", "folk-celtic", "this session"} <= set(weights)
    assert sum(weights.values()) == pytest.approx(1, abs=0.01)
    assert len({*weights.values()}) > 1, "by then they have foreseen it differently"


class PortsPlayedAtOnce(LoopbackPorts):
    """Ports on which somebody plays as soon as they are listened to; they note what had been reported by then."""

    def __init__(self, reports: int) -> None:
        super().__init__()
        self._reports = reports
        self.reported_before = b""

    def listen(self, listener: Listener, answered: Answered) -> None:
        with contextlib.suppress(BlockingIOError):
            self.reported_before = os.read(self._reports, 1 << 16)
        listener(bytes(note_on(60)), 0.0, 0)
        listener(bytes(note_off(60)), 0.0, 0)


def test_whoever_is_told_that_the_ports_are_open_is_heard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reports, reporting = os.pipe()
    os.set_blocking(reports, False)
    ports = PortsPlayedAtOnce(reports)
    monkeypatch.setattr(note_path, "open_ports", lambda *_, **__: ports)
    engine = note_path.Engine(opening(write_small_model(tmp_path / "m.safetensors")), Ledger(), Reporter(reporting))
    engine.start([Change("transpose", 12)])
    engine._catch_up()
    told = [decode_report(body) for body in FrameReader().feed(os.read(reports, 1 << 16))]
    os.close(reports)
    os.close(reporting)
    assert ports.reported_before == b""
    assert [type(report).__name__ for report in told] == ["Ready", "Applied", "Step", "Step"]
    assert isinstance(told[2], Step)
    assert told[2].heard == bytes(note_on(60))
    assert len(told[2].played) == 1
