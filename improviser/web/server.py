"""The pages of a session: who is here, what they are told, and how they come and go; part of the daemon's loop.

It is beside the note path and never in it. A page that is slow misses what it cannot take; one that floods is cut off;
one that goes, or falls asleep, lets go of all that it held.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from improviser.core.live.parameters.table import TABLE
from improviser.engine.bus import alone
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import MODEL
from improviser.engine.service import Service
from improviser.pacing import Bucket
from improviser.settings.page_address import PageAddress
from improviser.version import __version__
from improviser.web.access import Access, Role
from improviser.web.feed import Feed
from improviser.web.files import INDEX
from improviser.web.messages import LARGEST_MESSAGE, clean, decode, encode, labels_of, table
from improviser.web.page import Page
from improviser.web.page_requests import NOT_UNDERSTOOD, PageRequests, Recording
from improviser.web.recordings import Recordings
from improviser.web.site import SOCKET, Site

log = logging.getLogger("improviser")

MOST_PLAYERS, MOST_AUDIENCE = 16, 256
COMING_RATE, COMING_BURST = 50.0, 400.0
"""How many sockets may be opened in a second, for ever and at once."""
LOOK_SECONDS = 0.05
FIGURES_SECONDS = 0.25
PING_SECONDS = 4.0
FLOOD = "too many messages"


class PageServer:
    """Serves the page of a session: `open` it, `run` it as long as the session lasts, `close` it.

    :param address: where to listen.
    :param access: what lets one in.
    """

    def __init__(self, address: PageAddress, access: Access, recording: Recording | None = None) -> None:
        recording = recording or Recording()
        self._requests = PageRequests(recording)
        self._recordings = Recordings(recording.folder)
        doors = {SOCKET: self._serve_page, "recordings": self._recordings.answer}
        self._site = Site(address, access, INDEX, doors)
        self._pages: set[Page] = set()
        self._coming = Bucket(COMING_RATE, COMING_BURST)
        self._feed = Feed(asyncio.get_running_loop(), self._deliver)
        self._playing = asyncio.Event()
        self._state: dict[str, Any] = {}
        self._ended = False
        self.arrived = asyncio.Event()
        """Set when a first page has come."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._site.port

    async def open(self) -> None:
        """Listen.

        :raises ConfigError: if that is not possible there.
        """
        await self._site.open()

    async def run(self, service: Service) -> None:
        """Serve a session until cancelled."""
        await service.opened()
        self._requests.begin(service)
        self._playing.set()
        figures: dict[str, Any] = {}
        looked = 0.0
        while True:
            if self._pages:
                self._requests.look_after_sleepers(self._pages)
                self._feed.pass_time(self._requests.now)
                self._tell_state()
                if time.monotonic() - looked >= FIGURES_SECONDS:
                    looked = time.monotonic()
                    fresh = self._feed.figures(self._requests.now)
                    if fresh != figures:
                        figures = fresh
                        self._deliver([encode({"type": "figures", **figures})], False)
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Tell the pages that the session has ended, and listen no more."""
        self._ended = True
        self._site.listen_no_more()
        for page in [*self._pages]:
            self._requests.release(page)
        await asyncio.gather(*(page.close(WSCloseCode.GOING_AWAY, "the session has ended") for page in [*self._pages]))
        await self._site.close()
        await self._recordings.close()

    def take(self, event: SessionEvent) -> None:
        """Take in an event; in a thread of its own."""
        self._feed.take(event)

    async def _serve_page(self, request: web.Request, role: Role, _: str) -> web.StreamResponse:
        most = MOST_PLAYERS if role == "player" else MOST_AUDIENCE
        there = sum(page.role == role for page in self._pages)
        if self._ended or there >= most or not self._coming.take(time.monotonic()):
            raise web.HTTPServiceUnavailable(text=f"{there} pages are open, and {most} are the most.\n")
        socket = web.WebSocketResponse(
            heartbeat=PING_SECONDS, max_msg_size=LARGEST_MESSAGE, compress=False, timeout=1.0, decode_text=False
        )
        await socket.prepare(request)
        page = Page(role, socket, self._anew)
        self._pages.add(page)
        self._feed.awaited = True
        writing = asyncio.create_task(alone("a page", page.write()))
        try:
            await self._playing.wait()
            page.greet(await self._hello(role))
            self.arrived.set()
            await self._listen(page, socket)
        finally:
            self._pages.discard(page)
            self._feed.awaited = bool(self._pages)
            self._requests.release(page)
            writing.cancel()
        return socket

    async def _listen(self, page: Page, socket: web.WebSocketResponse) -> None:
        """Do what a page says until it goes, or has to."""
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            if not page.may_speak():
                log.warning("a page has sent %s, and was cut off", FLOOD)
                self._requests.release(page)
                await page.close(WSCloseCode.POLICY_VIOLATION, FLOOD)
                break
            try:
                said = decode(message.data)
            except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
                page.reply({"type": "refused", "error": NOT_UNDERSTOOD})
            else:
                self._requests.obey(page, said)

    async def _hello(self, role: Role) -> bytes:
        """Return what a page has to know once."""
        await self._requests.look_for_models()
        service = self._requests.service
        name = service.name if service is not None else ""
        return encode(
            {
                "type": "hello",
                "version": __version__,
                "name": clean(name),
                "role": role,
                "parameters": table(),
                "models": sorted(self._requests.models),
                "records": self._requests.recording.turn is not None,
            }
        )

    def _anew(self) -> Sequence[bytes]:
        """Return all that a page has to know of the session as it is now."""
        service = self._requests.service
        if service is None:
            return ()
        self._state = {}  # what this page is told others may not have been: all are told what comes next
        values = {name: clean(service.confirmed(name)) for name in TABLE}
        return [
            self._feed.snapshot(self._requests.now),
            encode({"type": "values", "values": values}),
            encode(self._state_now(service)),
        ]

    def _deliver(self, messages: Sequence[bytes], anew: bool) -> None:
        for page in self._pages:
            if anew:
                page.renew()
            else:
                page.put(messages)

    def _state_now(self, service: Service) -> dict[str, Any]:
        hears, plays_to = service.connections
        roles = [page.role for page in self._pages]
        return {
            "type": "state",
            "playing": service.playing,
            "models": labels_of(service.confirmed(MODEL)),
            "api": service.api,
            "hears": clean(hears),
            "plays_to": clean(plays_to),
            "recording": self._requests.recording.is_on(),
            "players": roles.count("player"),
            "audience": roles.count("audience"),
        }

    def _tell_state(self) -> None:
        service = self._requests.service
        if service is not None and (state := self._state_now(service)) != self._state:
            self._state = state
            self._deliver([encode(state)], False)
