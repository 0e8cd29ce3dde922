"""The page's server: HTTP for what the page is made of, and a WebSocket for what happens; part of the daemon's loop.

It is aiohttp's: that brings WebSockets, lives in the loop that the daemon has anyway (an ASGI framework would bring a
server of its own, and a protocol between the two), and is kept up well.

It is beside the note path and never in it. A page's notes go to the engine as stamped messages, as those of every
player that is no port; its requests go through `Service.request`, as everybody's. A page that is slow misses what it
cannot take; one that floods is cut off; one that goes, or falls asleep, lets go of all that it held.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from improviser.core.live.pacing import Bucket
from improviser.core.live.parameters import TABLE
from improviser.core.live.votes import COMMANDS
from improviser.core.midi import codec
from improviser.core.midi.event import Event
from improviser.engine.bus import alone
from improviser.engine.events import SessionEvent
from improviser.engine.live_state import Reply
from improviser.engine.protocol import MODEL, Hear, Instruct, Panic
from improviser.engine.service import Service
from improviser.errors import ConfigError, ImproviserError
from improviser.library.catalogue import live_names
from improviser.remote.requests import allowed_for, checked
from improviser.settings.page_address import DEFAULT_PORT, PageAddress
from improviser.version import __version__
from improviser.web.access import Access, Role
from improviser.web.feed import Feed
from improviser.web.files import HEADERS, INDEX, page_files
from improviser.web.held_keys import HeldKeys
from improviser.web.messages import (
    LARGEST_MESSAGE,
    Do,
    Echo,
    Here,
    Let,
    Midi,
    Set,
    clean,
    decode,
    encode,
    label_of,
    labels_of,
    table,
)
from improviser.web.page import Page
from improviser.web.timbres import SAMPLES, described, sample

log = logging.getLogger("improviser")

PORTS_TRIED = 10
MOST_PLAYERS, MOST_AUDIENCE = 16, 256
MOST_CONNECTIONS = 600
COMING_RATE, COMING_BURST = 50.0, 400.0
"""How many sockets may be opened in a second, for ever and at once."""
LOOK_SECONDS = 0.05
FIGURES_SECONDS = 0.25
PING_SECONDS = 4.0
ASK_SECONDS, ASLEEP_SECONDS = 0.4, 1.5
"""How often a page that holds something is asked whether it is awake; and after how long without a word it is not."""
CONFIRM_SECONDS = 5.0
MODELS_SECONDS = 10.0
LATE = "the engine did not confirm it in time"
NOT_UNDERSTOOD = "this message is not understood"
LISTENERS_ONLY = "this address is for listening and looking on"
TOO_MANY = "too many requests at once; try again"
FLOOD = "too many messages"


@dataclass(frozen=True, slots=True)
class Recording:
    """The session's recording, for a page: whether it is on, and what starts and stops it and says where it is."""

    is_on: Callable[[], bool] = lambda: False
    turn: Callable[[Service, bool], str] | None = None


