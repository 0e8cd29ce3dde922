"""The hub: whatever door a request comes through, it is checked, limited, and in the end what was asked for last."""

import asyncio
import time

import pytest

from improviser.engine.live_state import MOST_SWAPS, Reply
from improviser.engine.protocol import MODEL, Applied, Picked
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.engine.supervisor import Supervisor
from improviser.errors import EngineError


def test_of_many_picks_the_last_is_played_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that loads one model waits for the next; too many picks for that are not asked for, but the last is."""
    monkeypatch.setattr(Supervisor, "has_engine", property(lambda _: True))
    choices = tuple((f"model {number}",) for number in range(12))

    async def run() -> None:
        service = Service(Session(choices=choices, models=("another",)))
        for number in range(len(choices)):
            service._take(Picked(number))
        assert service.models == choices[MOST_SWAPS - 1]
        service._take(Applied(MODEL, list(choices[0]), request=1))
        deadline = time.monotonic() + 20
        while service.models != choices[-1]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        service._take(Picked(3))
        service._take(Picked(11))
        await asyncio.sleep(0.3)
        assert service.models == choices[-1]

    asyncio.run(run())


def test_a_reply_that_nobody_waits_for_any_more_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "has_engine", property(lambda _: True))

    async def run() -> None:
        service = Service(Session())
        assert (service.confirmed("density"), service.confirmed(MODEL)) == (1.0, ("bach-bass",))
        given_up, awaited = (service.request("density", 0.5, "mqtt") for _ in range(2))
        given_up.cancel()
        assert (service.parameters.density, service.confirmed("density")) == (0.5, 1.0)
        for number in (1, 2):
            service._take(Applied("density", 0.5, request=number))
        assert await awaited == Reply("density", 0.5)
        assert service.parameters.density == service.confirmed("density") == 0.5

    asyncio.run(run())


def test_text_means_what_it_means_in_the_settings_whatever_the_door() -> None:
    async def run() -> None:
        service = Service(Session())
        service.request("density", "0.5", "keys")
        service.request("thru", "true", "learning")
        assert (service.parameters.density, service.parameters.thru) == (0.5, True)

    asyncio.run(run())


def test_a_door_that_asks_for_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "has_engine", property(lambda _: True))

    async def run() -> None:
        service = Service(Session())
        for number in range(MOST_SWAPS):
            service.request(MODEL, [f"model {number}"], "mqtt")
        with pytest.raises(EngineError, match="busy"):
            service.request(MODEL, ["another"], "mqtt")
        service.request(MODEL, ["another"], "keys")
        assert service.models == ("another",)

    asyncio.run(run())
