"""The connection to an MQTT broker: it publishes what waits in one bounded queue, and fills another (`mqtt_queues`).

Only the task of the link waits for the broker: to publish is to put a message into the queue. If the broker is not
there, dies, hangs or refuses, the link connects again and again, at most eight seconds apart; then it publishes all
retained topics once more. (aiomqtt reconnects by entering its client's block again.)

On an event loop that cannot watch sockets, as on Windows, the link runs a loop of its own in a thread.

mosquitto does not report what its access rules forbid. So the link subscribes to some topics that it publishes itself,
and if none of that comes back, it says so once.
"""

import asyncio
import contextlib
import logging
import random
import ssl
import time
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from improviser.core.addresses.broker import Broker
from improviser.engine.live_state import BURST, RATE
from improviser.executors import DaemonThreadExecutor
from improviser.pacing import Bucket, pause_seconds
from improviser.remote.mqtt_queues import Counts, Inbox, Outbox, Post, Received
from improviser.remote.selector_thread import run_in_selector_thread, watches_sockets
from improviser.waiting import within

log = logging.getLogger("improviser")

ANSWER_SECONDS = 4.0
"""How long the broker has to confirm something; connecting takes as long at most, and a pause comes before."""
KEEP_ALIVE_SECONDS = 10
ECHO_SECONDS = 3.0
ENDING_SECONDS = 1.5
TIMED_OUT = "Operation timed out"
"""What aiomqtt says if a broker does not answer."""
LARGEST_PACKET = 1 << 20
VERSIONS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in: `protocol` is "5", "3.1.1" or "auto", which takes the other in turn if one is refused."""

    broker: Broker
    password: str | None = None
    tls: ssl.SSLContext | None = None
    protocol: str = "auto"


class Link:
    """One client of one broker; `run` it as a task of its own, `close` it at the end.

    :param identifier: who we are to the broker; the same for every attempt.
    :param alive, gone: what is retained while we are there, and what the broker publishes when we are not.
    :param topics: what to listen to.
    :param take: gets every message of those topics.
    :param own: topics that we publish and subscribe to, to see whether the broker passes them on; the will's topic is
        always one of them.
    :param urgent: what to listen to on a connection of its own: what a flood on the others leaves waiting, in the
        broker and on the way, is in nobody's way there.
    """

    def __init__(
        self,
        access: Access,
        identifier: str,
        alive: Post,
        gone: Post,
        topics: Sequence[str],
        take: Callable[[Received], None],
        own: Sequence[str] = (),
        urgent: Sequence[str] = (),
    ) -> None:
        self.counts = Counts()
        self.connected = False
        self._access = access
        self._identifier = identifier
        self._alive, self._gone = alive, gone
        self._own = (alive.topic, *own)
        self._topics = (*self._own, *topics)
        self._urgent = tuple(urgent)
        self._take_received = take
        self._outbox = Outbox(self.counts)
        self._outbox.keep(alive)
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        """The link's, if that is not the session's."""
        self._session_loop: asyncio.AbstractEventLoop | None = None
        self._echoes: dict[str, float] = {}
        self._buckets = {topic: Bucket(RATE, BURST) for topic in ("", *self._topics, *urgent)}
        self._version = "5" if access.protocol == "auto" else access.protocol
        self._told = self._suspected = self._version_works = False

    def keep(self, topic: str, payload: bytes) -> None:
        """Publish what a topic retains, now and on every new connection; only the newest counts."""
        self._outbox.keep(Post(topic, payload, retain=True))
        self._wake_sender()

    def reply(self, post: Post, *, first: bool = False) -> None:
        """Publish something that somebody waits for; `first`, before all that others wait for."""
        if self._outbox.reply(post, first=first):
            self._wake_sender()

    def stream(self, topic: str, payload: bytes) -> bool:
        """Publish something that is worthless if late; say whether there was a connection and room for it."""
        added = self._outbox.stream(Post(topic, payload, qos=0), connected=self.connected)
        if added:
            self._wake_sender()
        return added

    def _wake_sender(self) -> None:
        """Wake the sender: there is something to publish."""
        if self._loop is None:
            self._wake.set()
        else:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Stay connected until cancelled; then publish the end, if that takes no time."""
        loop = asyncio.get_running_loop()
        if watches_sockets(loop):
            await self._stay_connected()
            return
        self._session_loop = loop
        await run_in_selector_thread(self._stay_connected, "MQTT")

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_hear_fault)
        loop.set_default_executor(DaemonThreadExecutor())
        if self._session_loop is not None:
            self._loop = loop
            self._wake.set()  # for what was to be published before
        attempt = 0
        while True:
            before = self.counts.connected
            try:
                async with self._client() as client, self._beside() as beside:
                    await self._converse(client, beside)
            except Exception as error:  # noqa: BLE001  whatever happens to a connection, the next may be better
                self._tell(error)
                self._try_other_version(error)
                _let_go(error)
            finally:
                self.connected = False
            attempt = 0 if self.counts.connected > before else attempt + 1
            await asyncio.sleep(pause_seconds(attempt, random.random()))  # noqa: S311  nothing depends on it

    @contextlib.asynccontextmanager
    async def _beside(self) -> AsyncIterator[aiomqtt.Client | None]:
        """Open the connection for what is urgent, if anything is."""
        if not self._urgent:
            yield None
            return
        async with self._client("-u") as client:
            yield client

    def _client(self, suffix: str = "") -> aiomqtt.Client:
        """Return one of our clients: the one without a suffix is the one that leaves a will."""
        access, gone = self._access, self._gone
        properties = None
        if self._version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = LARGEST_PACKET
        return aiomqtt.Client(
            access.broker.host,
            access.broker.port,
            username=access.broker.user,
            password=access.password,
            identifier=self._identifier + suffix,
            protocol=VERSIONS[self._version],
            will=aiomqtt.Will(gone.topic, gone.payload, gone.qos, gone.retain) if not suffix else None,
            timeout=ANSWER_SECONDS,
            keepalive=KEEP_ALIVE_SECONDS,
            tls_context=access.tls,
            properties=properties,
            queue_type=lambda maxsize: Inbox(self.counts, self._buckets, self._own),  # type: ignore[arg-type]  # noqa: ARG005
            logger=_silent(),
        )

    async def _converse(self, client: aiomqtt.Client, beside: aiomqtt.Client | None) -> None:
        """Send and take messages until the connection ends.

        :raises aiomqtt.MqttError: when it does.
        """
        self._echoes = {}
        self._outbox.drop_stream()  # left from the last connection
        granted: list[object] = [*await client.subscribe([(topic, 1) for topic in self._topics])]
        if beside is not None:
            granted += [*await beside.subscribe([(topic, 1) for topic in self._urgent])]
        self.connected = True
        self.counts.connected += 1
        self._told, self._version_works = False, True
        log.info("connected to %s", self._access.broker)
        self._outbox.keep_again()
        self._wake.set()
        refused = [
            topic for topic, code in zip((*self._topics, *self._urgent), granted, strict=False) if _is_refusal(code)
        ]
        if refused:
            self._suspect(f"does not let us listen to {', '.join(refused)}")
        parts = [self._send(client), self._receive(client), self._await_echoes()]
        parts += [self._receive(beside)] if beside is not None else []
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.CancelledError:
            tasks[0].cancel()
            with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                await within(ENDING_SECONDS, self._publish_the_end(client))
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _publish_the_end(self, client: aiomqtt.Client) -> None:
        """Publish the last replies, and that we are gone: a clean end does not make the broker publish the will."""
        for post in (*self._outbox.owed(), self._gone):
            await self._publish(client, post)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._outbox.next_batch():
                await asyncio.gather(*(self._publish(client, post) for post in batch))

    async def _publish(self, client: aiomqtt.Client, post: Post) -> None:
        properties = None
        if self._version == "5" and post.correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = post.correlation
        if post.topic in self._own:
            self._echoes.setdefault(post.topic, time.monotonic() + ECHO_SECONDS)
        try:
            await client.publish(post.topic, post.payload, post.qos, post.retain, properties)
        except aiomqtt.MqttError:
            self._outbox.count_lost(post)
            raise

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self._guarded(message.topic, self._receive_one, message)

    def _guarded(self, topic: object, take: Callable[[Any], None], what: object) -> None:
        try:
            take(what)
        except Exception:  # whatever comes in over a network must not end the session
            self.counts.faults += 1
            log.exception("a message on %s could not be taken", topic)

    def _receive_one(self, message: aiomqtt.Message) -> None:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        if str(message.topic) in self._own:
            if not message.retain:
                self._echoes[str(message.topic)] = float("inf")
            if str(message.topic) == self._alive.topic and payload != self._alive.payload:
                # The will of a connection that we gave up may come late, or another plays under our name and ended.
                self.keep(self._alive.topic, self._alive.payload)
            return
        correlation = getattr(message.properties, "CorrelationData", None)
        received = Received(str(message.topic), payload, bool(message.retain), correlation)
        if self._session_loop is None:
            self._take_received(received)
        else:
            self._session_loop.call_soon_threadsafe(self._guarded, received.topic, self._take_received, received)

    async def _await_echoes(self) -> None:
        """Notice if nothing comes back."""
        while True:
            await asyncio.sleep(ECHO_SECONDS / 4)
            now = time.monotonic()
            silent = [topic for topic, deadline in self._echoes.items() if deadline < now]
            if silent:
                self._suspect(f"does not pass on what we publish on {', '.join(silent)}")

    def _suspect(self, trouble: str) -> None:
        if not self._suspected:
            prefix = self._alive.topic.rpartition("/")[0]
            log.warning(
                "the broker %s %s; do its access rules (ACL) allow %s to read and write %s/#?",
                self._access.broker,
                trouble,
                self._access.broker.user or "anybody",
                prefix,
            )
        self._suspected = True

    def _tell(self, error: Exception) -> None:
        """Say once per outage what is wrong."""
        lost = "lost" if self.connected else "cannot reach"
        if not self._told:
            log.warning(
                "%s the broker %s (%s); playing goes on, trying again",
                lost,
                self._access.broker,
                error.__cause__ or error,
            )
        self._told = True
        log.debug("no connection: %r", error, exc_info=error)

    def _try_other_version(self, error: Exception) -> None:
        """Take the other version of MQTT next time if a broker that is there refused this one, or hung up on it."""
        refused = isinstance(error, aiomqtt.MqttCodeError) or str(error) == TIMED_OUT
        if self._access.protocol == "auto" and refused and not self._version_works:
            self._version = "3.1.1" if self._version == "5" else "5"


def _is_refusal(code: object) -> bool:
    """Say whether a subscription's code (a number, or paho's ReasonCode) is a refusal: 128 and up, in both versions."""
    value = getattr(code, "value", code)
    return isinstance(value, int) and value >= 128


def _hear_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Take what asyncio has to say: that a connection we gave up has failed as well is no news."""
    if isinstance(context.get("exception"), aiomqtt.MqttError):
        log.debug("a connection that was given up: %s", context["exception"])
    else:
        loop.default_exception_handler(context)


def _let_go(error: BaseException | None) -> None:
    """Free what the frames of an error hold: the socket of a failed handshake, which paho closes in no other way."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _silent() -> logging.Logger:
    """Return a logger for the libraries: what they would say, we say once, and in our words."""
    logger = logging.getLogger("improviser.remote.mqtt.wire")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
