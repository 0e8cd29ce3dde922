"""The link to a broker, on real mosquitto: wills, passwords, access rules, TLS, and brokers that die, hang or flood."""

import asyncio
import contextlib
import gc
import logging
import ssl
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from improviser.core.addresses.broker import Broker as Address
from improviser.remote.credentials import access_of
from improviser.remote.mqtt import ANSWER_SECONDS, Access, Link
from improviser.remote.mqtt_queues import Post, Received
from improviser.settings.schema import Settings
from tests.mqtt_peer import Peer
from tests.servers import Broker, requires

BASE = "improviser/link"
STATUS = f"{BASE}/status"
Scene = Callable[[Link, list[Received]], Awaitable[None]]


def access(broker: Broker, **changes: object) -> Access:
    return Access(**{"broker": Address(broker.host, broker.port), **changes})  # type: ignore[arg-type]


def link_to(way: Access, received: list[Received]) -> Link:
    alive, gone = (Post(STATUS, word, retain=True) for word in (b"online", b"offline"))
    return Link(way, "link-under-test", alive, gone, [f"{BASE}/set/#"], received.append, urgent=[f"{BASE}/cmd"])


def linked(way: Access, scene: Scene) -> Link:
    """Run a link through a scene, in which it is connected at first; return it."""
    received: list[Received] = []

    async def run() -> Link:
        link = link_to(way, received)
        task = asyncio.ensure_future(link.run())
        try:
            await scene(link, received)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return link

    return asyncio.run(run())


async def until(done: Callable[[], object], timeout: float = 15.0) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


class TestStatus:
    @pytest.mark.parametrize("protocol", ["auto", "3.1.1", "5"])
    def test_online_while_there_and_offline_after(self, mosquitto_broker: Broker, protocol: str) -> None:
        async def scene(link: Link, _: list[Received]) -> None:
            await until(lambda: link.connected)
            with Peer(mosquitto_broker, STATUS) as late:
                await asyncio.to_thread(late.wait_for, STATUS, lambda heard: heard.payload == b"online")

        linked(access(mosquitto_broker, protocol=protocol), scene)
        with Peer(mosquitto_broker, STATUS) as later:
            (last,) = later.wait_for(STATUS)
            assert (last.payload, last.retained) == (b"offline", True)

    def test_a_late_will_is_put_right(self, mosquitto_broker: Broker) -> None:
        async def scene(link: Link, _: list[Received]) -> None:
            await until(lambda: link.connected)
            with Peer(mosquitto_broker, STATUS) as peer:
                await asyncio.to_thread(peer.publish, STATUS, "offline", retain=True)
                offline = await asyncio.to_thread(peer.wait_for, STATUS, lambda heard: heard.payload == b"offline")
                again = lambda heard: heard.payload == b"online" and heard.seconds > offline[-1].seconds  # noqa: E731
                await asyncio.to_thread(peer.wait_for, STATUS, again)

        linked(access(mosquitto_broker), scene)


