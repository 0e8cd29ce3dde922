"""A session with its page for a test: a real engine over loopback ports, a real server, and programs as pages."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Step
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.ports.interface import LOOPBACK
from improviser.session.live import live
from improviser.settings.page_address import PageAddress
from improviser.web.access import Access, access_of
from improviser.web.page_requests import Recording
from improviser.web.server import PageServer
from tests.playing import write_small_model
from tests.servers import free_port

PATIENCE = 20.0
Message = dict[str, Any]


@dataclass
class Client:
    """A page as a program; `said` is all that it has been told."""

    socket: aiohttp.ClientWebSocketResponse
    said: list[Message] = field(default_factory=list)

    async def wait_for(self, wanted: Callable[[Message], bool], count: int = 1) -> Message:
        """Return the latest message that is `wanted`, when there have been so many."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [message for message in self.said if wanted(message)]
            if len(found) >= count:
                return found[-1]
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                frame = await self.socket.receive()
            assert frame.type is aiohttp.WSMsgType.TEXT, f"{frame}; was told {[each['type'] for each in self.said]}"
            messages = json.loads(frame.data)
            for message in messages:
                if message["type"] == "there?":
                    await self.say(type="here")
            self.said += messages

    async def hear(self, kind: str, count: int = 1, **values: Any) -> Message:
        """Return the latest message of a type and with these values, when there have been so many."""
        return await self.wait_for(
            lambda message: message["type"] == kind and values.items() <= message.items(), count=count
        )

    async def hear_note(self, pitch: int) -> Message:
        """Return what was told when the player's note of this pitch was heard."""
        return await self.wait_for(
            lambda message: message["type"] == "step" and (message["heard"] or {}).get("on") == pitch
        )

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send_str(json.dumps(message))

    async def midi(self, *data: int) -> None:
        """Send a MIDI message."""
        await self.say(type="midi", bytes=data)

    async def ended(self) -> tuple[int | None, str]:
        """Wait until we are cut off; return the code and the reason."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.socket.receive()
                if frame.type is aiohttp.WSMsgType.CLOSE:
                    return frame.data, frame.extra or ""
                if frame.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR):
                    return self.socket.close_code, ""

    def tear(self) -> None:
        """Lose the connection, without a word."""
        connection = self.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()


class Scene:
    """A session that plays, and its page."""

    def __init__(self, server: PageServer, service: Service, bus: Bus, client: aiohttp.ClientSession) -> None:
        self.server, self.service, self.bus, self.client = server, service, bus, client
        self.heard: list[bytes] = []
        """The player's messages that the engine has heard."""
        bus.subscribe("the test", self._take)

    def _take(self, event: SessionEvent) -> None:
        if isinstance(event.report, Step):
            self.heard.append(event.report.heard)

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def get(self, path: str = "/", **headers: str) -> aiohttp.ClientResponse:
        """Ask for something; the body has been read."""
        response = await self.client.get(f"{self.site}{path}", headers=headers, allow_redirects=False)
        await response.read()
        return response

    async def page(self, path: str = "/", **headers: str) -> Client:
        """Open a page, and wait until it knows the session."""
        client = await self.socket(path, **headers)
        await client.hear("state")
        return client

    async def socket(self, path: str = "/", **headers: str) -> Client:
        """Open a page's socket."""
        given = {"Origin": self.site} | headers
        return Client(await self.client.ws_connect(f"{self.site}{path}socket", headers=given, max_msg_size=0))

    async def wait_until_heard(self, *messages: bytes) -> None:
        """Wait until the engine has heard these, in whatever order."""
        async with asyncio.timeout(PATIENCE):
            while not set(messages) <= set(self.heard):
                await asyncio.sleep(0.005)


class Tape:
    """A recording that notes what is asked of it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.on = False
        self.folder = folder

    def turn(self, _: Service, on: bool) -> str:
        self.on = on
        return "recording" if on else "ended"

    @property
    def recording(self) -> Recording:
        return Recording(lambda: self.on, self.turn, self.folder)


@dataclass
class Stage:
    """What is needed for a scene."""

    model: Path
    tape: Tape = field(default_factory=Tape)

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        return cls(write_small_model(folder / "small.safetensors"))

    @contextlib.asynccontextmanager
    async def begin(self, access: Access | None = None) -> AsyncIterator[Scene]:
        """Play a session with its page while the block lasts."""
        address = PageAddress(port=free_port())
        server = PageServer(address, access or access_of(address, (), None), self.tape.recording)
        bus = Bus()
        await server.open()
        bus.subscribe_slow("the page", server.take)
        session = Session(api=LOOPBACK, models=(str(self.model),))
        try:
            async with (
                live(session, bus) as playing,
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
            ):
                await playing.opened()
                playing.beside("the page", server.run(playing.service))
                yield Scene(server, playing.service, bus, client)
        finally:
            await server.close()
