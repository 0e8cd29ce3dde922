"""A session begins and ends in one place: the service first, then what goes on beside it, then slow subscribers."""

import asyncio
from pathlib import Path

import pytest

from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Hear, Played, Ready, Step
from improviser.engine.session import Session
from improviser.errors import EngineError, ModelError
from improviser.ports.interface import LOOPBACK
from improviser.session.live import Live, live
from tests.playing import note_on, write_small_model


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(api=LOOPBACK, models=(str(write_small_model(tmp_path / "small.safetensors")),))


def test_all_is_ended_in_order(session: Session) -> None:
    happened: list[str] = []
    bus = Bus()

    def take(event: SessionEvent) -> None:
        happened.append(type(event.report).__name__)

    def take_slowly(event: SessionEvent) -> None:
        if isinstance(event.report, Played):
            ended.wait(5)
            happened.append("taken slowly")

    async def beside() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            happened.append("beside")
            ended.set()

    async def run() -> None:
        async with live(session, bus) as playing:
            await playing.opened()
            playing.beside("a part", beside())
            playing.service.send(Hear(0.0, bytes(note_on(60))))
            while Step.__name__ not in happened:
                await asyncio.sleep(0.005)
        assert not playing.service.playing

    import threading

    ended = threading.Event()
    bus.subscribe("the recording", take)
    bus.subscribe_slow("the display", take_slowly)
    asyncio.run(run())
    assert happened == [Ready.__name__, Step.__name__, Played.__name__, "beside", "taken slowly"]


def test_what_fails_beside_ends_alone(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise KeyError("a fault")

    async def run() -> None:
        async with live(session, Bus()) as playing:
            playing.beside("learning", fail())
            await playing.opened()
            assert playing.service.playing

    asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == [
        "learning has ended by a fault (KeyError: 'a fault'); playing and all else go on"
    ]


def test_an_engine_that_cannot_open_is_an_error_wherever_one_waits() -> None:
    wrong = Session(api=LOOPBACK, models=("no such model",))

    async def opened(playing: Live) -> None:
        await playing.opened()

    async def ended(playing: Live) -> None:
        await playing.ended()

    async def elsewhere(playing: Live) -> None:
        while not playing._running.done():
            await asyncio.sleep(0.005)

    for wait in (opened, ended, elsewhere):

        async def run(wait=wait) -> None:  # type: ignore[no-untyped-def]
            async with live(wrong, Bus()) as playing:
                await wait(playing)

        with pytest.raises(ModelError):
            asyncio.run(run())


def test_a_session_that_is_stopped_before_it_plays_is_said(session: Session) -> None:
    async def run() -> None:
        async with live(session, Bus()) as playing:
            playing.service.stop()
            await playing.opened()

    with pytest.raises(EngineError, match="ended before an engine played"):
        asyncio.run(run())


def test_what_is_raised_within_is_raised_and_the_session_ended(session: Session) -> None:
    ended: list[Live] = []

    async def run() -> None:
        async with live(session, Bus()) as playing:
            ended.append(playing)
            await playing.opened()
            raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(run())
    assert not ended[0].service.playing
