"""What keys do to a session."""

import asyncio
from collections.abc import Callable

import pytest

from improviser import library
from improviser.core.live.parameters import MODES
from improviser.daemon import Service, Session
from improviser.pipe import Change, Command, Panic, Swap
from improviser.session.steering import Steering


class Recorded(Service):
    """A service without an engine that remembers what it was told."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.sent: list[Command] = []
        self.stopped = False

    def send(self, command: Command) -> None:
        self.sent.append(command)
        super().send(command)

    def stop(self) -> None:
        self.stopped = True
        super().stop()


def after(keys: str | list[str], session: Session | None = None) -> Recorded:
    """Return a service after `keys` were pressed."""

    async def press() -> Recorded:
        service = Recorded(session or Session())
        steering = Steering(service)
        for key in keys:
            steering.press(key)
        return service

    return asyncio.run(press())


def test_modes_go_round() -> None:
    service = after("m" * len(MODES))
    assert service.sent == [Change("mode", mode) for mode in (*MODES[1:], MODES[0])]


@pytest.mark.parametrize(
    ("keys", "temperature"),
    [
        ("+", 0.8),
        ("=", 0.8),
        ("-", 0.6),
        (["up", "right", "down"], 0.8),
        ("-" * 9, 0.0),
        ("+" * 50, 4.0),
        ("+-" * 9, 0.7),
    ],
)
def test_temperature_keeps_its_range(keys: str | list[str], temperature: float) -> None:
    assert after(keys).parameters.temperature == temperature


def test_models_go_round() -> None:
    names = library.names()
    service = after("n" * len(names), Session(models=(names[0],)))
    assert service.sent == [Swap([name]) for name in (*names[1:], names[0])]
    assert after("n", Session(models=("/somewhere/mine.safetensors",))).models == (names[0],)


@pytest.mark.parametrize(
    ("key", "happened"),
    [
        (" ", lambda service: service.sent == [Panic()]),
        ("P", lambda service: service.sent == [Panic()]),
        ("q", lambda service: service.stopped and not service.sent),
        ("7", lambda service: not service.sent and not service.stopped),
        ("left", lambda service: service.parameters.temperature == 0.6),
    ],
)
def test_other_keys(key: str, happened: Callable[[Recorded], bool]) -> None:
    assert happened(after([key]))
