"""A session over MQTT: publishes its events and state, and passes on the requests and commands that come in.

It is beside the note path and never in it. Events are looked at once and forgotten; what is to be published is left
with the link, which drops and counts what a slow broker leaves waiting. What comes in is one more request to the
engine, and its reply goes out when the engine confirms it.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from improviser.core.addresses.topics import Topics
from improviser.core.live.player.votes import COMMANDS
from improviser.engine.events import SessionEvent
from improviser.engine.live_state import Reply as Confirmed
from improviser.engine.protocol import MODEL, Applied, Hear, Instruct, Lost, Panic, Played, Ready, Step, Turned, Weighed
from improviser.engine.service import Service
from improviser.errors import ImproviserError, OutputError
from improviser.library import catalogue
from improviser.remote.discovery import configurations
from improviser.remote.ensemble import Ears, missing, published
from improviser.remote.mqtt import Access, Link
from improviser.remote.mqtt_queues import Post, Received
from improviser.remote.requests import COMMAND, Reply, allowed_for, encode, plain, read_command, read_request
from improviser.remote.state import Score, setting
from improviser.settings.schema import LIVE_KEYS, Settings
from improviser.waiting import within

log = logging.getLogger("improviser")

LOOK_SECONDS = 0.2
CHANGE_SECONDS = 0.03
"""So long after a change the state is published: what changes together goes out together."""
STATE_SECONDS = 10.0
CONFIRM_SECONDS = 5.0
TOO_LATE = "the engine did not confirm it in time"
NOT_PLAYING = "no engine plays just now; the next one is asked for it"
NOBODY: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A reply that is waited for, and until when."""

    reply: asyncio.Future[Confirmed]
    deadline: float