class TestLetters:
    def test_every_byte_arrives_and_its_correlation_is_echoed(self, mosquitto_broker: Broker) -> None:
        async def scene(link: Link, received: list[Received]) -> None:
            await until(lambda: link.connected)
            with Peer(mosquitto_broker, f"{BASE}/reply") as peer:
                await asyncio.to_thread(peer.publish, f"{BASE}/set/x", bytes(range(256)), correlation=b"\x00id")
                await until(lambda: received)
                assert received == [Received(f"{BASE}/set/x", bytes(range(256)), retained=False, correlation=b"\x00id")]
                link.reply(Post(f"{BASE}/reply", b"done", correlation=received[0].correlation))
                (reply,) = await asyncio.to_thread(peer.wait_for, f"{BASE}/reply")
                assert (reply.payload, reply.correlation) == (b"done", b"\x00id")

        linked(access(mosquitto_broker), scene)

    def test_a_taker_that_fails_does_not_end_the_link(
        self, mosquitto_broker: Broker, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scene(link: Link, received: list[Received]) -> None:
            await until(lambda: link.connected)
            link._take_received = lambda _: 1 // 0  # type: ignore[assignment]
            with Peer(mosquitto_broker) as peer:
                await asyncio.to_thread(peer.publish, f"{BASE}/cmd", b"x")
                await until(lambda: link.counts.faults)
                link._take_received = received.append
                await asyncio.to_thread(peer.publish, f"{BASE}/cmd", b"y")
                await until(lambda: received)

        link = linked(access(mosquitto_broker), scene)
        assert link.counts.faults == link.counts.connected == 1
        assert "could not be taken" in caplog.text

    def test_a_flood_is_dropped_and_counted_and_does_not_drown_commands(self, mosquitto_broker: Broker) -> None:
        async def scene(link: Link, received: list[Received]) -> None:
            await until(lambda: link.connected)
            with Peer(mosquitto_broker) as peer:
                for _ in range(8):  # a slow machine has time to take in more of it
                    for _ in range(5000):
                        peer.publish(f"{BASE}/set/x", b"1", qos=0)
                    await asyncio.to_thread(peer.publish, f"{BASE}/cmd", b"panic")
                    await until(lambda: any(message.topic == f"{BASE}/cmd" for message in received))
                    received.clear()
                    if link.counts.flooded > 2000:
                        break

        link = linked(access(mosquitto_broker), scene)
        assert link.counts.flooded > 2000


class TestOutages:
    def test_without_a_broker_nothing_waits_and_it_is_said_once(
        self, restartable_broker: Broker, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        restartable_broker.kill()

        async def scene(link: Link, _: list[Received]) -> None:
            link.keep(f"{BASE}/state", b"first")
            for number in range(3000):
                link.stream(f"{BASE}/event/out", b"x")
                link.reply(Post(f"{BASE}/reply", str(number).encode()))
                link.keep(f"{BASE}/state", str(number).encode())
            await asyncio.sleep(1.0)
            assert not link.connected
            assert link.counts.dropped_events == 3000
            assert link.counts.dropped_replies == 2000
            restartable_broker.start()
            with Peer(restartable_broker, f"{BASE}/#") as peer:
                await asyncio.to_thread(peer.wait_for, f"{BASE}/state", lambda heard: heard.payload == b"2999")
                await asyncio.to_thread(peer.wait_for, f"{BASE}/reply", count=1000)
                assert [heard.payload for heard in peer.on(f"{BASE}/reply")] == [b"%d" % each for each in range(1000)]

        linked(access(restartable_broker), scene)
        assert caplog.text.count("cannot reach the broker") == 1

    def test_after_every_death_it_is_back_with_all_that_is_retained(self, restartable_broker: Broker) -> None:
        async def scene(link: Link, _: list[Received]) -> None:
            link.keep(f"{BASE}/state", b"kept")
            for number in range(1, 4):
                await until(lambda number=number: link.counts.connected == number)  # type: ignore[misc]
                with Peer(restartable_broker, f"{BASE}/#") as peer:
                    for topic in (STATUS, f"{BASE}/state"):
                        await asyncio.to_thread(peer.wait_for, topic)
                restartable_broker.kill()
                await until(lambda: not link.connected)
                link.keep(f"{BASE}/state", b"kept while away")
                restartable_broker.start()

        linked(access(restartable_broker), scene)

    def test_a_broker_that_hangs_holds_nothing_up(self, restartable_broker: Broker) -> None:
        async def scene(link: Link, received: list[Received]) -> None:
            await until(lambda: link.connected)
            restartable_broker.freeze()
            began = asyncio.get_running_loop().time()
            for _ in range(100):
                link.reply(Post(f"{BASE}/reply", b"x" * 1000))
                link.stream(f"{BASE}/event/out", b"x" * 1000)
                await asyncio.sleep(0.001)
            assert asyncio.get_running_loop().time() - began < 2
            await until(lambda: not link.connected)
            restartable_broker.thaw()
            await until(lambda: link.connected)
            with Peer(restartable_broker, STATUS) as peer:
                await asyncio.to_thread(peer.wait_for, STATUS, lambda heard: heard.payload == b"online")
                await asyncio.to_thread(peer.publish, f"{BASE}/cmd", b"still there?")
                await until(lambda: received)

        linked(access(restartable_broker), scene)


def password_file(folder: Path, **users: str) -> Path:
    path = folder / "passwords"
    path.touch(mode=0o600)
    for user, password in users.items():
        subprocess.run([requires("mosquitto_passwd"), "-b", str(path), user, password], check=True, capture_output=True)
    return path


@contextlib.contextmanager
def broker_with(folder: Path, *lines: str) -> Iterator[Broker]:
    # Started as root, it would become somebody else and could not read the files of the test.
    broker = Broker(folder, "user root", *lines)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class TestAccess:
    def test_with_the_password_it_gets_in_and_without_it_is_said(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = "correct horse"  # noqa: S105
        lines = ("allow_anonymous false", f"password_file {password_file(tmp_path, me=secret)}")

        async def refused(link: Link, _: list[Received]) -> None:
            await until(lambda: "cannot reach the broker" in caplog.text)
            assert not link.connected

        async def let_in(link: Link, _: list[Received]) -> None:
            await until(lambda: link.connected)

        with broker_with(tmp_path, *lines) as broker:
            address = Address(broker.host, broker.port, user="me")
            linked(Access(address, "wrong"), refused)
            linked(Access(address, secret), let_in)
        assert "uthori" in caplog.text
        assert secret not in caplog.text

    def test_silent_access_rules_are_noticed_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        rules = tmp_path / "acl"
        rules.write_text("user me\ntopic read improviser/#\n")
        rules.chmod(0o600)
        lines = ("allow_anonymous false", f"password_file {password_file(tmp_path, me='pw')}", f"acl_file {rules}")

        async def scene(link: Link, _: list[Received]) -> None:
            await until(lambda: "does not pass on" in caplog.text)
            assert link.connected

        with broker_with(tmp_path, *lines) as broker:
            linked(Access(Address(broker.host, broker.port, user="me"), "pw"), scene)
        assert caplog.text.count("access rules") == 1
        assert f"allow me to read and write {BASE}/#" in caplog.text

    def test_rules_that_allow_all_it_needs_are_no_reason_to_complain(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        rules = tmp_path / "acl"
        rules.write_text(f"user me\ntopic readwrite {BASE}/#\n")
        rules.chmod(0o600)
        lines = ("allow_anonymous false", f"password_file {password_file(tmp_path, me='pw')}", f"acl_file {rules}")

        async def scene(link: Link, _: list[Received]) -> None:
            await until(lambda: link._echoes.get(STATUS) == float("inf"))

        with broker_with(tmp_path, *lines) as broker:
            linked(Access(Address(broker.host, broker.port, user="me"), "pw"), scene)
        assert "access rules" not in caplog.text


class TestTls:
    def test_both_sides_show_their_certificates(self, certificates: Path, tmp_path: Path) -> None:
        authority, certificate, key = (str(certificates / name) for name in ("ca.crt", "client.crt", "client.key"))

        async def scene(link: Link, received: list[Received]) -> None:
            await until(lambda: link.connected)
            link.keep(f"{BASE}/state", b"x" * 100_000)
            link.keep(f"{BASE}/cmd", b"y" * 100_000)
            await until(lambda: received)
            assert received[0].payload == b"y" * 100_000

        with broker_with(tmp_path, *tls_lines(certificates)) as broker:
            settings = Settings(
                mqtt=f"mqtts://localhost:{broker.port}",
                mqtt_ca_file=authority,
                mqtt_cert_file=certificate,
                mqtt_key_file=key,
            )
            way = access_of(settings, {})
            assert way is not None
            linked(way, scene)

    # paho leaves the socket of a failed handshake to the garbage collector.
    @pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket", "ignore:unclosed <ssl.SSLSocket")
    def test_a_broker_that_nobody_vouches_for_is_not_talked_to(
        self, certificates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scene(link: Link, _: list[Received]) -> None:
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in caplog.text)
            assert not link.connected

        with broker_with(tmp_path, *tls_lines(certificates)) as broker:
            address = Address("localhost", broker.port, secure=True)
            linked(Access(address, tls=ssl.create_default_context()), scene)
            for thread in threading.enumerate():
                if thread.name == "daemon-call":  # another attempt
                    thread.join(ANSWER_SECONDS)
        gc.collect()


def tls_lines(folder: Path) -> tuple[str, ...]:
    files = {"cafile": "ca.crt", "certfile": "server.crt", "keyfile": "server.key"}
    return (*(f"{key} {folder / name}" for key, name in files.items()), "require_certificate true")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of the tests' own, and what it vouches for: `localhost` and a client."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run([requires("openssl"), *arguments], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *signing)
    for key in folder.glob("*.key"):
        key.chmod(0o600)
    return folder
