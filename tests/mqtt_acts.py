"""A session over loopback ports with MQTT: steered and watched over MQTT while a player plays."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from improviser.core.addresses.broker import Broker as Address
from improviser.engine.protocol import AnyReport, Applied, Hear, Played, Step
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.remote.mqtt import Access
from improviser.remote.mqtt_session import MqttSession
from improviser.settings.schema import Settings
from tests.jack_peer import held
from tests.playing import bus_to, note_off, note_on
from tests.servers import Broker, EmbeddedBroker


@dataclass
class Act:
    """A running session: what it was told, and what it did."""

    service: Service
    mqtt: MqttSession
    reports: list[AnyReport] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        return [report for report in self.reports if isinstance(report, Step)]

    @property
    def played(self) -> list[bytes]:
        """All that left the engine, in order."""
        told = (report for report in self.reports if isinstance(report, Step | Played | Applied))
        return [message for report in told for message in report.played]

    async def play(self, notes: int, per_second: float = 50.0) -> None:
        """Play so many notes, each ended before the next."""
        start = time.perf_counter() + 0.05
        for number in range(notes):
            pitch = 48 + number * 7 % 36
            for message, moment in ((note_on(pitch), number), (note_off(pitch), number + 0.5)):
                await asyncio.sleep(max(0.0, start + moment / per_second - time.perf_counter()))
                self.sent.append(bytes(message))
                self.service.send(Hear(time.perf_counter() - self.service.epoch, bytes(message)))

    async def until(self, done: Callable[[], object], timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, self.reports[-5:]
            await asyncio.sleep(0.01)

    async def assert_every_note_was_answered(self) -> None:
        """Assert that the engine heard all that was played, in order, answered each note, and ended each answer."""
        await self.until(lambda: len(self.steps) >= len(self.sent))
        assert [step.heard for step in self.steps] == self.sent
        assert all(step.played for step in self.steps)
        assert not held(self.played)


Scene = Callable[[Act], Awaitable[None]]


def mqtt_session(broker: Broker, scene: Scene, **settings: Any) -> Act:
    """Run one session through a scene."""
    return asyncio.run(_aired(broker, scene, Settings(**{"model": ("small",), **settings})))


@contextlib.asynccontextmanager
async def mqtt_act(
    broker: Broker | EmbeddedBroker, settings: Settings, save: Callable[[], str] | None = None
) -> AsyncIterator[Act]:
    """Have a session with MQTT while the block lasts."""
    mqtt = MqttSession(Access(Address(broker.host, broker.port)), settings, save)
    reports: list[AnyReport] = []

    session = Session(
        api="loopback", name=settings.name, models=settings.model, parameters={"temperature": 0.7}, seed=1
    )
    service = Service(session, bus_to(reports.append, events=[mqtt.take]))
    playing = asyncio.ensure_future(service.run())
    published = asyncio.ensure_future(mqtt.run(service))
    try:
        await service.opened()
        yield Act(service, mqtt, reports)
    finally:
        service.stop()
        await playing
        published.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await published


async def _aired(broker: Broker, scene: Scene, settings: Settings) -> Act:
    with _faults() as faults:
        async with mqtt_act(broker, settings) as act:
            act.faults = faults
            await scene(act)
    assert act.mqtt.link.counts.faults == 0
    assert not faults
    return act


@contextlib.contextmanager
def _faults() -> Iterator[list[str]]:
    """Collect what asyncio says of exceptions that nobody looked at."""
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR:
                said.append(record.getMessage())

    handler = Handler()
    logging.getLogger("asyncio").addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger("asyncio").removeHandler(handler)