class MqttSession:
    """Publishes a session and lets it be steered; `take` gets its events, `run` lasts as long as the session.

    :param save: writes what was recorded so far and returns where to, or raises ImproviserError.
    """

    def __init__(self, access: Access, settings: Settings, save: Callable[[], str] | None = None) -> None:
        self._settings = settings
        self._save = save
        self._topics = topics = Topics(settings.name)
        self._score = Score()
        self._ears = Ears(settings.name)
        self._other = None if settings.listen_to is None else Topics(settings.listen_to)
        self._pending: deque[Pending] = deque()
        self._refused = self._retained = self._unpublished = 0
        self._service: Service | None = None
        self._changed = asyncio.Event()
        self._commands = ("panic", "save", *COMMANDS, *(["shutdown"] if settings.mqtt_shutdown else []))
        alive, gone = (Post(topics.status, word, retain=True) for word in (b"online", b"offline"))
        heard = [] if self._other is None else [self._other.played, self._other.status]
        self.link = Link(
            access,
            f"improviser-{secrets.token_hex(5)}",
            alive,
            gone,
            [topics.requests, *heard],
            self._take_received,
            own=[topics.state, topics.reply],
            urgent=[topics.command],
        )

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""
        self._score.take(event)
        if isinstance(event.report, Applied | Turned | Ready | Weighed):
            self._changed.set()
        match event.report:
            case Step(stamp=stamp):
                self._tell(stamp, event, self._ears.via(stamp))
            case Played(stamp=stamp, cause=cause):
                self._tell(stamp, event, NOBODY if cause == "panic" else self._ears.recently(stamp))
            case Applied(stamp=stamp):
                self._tell(stamp, event, NOBODY)
            case Lost(count):
                self._unpublished += count
            case _:
                pass

    async def run(self, service: Service) -> None:
        """Serve until cancelled; then say goodbye."""
        self._service = service
        linked = asyncio.ensure_future(self.link.run())
        try:
            await self._keep_state(service)
        finally:
            linked.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await linked

    def state(self, service: Service) -> dict[str, Any]:
        """Return the session's state, as it is published."""
        counts = self.link.counts
        return {
            **self._score.state(service),
            "mqtt": {
                "connected": self.link.connected,
                "connections": counts.connected,
                "dropped_events": counts.dropped_events,
                "dropped_replies": counts.dropped_replies,
                "flooded": counts.flooded,
                "refused": self._refused,
                "retained": self._retained,
                "faults": counts.faults,
                "circles": self._ears.circles,
            },
        }

    async def _keep_state(self, service: Service) -> None:
        shown: dict[str, Any] = {}
        due = 0.0
        discovered = False
        while True:
            if self._settings.mqtt_discovery and not discovered:
                discovered = True
                for topic, payload in configurations(self._topics, catalogue.names()).items():
                    self.link.keep(topic, payload)
            self._expire()
            if not self.link.connected and self._other is not None:
                self._hear(self._ears.release(self._now(service)))
            now, current = time.monotonic(), {**setting(service), "on": self.link.connected, "who": self._score.weights}
            if current != shown or now >= due:
                shown, due = current, now + STATE_SECONDS
                self.link.keep(self._topics.state, encode(self.state(service)))
            with contextlib.suppress(TimeoutError):
                await within(LOOK_SECONDS, self._changed.wait())
                await asyncio.sleep(CHANGE_SECONDS)
            self._changed.clear()

    @staticmethod
    def _now(service: Service) -> float:
        return time.perf_counter() - service.epoch

    # What is published.

    def _tell(self, stamp: float, event: SessionEvent, via: Sequence[str]) -> None:
        if not self._settings.mqtt_events:
            return
        if self._unpublished and self.link.stream(self._topics.played, missing(self._unpublished)):
            self._unpublished = 0
        if event.heard is not None:
            self._stream(self._topics.heard, published(event.heard, stamp, via))
        for played in event.played:
            self._stream(self._topics.played, published(played, stamp, (*via, self._settings.name)))

    def _stream(self, topic: str, payload: bytes | None) -> None:
        if payload is not None and not self.link.stream(topic, payload):
            self._unpublished += 1

    # What others ask for.

    def _take_received(self, message: Received) -> None:
        service = self._service
        if service is None:
            return
        if self._other is not None and message.topic == self._other.played:
            self._hear(self._ears.hear(message.payload, self._now(service)))
        elif self._other is not None and message.topic == self._other.status:
            if message.payload != b"online":
                self._hear(self._ears.release(self._now(service)))
        elif message.retained:
            # Nobody asks for this now: the broker kept it from some other time.
            self._retained += 1
        elif message.topic == self._topics.command:
            self._command(service, message)
        elif (parameter := self._topics.requested(message.topic)) is not None:
            self._request_change(service, parameter, message)

    def _hear(self, heard: Sequence[Hear]) -> None:
        if self._service is not None:
            for each in heard:
                self._service.send(each)

    def _command(self, service: Service, message: Received) -> None:
        command = None
        try:
            command = read_command(message.payload, self._commands)
            done = self._obey(service, command)
        except ImproviserError as error:
            self._refuse(COMMAND, command, str(error), list(self._commands), message.correlation)
        else:
            self._reply(
                Reply(ok=True, parameter=COMMAND, value=done, allowed=list(self._commands)), message.correlation
            )

    def _obey(self, service: Service, command: str) -> str:
        """Do it; return what was done.

        :raises ImproviserError: if it cannot be.
        """
        if command == "panic":
            service.send(Panic())
        elif command in COMMANDS:
            service.send(Instruct(command))
        elif command == "shutdown":
            service.stop()
        elif self._save is None:
            raise OutputError("there is nothing to save: the session is not recorded")
        else:
            return self._save()
        return command

    def _request_change(self, service: Service, parameter: str, message: Received) -> None:
        models = catalogue.choices_with(catalogue.names(), service.begun_with) if parameter == MODEL else {}
        try:
            value = read_request(parameter, message.payload, [*models])
            if parameter == MODEL:
                value = type(value)(models[name] for name in value)
            reply = service.request(parameter, value, "mqtt")
        except ImproviserError as error:
            now = self._value(parameter)
            self._refuse(parameter, now, str(error), allowed_for(parameter, [*models]), message.correlation)
            return
        self._pending.append(Pending(reply, time.monotonic() + CONFIRM_SECONDS))
        reply.add_done_callback(lambda told: self._answer(parameter, value, told, message.correlation))

    # What they get for it.

    def _expire(self) -> None:
        """Wait no longer for replies that are late."""
        while self._pending and (self._pending[0].reply.done() or self._pending[0].deadline < time.monotonic()):
            self._pending.popleft().reply.cancel()

    def _answer(self, parameter: str, value: Any, told: asyncio.Future[Confirmed], correlation: bytes | None) -> None:
        playing = self._service is not None and self._service.playing
        late = TOO_LATE if playing else NOT_PLAYING
        error = late if told.cancelled() else told.result().error
        allowed = allowed_for(parameter, catalogue.names() if parameter == MODEL else ())
        if error is None:
            self._reply(Reply(ok=True, parameter=parameter, value=plain(value), allowed=allowed), correlation)
        else:
            self._refuse(parameter, self._value(parameter), error, allowed, correlation)

    def _value(self, parameter: str) -> Any:
        """Return what a parameter is now, None if there is none of this name."""
        if self._service is None or parameter not in LIVE_KEYS:
            return None
        return plain(self._service.confirmed(parameter))

    def _refuse(
        self, parameter: str, value: Any, error: str, allowed: str | list[str] | None, correlation: bytes | None
    ) -> None:
        self._refused += 1
        reply = Reply(ok=False, parameter=parameter[:200], value=value, error=error, allowed=allowed)
        self._reply(reply, correlation)

    def _reply(self, reply: Reply, correlation: bytes | None) -> None:
        post = Post(self._topics.reply, encode(reply), correlation=correlation)
        self.link.reply(post, first=reply.parameter == COMMAND)
