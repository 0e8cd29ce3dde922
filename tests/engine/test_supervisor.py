"""The daemon over loopback ports: engines come and go, the session goes on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import UNSET

from improviser.core.live.output.ledger import Ledger
from improviser.core.midi.codec import encode
from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn, PitchBend
from improviser.engine import supervisor
from improviser.engine.live_state import ENDED, REFUSED, Door, Reply
from improviser.engine.protocol import MODEL, AnyReport, Applied, Hear, Played, Ready, Step
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import ConfigError, ImproviserError, MidiSystemError, ModelError
from improviser.ports import connections, hotplug
from improviser.ports.interface import LOOPBACK
from improviser.ports.patchbay import Parted
from tests.jack_peer import held
from tests.playing import bus_to, kill_engines_asked_for, note_off, note_on, write_small_model
from tests.processes import freeze, is_there, kill

Scene = Callable[[Service, list[AnyReport]], Awaitable[None]]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_small_model(tmp_path / "small.safetensors"))


def run(session: Session, scene: Scene) -> list[AnyReport]:
    """Run a service through a scene and stop it; return the reports of all its engines."""
    reports: list[AnyReport] = []

    async def live() -> None:
        service = Service(session, bus_to(reports.append))
        running = asyncio.ensure_future(service.run())
        try:
            await asyncio.wait({running, asyncio.ensure_future(service.opened())}, return_when="FIRST_COMPLETED")
            if not running.done():
                await scene(service, reports)
        finally:
            service.stop()
            await running

    asyncio.run(live())
    return reports


async def until(done: Callable[[], bool], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.01)


def engines(reports: list[AnyReport]) -> int:
    return sum(isinstance(report, Ready) for report in reports)


def steps(reports: list[AnyReport]) -> list[Step]:
    return [report for report in reports if isinstance(report, Step)]


def sent(reports: list[AnyReport]) -> list[bytes]:
    return [message for report in reports if isinstance(report, Step | Played) for message in report.played]


def engine_pid(service: Service) -> int:
    assert service._supervisor._engine is not None
    return service._supervisor._engine.pid


def test_a_killed_engine_is_replaced_and_keeps_what_was_changed(model: str) -> None:
    async def scene(service: Service, reports: list[AnyReport]) -> None:
        service.request("mode", "mute", "keys")
        service.send(Hear(0.0, bytes(note_on(60))))
        await until(lambda: len(steps(reports)) == 1)
        kill(engine_pid(service))
        await until(lambda: engines(reports) == 2)
        service.send(Hear(1.0, bytes(note_on(62))))
        await until(lambda: len(steps(reports)) == 2)
        service.request("mode", "shadow", "keys")
        service.send(Hear(2.0, bytes(note_on(64))))
        await until(lambda: len(steps(reports)) == 3)

    reports = run(Session(api=LOOPBACK, models=(model,)), scene)
    assert [len(step.played) for step in steps(reports)] == [0, 0, 1]
    assert not held(sent(reports))


def test_a_frozen_engine_is_killed_and_replaced(model: str) -> None:
    async def scene(service: Service, reports: list[AnyReport]) -> None:
        frozen = engine_pid(service)
        freeze(frozen)
        await until(lambda: engines(reports) == 2)
        assert not is_there(frozen)
        service.send(Hear(0.0, bytes(note_on(60))))
        await until(lambda: len(steps(reports)) == 1)

    run(Session(api=LOOPBACK, models=(model,)), scene)


def test_a_model_that_ends_every_engine_is_given_up(model: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(service: Service, reports: list[AnyReport]) -> None:
        assert await service.request(MODEL, ["echo"], "keys") == Reply(MODEL, ["echo"])
        for death in range(1, 4):
            kill(engine_pid(service))
            await until(lambda death=death: engines(reports) == 1 + death)  # type: ignore[misc]
            await until(lambda: service._supervisor._engine is not None)
        assert service.models == (model,)

    run(Session(api=LOOPBACK, models=(model,)), scene)
    assert "ends every engine" in caplog.text


def test_a_request_that_no_engine_lives_to_confirm_is_refused_and_says_so(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine dies whenever it is asked for this: the second time, nobody asks again, and the session goes on."""
    kill_engines_asked_for("quantise", monkeypatch)

    async def scene(service: Service, reports: list[AnyReport]) -> None:
        fatal = service.request("quantise", "1/4", "mqtt")
        sound = service.request("density", 0.5, "mqtt")
        assert await fatal == Reply("quantise", "1/4", REFUSED)
        assert await sound == Reply("density", 0.5)
        assert (service.parameters.quantise, service.parameters.density) == ("off", 0.5)
        service.send(Hear(0.0, bytes(note_on(60))))
        await until(lambda: len(steps(reports)) == 1)
        assert engines(reports) == 3

    reports = run(Session(api=LOOPBACK, models=(model,)), scene)
    applied = [report for report in reports if isinstance(report, Applied)]
    assert [(report.parameter, report.error) for report in applied] == [("quantise", REFUSED), ("density", None)]


