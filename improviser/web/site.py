"""The site of a page: HTTP for what it is made of, who gets in, and on which port; part of whoever's loop opens it.

It is aiohttp's: that brings WebSockets, lives in the loop that the daemon has anyway (an ASGI framework would bring a
server of its own, and a protocol between the two), and is kept up well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from improviser.errors import ConfigError
from improviser.settings.page_address import DEFAULT_PORT, PageAddress
from improviser.web.access import Access, Role
from improviser.web.files import HEADERS, page_files
from improviser.web.messages import LARGEST_MESSAGE, encode
from improviser.web.timbres import SAMPLES, described, sample

PORTS_TRIED = 10
MOST_CONNECTIONS = 600
SOCKET = "socket"

Door = Callable[[web.Request, Role, str], Awaitable[web.StreamResponse]]
"""Answers a request, by whom it is and what is left of its path."""


class Site:
    """Answers browsers at an address: `open` it, and `close` it.

    :param access: what lets one in.
    :param index: the file that is at the root.
    :param doors: what answers for other paths than files, by their first part. What is asked of them by POST, and the
        socket, are for pages of ours alone.
    """

    def __init__(self, address: PageAddress, access: Access, index: str, doors: Mapping[str, Door]) -> None:
        self._address = address
        self._access = access
        self._index = index
        self._doors = {"sound": _serve_sound, **doors}
        self._files = page_files()
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen.

        :raises ConfigError: if that is not possible there.
        """
        app = web.Application(client_max_size=LARGEST_MESSAGE)
        app.router.add_get("/{path:.*}", self._answer)
        app.router.add_post("/{path:.*}", self._answer)
        app.on_response_prepare.append(_secure)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        first = self._address.port
        tried = [first] if first is not None else [*range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED)]
        for port in tried:
            try:
                loop = asyncio.get_running_loop()
                self._listening = await loop.create_server(self._protocol, self._address.host, port)
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

    def listen_no_more(self) -> None:
        """Let nobody in any more; who is here stays."""
        if self._listening is not None:
            self._listening.close()

    async def close(self) -> None:
        """End all connections."""
        self.listen_no_more()
        if self._runner is not None:
            await self._runner.cleanup()

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
        first, _, left = rest.partition("/")
        if (door := self._doors.get(first)) is not None:
            if origin is None and (first == SOCKET or request.method == "POST"):
                raise web.HTTPForbidden(text="This is for pages.\n")
            return await door(request, role, left)
        if request.method == "POST":
            raise web.HTTPMethodNotAllowed("POST", ["GET", "HEAD"])
        return self._serve_file(request, rest)

    def _serve_file(self, request: web.Request, rest: str) -> web.Response:
        file = self._files.get(rest or self._index)
        if file is None:
            if f"{rest}/" == f"{self._access.audience}/":
                raise web.HTTPPermanentRedirect(f"{request.path}/")
            raise web.HTTPNotFound(text="There is nothing here.\n")
        headers = {"Cache-Control": "no-cache", "ETag": file.tag}
        if request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.data, content_type=file.kind, charset="utf-8", headers=headers)


async def _serve_sound(_: web.Request, __: Role, name: str) -> web.Response:
    """Return a sample, or what there is of them; they are rendered when a page wants the first."""
    headers = {"Cache-Control": "private, max-age=3600"}
    if name == "parts.json":
        body = await asyncio.to_thread(described)
        return web.Response(body=encode(body), content_type="application/json", headers=headers)
    if name not in SAMPLES:
        raise web.HTTPNotFound(text="There is no such sound.\n")
    return web.Response(body=await asyncio.to_thread(sample, name), content_type="audio/wav", headers=headers)


class _Refusal(asyncio.Protocol):
    """Ends a connection at once: there are too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """End it."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    """Send what keeps a page safe with every answer."""
    response.headers.update(HEADERS)
