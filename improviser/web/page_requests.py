"""What pages ask of a session: notes, changes and commands, and what they are told of each.

A page's notes go to the engine as stamped messages, as those of every player that is no port; its requests go through
`Service.request`, as everybody's.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from improviser.core.live.parameters.table import TABLE
from improviser.core.live.player.votes import COMMANDS
from improviser.core.midi import codec
from improviser.core.midi.event import Event
from improviser.engine.live_state import Reply
from improviser.engine.protocol import MODEL, Hear, Instruct, Panic
from improviser.engine.service import Service
from improviser.errors import ConfigError, ImproviserError
from improviser.library.catalogue import choices_with, live_names
from improviser.remote.requests import allowed_for, checked
from improviser.web.held_keys import HeldKeys
from improviser.web.messages import Do, Echo, FromPage, Here, Let, Midi, Set, clean, labels_of
from improviser.web.page import Page

ASK_SECONDS, ASLEEP_SECONDS = 0.4, 1.5
"""How often a page that holds something is asked whether it is awake; and after how long without a word it is not."""
CONFIRM_SECONDS = 5.0
MODELS_SECONDS = 10.0
LATE = "the engine did not confirm it in time"
NOT_UNDERSTOOD = "this message is not understood"
LISTENERS_ONLY = "this address is for listening and watching"
TOO_MANY = "too many requests at once; try again"


@dataclass(frozen=True, slots=True)
class Recording:
    """The session's recording, for a page: whether it is on, and what starts and stops it and says where it is."""

    is_on: Callable[[], bool] = lambda: False
    turn: Callable[[Service, bool], str] | None = None
    folder: Path | None = None
    """Where the recordings are that a page may open."""


class PageRequests:
    """Does what pages ask for, as soon as there is a `service`.

    :param recording: what a page may start and stop.
    """

    def __init__(self, recording: Recording) -> None:
        self.service: Service | None = None
        self.recording = recording
        self.models: dict[str, str] = {}
        """The models that a page may choose: those of the library, and those that the session began with, by label."""
        self._looked_for_models = float("-inf")
        self._held = HeldKeys()

    def begin(self, service: Service) -> None:
        """Let what is asked for go to this session from now on."""
        self.service = service
        self.models = {**choices_with([*self.models], service.begun_with)}

    async def look_for_models(self) -> None:
        """Look what is in the library, if that was some time ago."""
        if time.monotonic() - self._looked_for_models > MODELS_SECONDS:
            self._looked_for_models = time.monotonic()
            begun = self.service.begun_with if self.service is not None else ()
            self.models = {**choices_with(await asyncio.to_thread(live_names), begun)}

    @property
    def now(self) -> float:
        """What time of the session it is, in seconds."""
        return time.perf_counter() - self.service.epoch if self.service is not None else 0.0

    def look_after_sleepers(self, pages: Iterable[Page]) -> None:
        """Ask the pages that hold something whether they are awake; let go for those that are not."""
        now = time.monotonic()
        for page in pages:
            if not self._held.holds(page):
                continue
            if now - page.alive_at > ASLEEP_SECONDS:
                self.release(page)
                page.reply({"type": "released"})
            elif now - max(page.asked_at, page.alive_at) > ASK_SECONDS:
                page.asked_at = now
                page.reply({"type": "there?"})

    def obey(self, page: Page, said: FromPage) -> None:
        """Do what a page says, if it may."""
        if isinstance(said, Echo):
            page.reply({"type": "echo", "sent": said.sent, "at": self.now})
        elif isinstance(said, Here):
            pass
        elif page.role == "audience":
            page.reply({"type": "refused", "error": LISTENERS_ONLY})
        elif isinstance(said, Midi):
            self._play(page, said)
        elif isinstance(said, Let):
            self.release(page)
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
        if self.service is not None:
            now = self.now
            for event in events:
                self.service.send(Hear(now, codec.encode(event)))

    def release(self, page: Page) -> None:
        """Let go of all that a page holds."""
        self._hear(self._held.release(page))

    def _set(self, page: Page, said: Set) -> None:
        service = self.service
        if service is None:
            return
        try:
            value = checked(said.parameter, said.value, [*self.models])
            if said.parameter == MODEL:
                value = [self.models[label] for label in value]
            reply = service.request(said.parameter, value, "page")
        except ImproviserError as error:
            self._refuse(page, said, str(error))
            return
        late = asyncio.get_running_loop().call_later(CONFIRM_SECONDS, reply.cancel)
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
                "allowed": clean(allowed_for(said.parameter, sorted(self.models))) if known else None,
            }
        page.reply(message)

    def _confirmed(self, parameter: str) -> Any:
        """Return what a parameter, or the model, is for a page."""
        if self.service is None:
            return None
        value = self.service.confirmed(parameter)
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
        if self.service is None:
            raise ConfigError("the session has not begun yet")
        if said.command == "panic":
            self._held.forget()
            self.service.send(Panic())
            return "all that sounded has been ended"
        if said.command in COMMANDS:
            self.service.send(Instruct(said.command))
            return COMMANDS[said.command]
        if self.recording.turn is None:
            raise ConfigError("this session keeps no recording that a page could start or stop")
        return self.recording.turn(self.service, said.command == "record")
