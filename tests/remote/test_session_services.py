"""Settings that are read again: what has changed is asked for in an order in which it can all be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from improviser.engine.live_state import BUSY, Door, Reply
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import ConfigError, EngineError
from improviser.remote.session_services import SessionServices
from improviser.settings.config import Config
from improviser.settings.schema import Settings


class Told(Service):
    """A service without an engine that remembers what it was asked for; it refuses what it is told to."""

    def __init__(self, session: Session, busy: set[str]) -> None:
        super().__init__(session)
        self.asked: list[tuple[str, Any, str]] = []
        self._busy = busy

    def request(self, parameter: str, value: Any, door: Door) -> asyncio.Future[Reply]:
        self.asked.append((parameter, value, door))
        if parameter in self._busy:
            raise EngineError(BUSY)
        return super().request(parameter, value, door)


def reloaded(before: Settings, *later: Settings | ConfigError, busy: set[str] | None = None) -> Told:
    """Return a service after settings were read again."""
    files = iter(later)

    def load() -> Config:
        if isinstance(fresh := next(files), ConfigError):
            raise fresh
        return Config(fresh, {}, None)

    async def run() -> Told:
        config = Config(before, {}, None)
        service = Told(Session(models=before.model, parameters=config.live), busy or set())
        services = SessionServices(config, load)
        try:
            for _ in later:
                services.reload(service)
        finally:
            services.close()
        return service

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_a_range_moves_upwards_whole(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    service = reloaded(Settings(low=10, high=40), Settings(high=90, low=60, density=0.5, model=("echo",)))
    assert [(parameter, door) for parameter, _, door in service.asked] == [
        *(("model", "settings"), ("density", "settings"), ("high", "settings"), ("low", "settings")),
    ]
    assert (service.parameters.low, service.parameters.high) == (60, 90)
    assert [record.getMessage() for record in caplog.records] == [
        "read the settings again: model = echo, density = 0.5, high = 90, low = 60"
    ]


def test_what_could_not_be_asked_for_is_said_and_asked_for_another_time(caplog: pytest.LogCaptureFixture) -> None:
    fresh = Settings(density=0.5, temperature=1.0)
    service = reloaded(Settings(), fresh, ConfigError("it is broken"), fresh, busy={"density"})
    assert [(name, value) for name, value, _ in service.asked] == [
        *(("temperature", 1.0), ("density", 0.5), ("density", 0.5)),
    ]
    assert f"density stays as it was: {BUSY}" in caplog.text
    assert "the settings stay as they were: it is broken" in caplog.text