def test_requests_are_replied_to_one_by_one_and_at_the_end(model: str) -> None:
    async def scene(service: Service, reports: list[AnyReport]) -> None:
        doors: tuple[Door, ...] = "keys", "mqtt", "keys"
        same = [service.request("density", 0.5, door) for door in doors]
        broken = service.request(MODEL, ["no such model"], "keys")
        assert await asyncio.gather(*same) == [Reply("density", 0.5)] * 3
        assert "no model named" in str((await broken).error)
        wrong: list[tuple[str, object]] = [("density", 2), ("nonsense", 1), ("name", "x"), ("low", 128), (MODEL, 7)]
        for parameter, value in wrong:
            with pytest.raises(ConfigError):
                service.request(parameter, value, "keys")
        await service.request("high", 60, "keys")
        with pytest.raises(ConfigError, match="low must not be above high; they are 61 and 60"):
            service.request("low", 61, "keys")
        assert not [report for report in reports if isinstance(report, Applied) and report.request is not UNSET]
        freeze(engine_pid(service))
        late.append(service.request("density", 0.1, "keys"))

    late: list[asyncio.Future[Reply]] = []
    run(Session(api=LOOPBACK, models=(model,)), scene)
    assert late[0].result() == Reply("density", 0.1, ENDED)


def test_a_model_that_cannot_be_is_no_hindrance_to_a_next_engine(model: str) -> None:
    """It is asked for while there is no engine; the next one begins with what was confirmed, and refuses it."""

    async def scene(service: Service, reports: list[AnyReport]) -> None:
        kill(engine_pid(service))
        await until(lambda: service._supervisor._engine is None)
        reply = await service.request(MODEL, ["no such model"], "keys")
        assert "no model named" in str(reply.error)
        assert engines(reports) == 2
        assert service.models == (model,)

    run(Session(api=LOOPBACK, models=(model,)), scene)


def test_a_model_that_is_not_there_leaves_the_one_that_plays(model: str) -> None:
    async def scene(service: Service, reports: list[AnyReport]) -> None:
        service.request(MODEL, ["no such model"], "keys")
        await until(lambda: service.models == (model,))
        service.send(Hear(0.0, bytes(note_on(60))))
        service.send(Hear(0.1, bytes(note_off(60))))
        await until(lambda: len(steps(reports)) == 2)

    reports = run(Session(api=LOOPBACK, models=(model,)), scene)
    assert [len(step.played) for step in steps(reports)] == [1, 1]


