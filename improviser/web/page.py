"""One open page: what waits to be sent to it, how much it may ask for, and whether it is alive."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMsgType, web

from improviser.pacing import Bucket
from improviser.web.access import Role
from improviser.web.messages import encode

ROOM = 500
"""Messages that wait for a page: a minute of playing; a page that is slower is told all anew when it can take it."""
MOST_REPLIES = 2000
"""Replies that wait for a page."""
AUDIENCE_PAUSE = 0.02
"""Seconds from one frame to the next for an audience, which may be large: what comes together is sent together."""
RATE, BURST = 500.0, 1500.0
"""Messages a second that a page may send for ever, and at once: ten fingers and two wheels need less."""
REQUEST_RATE, REQUEST_BURST = 100.0, 300.0
"""Of these, those that ask for something."""


class Page:
    """A page, by its WebSocket; each of its messages is one whole JSON object.

    :param anew: returns all that a page has to know of the session, as it is now.
    """

    def __init__(self, role: Role, socket: web.WebSocketResponse, anew: Callable[[], Sequence[bytes]]) -> None:
        self.role = role
        self.dropped = 0
        """How many messages it has missed."""
        self.alive_at = self.asked_at = time.monotonic()
        self._socket = socket
        self._anew = anew
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._replies: list[bytes] = []
        self._stale = self._behind = self._greeted = self._cut = False
        self._greeting: Sequence[bytes] = ()
        self._messages = Bucket(RATE, BURST)
        self._requests = Bucket(REQUEST_RATE, REQUEST_BURST)

    def greet(self, hello: bytes) -> None:
        """Have it told who we are, then all of the session, and from now on what happens."""
        self._greeting, self._greeted = (hello,), True
        self.renew()

    def put(self, messages: Sequence[bytes]) -> None:
        """Have messages sent; if too many wait already, drop and count them all, and tell it all anew later."""
        if not self._greeted:
            return
        if self._stale:  # what it will be told is newer than this
            self.dropped += len(messages) if self._behind else 0
        elif len(self._waiting) + len(messages) > ROOM:
            self.dropped += len(messages) + len(self._waiting)
            self._behind = True
            self.renew()
        else:
            self._waiting.extend(messages)
            self._wake.set()

    def reply(self, message: dict[str, Any]) -> None:
        """Have it told something that is for it alone, and is never dropped; who takes none of it is cut off."""
        self._replies.append(encode(message))
        if len(self._replies) > MOST_REPLIES:
            self._replies.clear()
            self._cut = True
        self._wake.set()

    def renew(self) -> None:
        """Have it told all anew, once it was greeted; what waits would come too late."""
        self._waiting.clear()
        self._stale = True
        if self._greeted:
            self._wake.set()

    def may_speak(self) -> bool:
        """Take in that it said something; say whether it does not flood us."""
        self.alive_at = time.monotonic()
        return self._messages.take(self.alive_at)

    def may_ask(self) -> bool:
        """Take in that it asks for something; say whether it may."""
        return self._requests.take(time.monotonic())

    async def write(self) -> None:
        """Send what waits, until cancelled or the page has gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if self._cut:
                    await self.close(WSCloseCode.POLICY_VIOLATION, "replies that nobody takes")
                messages = self._take()
                if messages:
                    await self._socket.send_frame(b"[" + b",".join(messages) + b"]", WSMsgType.TEXT)
                if self.role == "audience":
                    await asyncio.sleep(AUDIENCE_PAUSE)
        except (ClientConnectionResetError, ConnectionError, RuntimeError):  # the last: it is closing
            await self._socket.close()

    def _take(self) -> list[bytes]:
        """Return what is to be sent now."""
        replies, self._replies = self._replies, []
        if self._stale:
            anew = self._anew()
            self._waiting.clear()
            self._stale = self._behind = False
            greeting, self._greeting = self._greeting, ()
            return [*greeting, *anew, *replies]
        messages = [*self._waiting, *replies]
        self._waiting.clear()
        return messages

    async def close(self, code: int, reason: str) -> None:
        """End it, and say why."""
        await self._socket.close(code=code, message=reason.encode())
