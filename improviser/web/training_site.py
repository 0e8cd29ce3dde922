"""The page of a training run, in a thread and a loop of its own: whoever breeds only leaves word of how it goes.

A page is told all of the latest state each time, and none of what it missed; who may play may also stop the run.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMsgType, web

from improviser.errors import ImproviserError
from improviser.pacing import Bucket
from improviser.settings.page_address import PageAddress
from improviser.web.access import Access, Role
from improviser.web.messages import LARGEST_MESSAGE, clean, encode
from improviser.web.site import SOCKET, Site

INDEX = "train.html"
STOP = '{"type":"stop"}'
MOST_PAGES = 64
PAUSE_SECONDS = 0.2
PING_SECONDS = 20.0
"""Longer than a session's: nobody holds a key here, and training may leave little time for anything."""
PATIENCE_SECONDS = 10.0
RATE, BURST = 2.0, 20.0


class TrainingSite:
    """Serves the page: `open` it, `tell` it how it goes, `close` it; from any one thread.

    :param stop: is called (in the site's thread) when a page asks to stop the run and keep what there is.
    """

    def __init__(self, address: PageAddress, access: Access, stop: Callable[[], None]) -> None:
        self._site = Site(address, access, INDEX, {SOCKET: self._serve_page})
        self._stop = stop
        self._latest = encode({"type": "training", "stage": "reading what to learn from"})
        self._version = 0
        self._pages: set[web.WebSocketResponse] = set()
        self._is_open = threading.Event()
        self._error: ImproviserError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="page", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._site.port

    def open(self) -> None:
        """Listen.

        :raises ConfigError: if that is not possible there.
        """
        self._thread.start()
        self._is_open.wait()
        if self._error is not None:
            raise self._error

    def tell(self, state: Mapping[str, Any]) -> None:
        """Have pages told a state; returns at once."""
        message = encode(clean(state))
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._take, message)

    def close(self) -> None:
        """Have pages told the last state, and that the run has ended; then listen no more."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(PATIENCE_SECONDS)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await self._site.open()
        except ImproviserError as error:
            self._error = error
            return
        finally:
            self._is_open.set()
        await self._ending.wait()
        self._site.listen_no_more()
        await asyncio.gather(*(self._say_goodbye(page) for page in [*self._pages]))
        await self._site.close()

    async def _say_goodbye(self, page: web.WebSocketResponse) -> None:
        try:
            await page.send_frame(self._latest, WSMsgType.TEXT)
            await page.close(code=WSCloseCode.GOING_AWAY, message=b"the run has ended")
        except (ClientConnectionResetError, ConnectionError, RuntimeError):  # it has gone
            return

    def _take(self, message: bytes) -> None:
        self._latest = message
        self._version += 1

    async def _serve_page(self, request: web.Request, role: Role, _: str) -> web.StreamResponse:
        if self._ending.is_set() or len(self._pages) >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{len(self._pages)} pages are open.\n")
        page = web.WebSocketResponse(
            heartbeat=PING_SECONDS, max_msg_size=LARGEST_MESSAGE, compress=False, timeout=1.0, decode_text=True
        )
        await page.prepare(request)
        self._pages.add(page)
        writing = asyncio.create_task(self._write(page, role))
        asked = Bucket(RATE, BURST)
        try:
            async for message in page:
                if message.type is not WSMsgType.TEXT or not asked.take(time.monotonic()):
                    break
                if message.data == STOP and role == "player":
                    self._stop()
        finally:
            self._pages.discard(page)
            writing.cancel()
        return page

    async def _write(self, page: web.WebSocketResponse, role: Role) -> None:
        """Send what is new, a few times a second at most."""
        sent = -1
        try:
            await page.send_frame(encode({"type": "hello", "role": role}), WSMsgType.TEXT)
            while True:
                if sent != self._version:
                    sent = self._version
                    await page.send_frame(self._latest, WSMsgType.TEXT)
                await asyncio.sleep(PAUSE_SECONDS)
        except (ClientConnectionResetError, ConnectionError, RuntimeError):  # it has gone
            return