class PageServer:
    """Serves the page of a session: `open` it, `run` it as long as the session lasts, `close` it.

    :param address: where to listen.
    :param access: what lets one in.
    """

    def __init__(self, address: PageAddress, access: Access, recording: Recording | None = None) -> None:
        self._address = address
        self._access = access
        self._recording = recording or Recording()
        self._files = page_files()
        self._pages: set[Page] = set()
        self._held = HeldKeys()
        self._coming = Bucket(COMING_RATE, COMING_BURST)
        self._loop = asyncio.get_running_loop()
        self._feed = Feed(self._loop, self._deliver)
        self._service: Service | None = None
        self._playing = asyncio.Event()
        self._models: dict[str, str] = {}
        """The models that a page may choose: those of the library, and those that the session began with, by label."""
        self._looked_for_models = float("-inf")
        self._state: dict[str, Any] = {}
        self._ended = False
        self.arrived = asyncio.Event()
        """Set when a first page has come."""
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self.port = 0

    # Its beginning and its end.

    async def open(self) -> None:
        """Listen.

        :raises ConfigError: if that is not possible there.
        """
        app = web.Application(client_max_size=LARGEST_MESSAGE)
        app.router.add_get("/{path:.*}", self._answer)
        app.on_response_prepare.append(_secure)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        first = self._address.port
        tried = [first] if first is not None else [*range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED)]
        for port in tried:
            try:
                self._listening = await self._loop.create_server(self._protocol, self._address.host, port)
            except (OSError, UnicodeError) as error:
                if port == tried[-1]:
                    reason = (error.strerror if isinstance(error, OSError) else None) or error
                    raise ConfigError(
                        f"--web: the page cannot be served at {self._address.host}, port {port}: {reason}; name "
                        "another [HOST:]PORT"
                    ) from error
            else:
                self.port = port
                return

    def _protocol(self) -> asyncio.Protocol:
        server = self._runner.server if self._runner is not None else None
        if server is None or len(server.connections) >= MOST_CONNECTIONS:
            return _Refusal()
        return server()

    async def run(self, service: Service) -> None:
        """Serve a session until cancelled."""
        await service.opened()
        self._service = service
        self._models |= {label_of(name): name for name in service.models}
        self._playing.set()
        figures: dict[str, Any] = {}
        looked = 0.0
        while True:
            if self._pages:
                self._look_after_sleepers()
                self._feed.pass_time(self._now)
                self._tell_state()
                if time.monotonic() - looked >= FIGURES_SECONDS:
                    looked = time.monotonic()
                    fresh = self._feed.figures(self._now)
                    if fresh != figures:
                        figures = fresh
                        self._deliver([encode({"type": "figures", **figures})], False)
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Tell the pages that the session has ended, and listen no more."""
        self._ended = True
        if self._listening is not None:
            self._listening.close()
        for page in [*self._pages]:
            self._release(page)
        await asyncio.gather(*(page.close(WSCloseCode.GOING_AWAY, "the session has ended") for page in [*self._pages]))
        if self._runner is not None:
            await self._runner.cleanup()

    def take(self, event: SessionEvent) -> None:
        """Take in an event; in a thread of its own."""
        self._feed.take(event)

    # What is served.

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if not self._access.knows_host(host):
            raise web.HTTPMisdirectedRequest(text="This is not the name of this page. Name it in web_hosts.\n")
        if origin is not None and not self._access.is_own(origin, host):
            raise web.HTTPForbidden(text="Another site may not ask for this.\n")
        found = self._access.role(request.path)
        if found is None:
            if request.path != "/" and self._access.role(f"{request.path}/") is not None:
                raise web.HTTPPermanentRedirect(f"{request.path}/")
            raise web.HTTPNotFound(text="There is nothing here. Is the address whole?\n")
        role, rest = found
        if rest == "socket":
            if origin is None:
                raise web.HTTPForbidden(text="The socket is for pages.\n")
            return await self._serve_page(request, role)
        if rest.startswith("sound/"):
            return await self._serve_sound(rest)
        file = self._files.get(rest or INDEX)
        if file is None:
            if f"{rest}/" == f"{self._access.audience}/":
                raise web.HTTPPermanentRedirect(f"{request.path}/")
            raise web.HTTPNotFound(text="There is nothing here.\n")
        headers = {"Cache-Control": "no-cache", "ETag": file.tag}
        if request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.data, content_type=file.kind, charset="utf-8", headers=headers)

    async def _serve_sound(self, path: str) -> web.Response:
        """Return a sample, or what there is of them; they are rendered when a page wants the first."""
        headers = {"Cache-Control": "private, max-age=3600"}
        if path == "sound/parts.json":
            body = await asyncio.to_thread(described)
            return web.Response(body=encode(body), content_type="application/json", headers=headers)
        name = path.removeprefix("sound/")
        if name not in SAMPLES:
            raise web.HTTPNotFound(text="There is no such sound.\n")
        return web.Response(body=await asyncio.to_thread(sample, name), content_type="audio/wav", headers=headers)

    # The pages.

    async def _serve_page(self, request: web.Request, role: Role) -> web.StreamResponse:
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
            self._release(page)
            writing.cancel()
        return socket

    async def _listen(self, page: Page, socket: web.WebSocketResponse) -> None:
        """Do what a page says until it goes, or has to."""
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            if not page.may_speak():
                log.warning("a page has sent %s, and was cut off", FLOOD)
                self._release(page)
                await page.close(WSCloseCode.POLICY_VIOLATION, FLOOD)
                break
            try:
                said = decode(message.data)
            except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
                page.reply({"type": "refused", "error": NOT_UNDERSTOOD})
            else:
                self._obey(page, said)

    async def _hello(self, role: Role) -> bytes:
        """Return what a page has to know once."""
        if time.monotonic() - self._looked_for_models > MODELS_SECONDS:
            self._looked_for_models = time.monotonic()
            self._models |= {label_of(name): name for name in await asyncio.to_thread(live_names)}
        name = self._service.name if self._service is not None else ""
        return encode(
            {
                "type": "hello",
                "version": __version__,
                "name": clean(name),
                "role": role,
                "parameters": table(),
                "models": sorted(self._models),
                "records": self._recording.turn is not None,
            }
        )

    def _anew(self) -> Sequence[bytes]:
        """Return all that a page has to know of the session as it is now."""
        service = self._service
        if service is None:
            return ()
        values = {name: clean(service.confirmed(name)) for name in TABLE}
        return [
            self._feed.snapshot(self._now),
            encode({"type": "values", "values": values}),
            encode(self._state_now(service)),
        ]

    @property
    def _now(self) -> float:
        return time.perf_counter() - self._service.epoch if self._service is not None else 0.0

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
            "recording": self._recording.is_on(),
            "players": roles.count("player"),
            "audience": roles.count("audience"),
        }

    def _tell_state(self) -> None:
        if self._service is not None and (state := self._state_now(self._service)) != self._state:
            self._state = state
            self._deliver([encode(state)], False)

    # What a page does.

    def _obey(self, page: Page, said: Midi | Let | Set | Do | Here | Echo) -> None:
        if isinstance(said, Echo):
            page.reply({"type": "echo", "sent": said.sent, "at": self._now})
        elif isinstance(said, Here):
            pass
        elif page.role == "audience":
            page.reply({"type": "refused", "error": LISTENERS_ONLY})
        elif isinstance(said, Midi):
            self._play(page, said)
        elif isinstance(said, Let):
            self._release(page)
        elif not page.may_ask():
            self._refuse(page, said, TOO_MANY)
        elif isinstance(said, Set):
            self._set(page, said)
        else:
            self._do(page, said)

    def _play(self, page: Page, said: Midi) -> None:
        event = codec.decode(said.bytes)
        if event is None:
            page.reply({"type": "refused", "error": NOT_UNDERSTOOD})
        else:
            self._hear(self._held.admit(page, event))

    def _hear(self, events: Sequence[Event]) -> None:
        if self._service is not None:
            now = self._now
            for event in events:
                self._service.send(Hear(now, codec.encode(event)))

    def _release(self, page: Page) -> None:
        self._hear(self._held.release(page))

    def _look_after_sleepers(self) -> None:
        """Ask the pages that hold something whether they are awake; let go for those that are not."""
        now = time.monotonic()
        for page in self._pages:
            if not self._held.holds(page):
                continue
            if now - page.alive_at > ASLEEP_SECONDS:
                self._release(page)
                page.reply({"type": "released"})
            elif now - max(page.asked_at, page.alive_at) > ASK_SECONDS:
                page.asked_at = now
                page.reply({"type": "there?"})

    def _set(self, page: Page, said: Set) -> None:
        service = self._service
        if service is None:
            return
        try:
            value = checked(said.parameter, said.value, [*self._models])
            if said.parameter == MODEL:
                value = [self._models[label] for label in value]
            reply = service.request(said.parameter, value, "page")
        except ImproviserError as error:
            self._refuse(page, said, str(error))
            return
        late = self._loop.call_later(CONFIRM_SECONDS, reply.cancel)
        reply.add_done_callback(partial(self._reply, page, said, late))

    def _reply(self, page: Page, said: Set, late: asyncio.TimerHandle, reply: asyncio.Future[Reply]) -> None:
        late.cancel()
        error = LATE if reply.cancelled() else reply.result().error
        if error is None:
            page.reply({"type": "reply", "number": said.number, "ok": True})
        else:
            self._refuse(page, said, error)

    def _refuse(self, page: Page, said: Set | Do, error: str) -> None:
        """Say why something is refused, and what holds instead."""
        message: dict[str, Any] = {"type": "reply", "number": said.number, "ok": False, "error": clean(error)}
        if isinstance(said, Set):
            known = said.parameter in TABLE or said.parameter == MODEL
            message |= {
                "parameter": clean(said.parameter[:80]),
                "value": self._confirmed(said.parameter) if known else None,
                "allowed": clean(allowed_for(said.parameter, sorted(self._models))) if known else None,
            }
        page.reply(message)

    def _confirmed(self, parameter: str) -> Any:
        """Return what a parameter, or the model, is for a page."""
        if self._service is None:
            return None
        value = self._service.confirmed(parameter)
        return labels_of(value) if parameter == MODEL else clean(value)

    def _do(self, page: Page, said: Do) -> None:
        try:
            line = self._done(said)
        except ImproviserError as error:
            self._refuse(page, said, str(error))
        else:
            page.reply({"type": "reply", "number": said.number, "ok": True, "line": clean(line)})

    def _done(self, said: Do) -> str:
        """Do it; return what is to be said of it.

        :raises ImproviserError: if it cannot be done.
        """
        if self._service is None:
            raise ConfigError("the session has not begun yet")
        if said.command == "panic":
            self._held.forget()
            self._service.send(Panic())
            return "all that sounded has been ended"
        if said.command in COMMANDS:
            self._service.send(Instruct(said.command))
            return COMMANDS[said.command]
        if self._recording.turn is None:
            raise ConfigError("this session keeps no recording that a page could start or stop")
        return self._recording.turn(self._service, said.command == "record")


class _Refusal(asyncio.Protocol):
    """Ends a connection at once: there are too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """End it."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    """Send what keeps a page safe with every answer."""
    response.headers.update(HEADERS)