def test_of_two_wishes_the_second_counts_though_the_first_cannot_be(model: str) -> None:
    async def scene(service: Service, reports: list[AnyReport]) -> None:
        service.request(MODEL, ["no such model"], "keys")
        service.request(MODEL, ["echo"], "keys")
        await until(lambda: sum(isinstance(report, Applied) for report in reports) == 2)
        assert service.models == ("echo",)
        service.request(MODEL, ["no such model"], "keys")
        await until(lambda: sum(isinstance(report, Applied) for report in reports) == 3)
        assert service.models == ("echo",)
        kill(engine_pid(service))
        await until(lambda: engines(reports) == 2)
        service.send(Hear(0.0, bytes(note_on(60))))
        await until(lambda: len(steps(reports)) == 1)

    run(Session(api=LOOPBACK, models=(model,)), scene)


def test_what_cannot_be_opened_at_first_is_an_error() -> None:
    with pytest.raises(ModelError) as raised:
        run(Session(api=LOOPBACK, models=("no such model",)), lambda *_: asyncio.sleep(0))
    assert isinstance(raised.value, ImproviserError)


def test_on_a_slow_machine_an_engine_gets_the_time_that_it_needs(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "START_SECONDS", 0.02)
    monkeypatch.setattr(supervisor, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "OPENINGS", 100)

    async def scene(service: Service, reports: list[AnyReport]) -> None:
        service.send(Hear(0.0, bytes(note_on(60))))
        await until(lambda: len(steps(reports)) == 1)
        assert service._supervisor._start_seconds == 0.02  # the next one is to be as quick as ever

    assert engines(run(Session(api=LOOPBACK, models=(model,)), scene)) == 1


def test_a_device_that_is_plugged_in_again_is_opened_again(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    present = [True]
    monkeypatch.setattr(hotplug, "LOOPBACK", "another")  # so that the loopback's ports are looked after like a device
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(hotplug, "ports_there", lambda _: ((LOOPBACK,) if present[0] else (), (LOOPBACK,)))

    async def scene(service: Service, reports: list[AnyReport]) -> None:
        service.send(Hear(0.0, bytes(note_on(60))))
        await until(lambda: len(steps(reports)) == 1)
        present[0] = False
        await until(lambda: not held(sent(reports)))
        present[0] = True
        await until(lambda: engines(reports) == 2)
        service.send(Hear(1.0, bytes(note_on(62))))
        await until(lambda: len(steps(reports)) == 2)

    run(Session(api=LOOPBACK, models=(model,)), scene)


def test_an_output_that_was_gone_gets_the_end_of_all_that_it_may_still_play() -> None:
    ledger = Ledger()
    for event in (NoteOn(3, 60, 80), NoteOff(3, 60)):
        ledger.admit(event)
        ledger.sent(event)
    assert ledger.silent
    engine = cast("Any", SimpleNamespace(ledger=ledger))
    ends: list[Event] = [ControlChange(3, 64, 0), ControlChange(3, 66, 0), PitchBend(3, 0), ControlChange(3, 123, 0)]
    assert supervisor._endings(engine) == [encode(end) for end in ends]


def test_a_server_that_lets_only_the_engine_in_at_first_is_tried_again(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopted: list[str] = []
    tries: list[str] = []

    def patchbay(name: str, *_: object, **__: object) -> Any:
        tries.append(name)
        if len(tries) == 1:
            raise MidiSystemError("no JACK server answers")
        nothing, silent = (lambda *_: ()), (lambda *_, **__: None)
        return SimpleNamespace(
            server="jackd",
            gone=False,
            ports={},
            expect=silent,
            adopt=adopted.append,
            resolve=silent,
            refresh=nothing,
            unplugged=nothing,
            parted=Parted,
            close=silent,
        )

    async def scene(service: Service, _reports: list[AnyReport]) -> None:
        assert service.connections == ("virtual port in", "virtual port out")

    monkeypatch.setattr(supervisor, "JACK_APIS", (LOOPBACK,))
    monkeypatch.setattr(connections, "Patchbay", patchbay)
    reports = run(Session(LOOPBACK, "test", ("virtual",), ("virtual",), models=(model,)), scene)
    assert (engines(reports), len(adopted), len(tries)) == (2, 1, 2)
