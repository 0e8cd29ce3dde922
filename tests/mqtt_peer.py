"""Somebody else at the broker: hears everything on some topics, and publishes."""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.servers import Broker, EmbeddedBroker


@dataclass(frozen=True)
class Heard:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool
    correlation: bytes | None
    seconds: float

    @property
    def json(self) -> dict[str, Any]:
        """The payload as the JSON object that it is."""
        value = msgspec.json.decode(self.payload)
        assert isinstance(value, dict)
        return value


class Peer:
    """A client of `broker` that hears `topics`, from the moment the block begins."""

    def __init__(
        self,
        broker: Broker | EmbeddedBroker,
        *topics: str,
        user: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
    ) -> None:
        self.heard: list[Heard] = []
        self._topics = topics
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        if user is not None:
            self._client.username_pw_set(user, password)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.connect(broker.host, broker.port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._subscribed.wait(10), "the broker did not let the test's own client in"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, *_: object) -> None:
        self._client.subscribe([(topic, 1) for topic in self._topics or ("nothing",)])

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        self.heard.append(Heard(message.topic, bytes(message.payload), message.retain, correlation, time.monotonic()))

    def publish(
        self, topic: str, payload: str | bytes, *, qos: int = 1, correlation: bytes | None = None, retain: bool = False
    ) -> None:
        """Publish, and wait until the broker has it if `qos` is 1."""
        properties = None
        if correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = correlation
        sent = self._client.publish(topic, payload, qos, retain, properties)
        if qos:
            sent.wait_for_publish(10)

    def on(self, topic: str) -> list[Heard]:
        """Return what has come on a topic so far."""
        return [heard for heard in list(self.heard) if heard.topic == topic]

    def wait_for(
        self, topic: str, wanted: Callable[[Heard], bool] = lambda _: True, *, count: int = 1, timeout: float = 15.0
    ) -> list[Heard]:
        """Wait until so many wanted messages have come on a topic; return them."""
        deadline = time.monotonic() + timeout
        while len(found := [heard for heard in self.on(topic) if wanted(heard)]) < count:
            came = [(heard.topic, heard.payload[:200]) for heard in self.heard[-20:]]
            assert time.monotonic() < deadline, f"{len(found)} of {count} came on {topic}; the last of all: {came}"
            time.sleep(0.01)
        return found
