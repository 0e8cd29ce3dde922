"""A session over MQTT, on real mosquitto and a real engine: steered, flooded, fuzzed, cut off, heard by another."""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from improviser.core.addresses.topics import Topics
from improviser.core.music.scales import pitches_of
from improviser.engine.live_state import REFUSED
from improviser.engine.protocol import Applied
from improviser.engine.supervisor import Supervisor
from improviser.remote.discovery import configurations
from improviser.remote.mqtt_session import NOT_PLAYING
from improviser.settings.schema import LIVE_KEYS, Settings
from tests.jack_peer import held
from tests.mqtt_acts import Act, mqtt_act, mqtt_session
from tests.mqtt_peer import Heard, Peer
from tests.playing import kill_engines_asked_for, write_small_model
from tests.remote.test_remote import NASTY
from tests.servers import Broker, requires

BASE = "improviser/improviser"
REPLY, STATE, STATUS = f"{BASE}/reply", f"{BASE}/state", f"{BASE}/status"
FLOOD_SECONDS = 5.0 if os.environ.get("IMPROVISER_LONG_TESTS") else 2.0
FLOOD_PER_SECOND = 10_000


@pytest.fixture(autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("models")
    write_small_model(folder / "small.safetensors")
    (folder / "broken.safetensors").write_bytes(b"no model at all")
    monkeypatch.setenv("IMPROVISER_MODELS", str(folder))


def replied(wanted: Callable[[dict[str, Any]], bool]) -> Callable[[Heard], bool]:
    return lambda heard: wanted(heard.json)


async def ask(peer: Peer, topic: str, payload: str | bytes) -> dict[str, Any]:
    """Publish, and return the one reply to it."""
    correlation = os.urandom(8)
    await asyncio.to_thread(peer.publish, f"{BASE}/{topic}", payload, correlation=correlation)
    (reply,) = await asyncio.to_thread(peer.wait_for, REPLY, lambda heard: heard.correlation == correlation)
    return reply.json


class TestSteering:
    def test_what_is_wished_is_checked_done_and_replied_to_once(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, f"{BASE}/#") as peer:
                assert await ask(peer, "set/temperature", "1.5") == {
                    "ok": True,
                    "parameter": "temperature",
                    "value": 1.5,
                    "error": None,
                    "allowed": "a number 0–4 (0 plays safe, 1 plays freely)",
                }
                assert (await ask(peer, "set/model", "echo"))["value"] == "echo"
                assert (await ask(peer, "set/mode", '"mute"'))["ok"]
                refused = await ask(peer, "set/temperature", "9")
                assert (refused["ok"], refused["value"]) == (False, 1.5)
                assert "it is 9" in refused["error"]
                nonsense = await ask(peer, "set/nonsense", "1")
                assert (nonsense["ok"], nonsense["value"], nonsense["allowed"]) == (False, None, list(LIVE_KEYS))
                state = (await asyncio.to_thread(peer.wait_for, STATE, replied(lambda state: state["mode"] == "mute")))[
                    -1
                ]
                assert (state.json["temperature"], state.json["model"]) == (1.5, "echo")
                await asyncio.sleep(0.3)
                assert len(peer.on(REPLY)) == 5
            assert act.service.models == ("echo",)
            assert [report.value for report in act.reports if isinstance(report, Applied)] == [1.5, ["echo"], "mute"]

        mqtt_session(mosquitto_broker, scene)

    def test_no_path_gets_in(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY) as peer:
                for name in ("/etc/passwd", "../small", "small.safetensors", "nobody"):
                    reply = await ask(peer, "set/model", name)
                    assert not reply["ok"]
                    assert {"small", "echo", "bach-bass"} <= set(reply["allowed"])
            assert not [report for report in act.reports if isinstance(report, Applied)]

        mqtt_session(mosquitto_broker, scene)

    def test_a_model_that_cannot_be_loaded_is_said_and_the_former_plays_on(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY) as peer:
                reply = await ask(peer, "set/model", "broken")
                assert (reply["ok"], reply["value"]) == (False, "small")
                assert "broken.safetensors" in reply["error"]
            await act.play(3)
            await act.assert_every_note_was_answered()

        mqtt_session(mosquitto_broker, scene)

    def test_a_wish_that_ends_every_engine_is_not_confirmed_by_the_next(
        self, mosquitto_broker: Broker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kill_engines_asked_for("quantise", monkeypatch)
        monkeypatch.setattr("improviser.remote.mqtt_session.CONFIRM_SECONDS", 60.0)

        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY) as peer:
                reply = await ask(peer, "set/quantise", "1/4")
                assert (reply["ok"], reply["value"], reply["error"]) == (False, "off", REFUSED)
                assert (await ask(peer, "set/density", "0.5"))["ok"]
                assert len(peer.on(REPLY)) == 2

        mqtt_session(mosquitto_broker, scene)

    def test_where_no_engine_plays_the_reply_says_so_and_the_next_is_asked(
        self, mosquitto_broker: Broker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reopen, may_open = Supervisor._reopen, asyncio.Event()

        async def wait_and_reopen(self: Supervisor) -> None:
            await may_open.wait()
            await reopen(self)

        monkeypatch.setattr(Supervisor, "_reopen", wait_and_reopen)
        monkeypatch.setattr("improviser.remote.mqtt_session.CONFIRM_SECONDS", 0.3)

        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY) as peer:
                await act.until(lambda: act.mqtt.link.connected)
                engine = act.service._supervisor._engine
                assert engine is not None
                engine.kill()
                await act.until(lambda: not act.service.playing)
                reply = await ask(peer, "set/density", "0.5")
                assert (reply["ok"], reply["value"], reply["error"]) == (False, 1.0, NOT_PLAYING)
                may_open.set()
                await act.until(lambda: act.service.confirmed("density") == 0.5)
                assert len(peer.on(REPLY)) == 1

        mqtt_session(mosquitto_broker, scene)

    def test_who_wishes_what_another_door_asks_for_gets_a_reply_of_its_own(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY) as peer:
                await act.until(lambda: act.mqtt.link.connected)
                others = [act.service.request("density", 0.5, "keys") for _ in range(20)]
                replies = [await ask(peer, "set/density", "0.5") for _ in range(3)]
                assert all(reply["ok"] for reply in replies)
                assert all(reply.error is None for reply in await asyncio.gather(*others))
                assert len(peer.on(REPLY)) == 3

        mqtt_session(mosquitto_broker, scene)

    def test_commands(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY) as peer:
                panic = await ask(peer, "cmd", "panic")
                assert (panic["ok"], panic["parameter"], panic["value"]) == (True, "cmd", "panic")
                assert panic["allowed"] == ["panic", "save", "good", "bad", "forget"]
                assert (await ask(peer, "cmd", "bad"))["value"] == "bad"
                assert "not recorded" in (await ask(peer, "cmd", "save"))["error"]
                assert "no such command" in (await ask(peer, "cmd", "shutdown"))["error"]
            assert act.service.playing

        mqtt_session(mosquitto_broker, scene)

    def test_shutdown_where_it_is_allowed(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY, STATUS) as peer:
                assert (await ask(peer, "cmd", "shutdown"))["ok"]
            await act.until(lambda: not act.service.playing)

        mqtt_session(mosquitto_broker, scene, mqtt_shutdown=True)

    def test_what_a_broker_kept_from_another_time_is_not_obeyed(self, mosquitto_broker: Broker) -> None:
        topics = (f"{BASE}/cmd", f"{BASE}/set/mode")

        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, REPLY) as peer:
                assert (await ask(peer, "set/density", "0.5"))["ok"]
                assert act.mqtt.state(act.service)["mqtt"]["retained"] == 2
                assert len(peer.on(REPLY)) == 1
            assert act.service.parameters.mode == "shadow"

        with Peer(mosquitto_broker) as before:
            for topic, payload in zip(topics, ("panic", "mute"), strict=True):
                before.publish(topic, payload, retain=True)
            try:
                mqtt_session(mosquitto_broker, scene)
            finally:
                for topic in topics:
                    before.publish(topic, b"", retain=True)


class TestState:
    def test_it_tells_all_there_is(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            await act.play(10)
            await act.assert_every_note_was_answered()
            with Peer(mosquitto_broker, STATE, STATUS) as peer:
                (first,) = await asyncio.to_thread(peer.wait_for, STATE)
                assert first.retained
                act.service.request("density", 0.5, "keys")  # whoever changes it, it is told
                changed = await asyncio.to_thread(peer.wait_for, STATE, replied(lambda state: state["density"] == 0.5))
                state = changed[-1].json
            assert set(LIVE_KEYS) <= set(state)
            assert state["notes"] == {"heard": 10, "played": 10}
            assert pitches_of(state["key"]) is not None  # a key that can be asked for
            assert 0 < state["latency"]["p50_us"] <= state["latency"]["p99_us"] <= state["latency"]["max_us"]
            assert state["ports"] == {"input": "loopback", "output": "loopback"}
            assert state["connection"] == {"api": "loopback", "playing": True}
            assert state["name"] == "improviser"
            assert state["version"]

        mqtt_session(mosquitto_broker, scene)

    def test_events_if_they_are_wanted(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, f"{BASE}/event/#") as peer:
                await act.until(lambda: act.mqtt.link.connected)
                await act.play(20)
                await act.assert_every_note_was_answered()
                heard = await asyncio.to_thread(peer.wait_for, f"{BASE}/event/in", count=40)
                played = await asyncio.to_thread(peer.wait_for, f"{BASE}/event/out", count=40)
                for message, event in zip(act.sent + act.played, [each.json for each in heard + played], strict=True):
                    kind = "note_on" if message[0] == 0x90 else "note_off"
                    assert (event["type"], event["channel"], event["pitch"]) == (kind, 0, message[1])
                    assert event["velocity"] == message[2]

        mqtt_session(mosquitto_broker, scene, mqtt_events=True)

    def test_no_events_otherwise(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, f"{BASE}/event/#", REPLY) as peer:
                await act.play(5)
                assert (await ask(peer, "cmd", "panic"))["ok"]
                assert not [heard for heard in peer.heard if "/event/" in heard.topic]

        mqtt_session(mosquitto_broker, scene)

    def test_home_assistant_finds_it(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            with Peer(mosquitto_broker, "homeassistant/#") as peer:
                topic = "homeassistant/select/improviser_improviser/model/config"
                (found,) = await asyncio.to_thread(peer.wait_for, topic)
                assert "small" in found.json["options"]
                entities = configurations(Topics("improviser"), ["small"])
                await act.until(lambda: {heard.topic for heard in peer.heard} == set(entities))
                assert all(heard.retained for heard in peer.heard)

        mqtt_session(mosquitto_broker, scene, mqtt_discovery=True)


@contextlib.asynccontextmanager
async def flood(broker: Broker, seconds: float) -> AsyncIterator[None]:
    """Have somebody publish requests as fast as is said above, in a process of its own, until the end of the block."""
    command = [
        requires("mosquitto_pub"),
        "-h",
        broker.host,
        "-p",
        str(broker.port),
        "-l",
        "-t",
        f"{BASE}/set/temperature",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as publisher:
        assert publisher.stdin is not None
        stream = publisher.stdin

        def pour() -> None:
            start = time.monotonic()
            lines = b"".join(b"%.2f\n" % (number % 100 / 50) for number in range(FLOOD_PER_SECOND // 100))
            for number in range(int(seconds * 100)):
                stream.write(lines)
                stream.flush()
                time.sleep(max(0.0, start + number / 100 - time.monotonic()))
            stream.close()

        pouring = asyncio.get_running_loop().run_in_executor(None, pour)
        yield
        await pouring
        await asyncio.to_thread(publisher.wait, 20)


class TestNotesComeFirst:
    def test_a_flood_of_wishes_costs_no_note(self, mosquitto_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            await act.until(lambda: act.mqtt.link.connected)
            async with flood(mosquitto_broker, FLOOD_SECONDS):
                await act.play(int(FLOOD_SECONDS * 50))
                await act.assert_every_note_was_answered()
            with Peer(mosquitto_broker, REPLY) as peer:
                assert (await ask(peer, "cmd", "panic"))["ok"]  # past all that still waits in the broker
            # On a busy machine the link may begin anew, which leaves behind what waits: that is not counted.
            counts = act.mqtt.link.counts
            assert counts.flooded or counts.connected > 1

        mqtt_session(mosquitto_broker, scene)

    def test_a_broker_that_dies_and_comes_again_costs_no_note(self, restartable_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            playing = asyncio.ensure_future(act.play(160))
            for number in range(1, 3):
                await act.until(lambda number=number: act.mqtt.link.counts.connected == number)  # type: ignore[misc]
                restartable_broker.kill()
                await asyncio.sleep(0.4)
                await asyncio.to_thread(restartable_broker.start)
            await playing
            await act.assert_every_note_was_answered()
            await act.until(lambda: act.mqtt.link.connected)
            with Peer(restartable_broker, STATE, REPLY) as peer:
                await asyncio.to_thread(peer.wait_for, STATE)
                assert (await ask(peer, "set/density", "0.5"))["ok"]

        mqtt_session(restartable_broker, scene, mqtt_events=True)

    def test_a_broker_that_hangs_costs_no_note(self, restartable_broker: Broker) -> None:
        async def scene(act: Act) -> None:
            await act.until(lambda: act.mqtt.link.connected)
            restartable_broker.freeze()
            await act.play(100)
            await act.assert_every_note_was_answered()
            restartable_broker.thaw()

        mqtt_session(restartable_broker, scene, mqtt_events=True)

    def test_whatever_comes_on_whatever_topic_costs_no_note_and_no_answer(self, mosquitto_broker: Broker) -> None:
        rng = random.Random(1)
        topics = [f"set/{name}" for name in (*LIVE_KEYS, "nonsense", "a/b/c", "é", "")] + ["set", "cmd"]

        async def scene(act: Act) -> None:
            await act.until(lambda: act.mqtt.link.connected)
            playing = asyncio.ensure_future(act.play(100))
            with Peer(mosquitto_broker, REPLY) as peer:
                payloads = [*NASTY, *(rng.randbytes(rng.randrange(300)) for _ in range(12))]
                # All of them on these; elsewhere some, which `test_remote` has met without a network.
                all_on = {"cmd", "set/temperature", "set/model", "set/nonsense"}
                count = 0
                for topic in topics:
                    for payload in payloads if topic in all_on else rng.sample(payloads, 8):
                        await asyncio.to_thread(peer.publish, f"{BASE}/{topic}", payload, qos=0)
                        await asyncio.sleep(0.001)
                        count += 1
                for topic in ("status", "state", "reply", "event/in", "event/out"):
                    await asyncio.to_thread(peer.publish, f"{BASE}/{topic}", b"\xff{" * 50)
                await playing
                await act.until(lambda: len(peer.on(REPLY)) + act.mqtt.link.counts.flooded >= count + 1)
                for reply in peer.on(REPLY):
                    if reply.payload != b"\xff{" * 50:
                        assert set(json.loads(reply.payload)) == {"ok", "parameter", "value", "error", "allowed"}
            await act.until(lambda: len(act.steps) >= len(act.sent))
            assert [step.heard for step in act.steps] == act.sent
            assert act.service.playing

        mqtt_session(mosquitto_broker, scene)


def notes_of(act: Act) -> list[bytes]:
    """Return the notes that a session has played, without the message that ends all at the end."""
    return [message for message in act.played if message[0] in (0x80, 0x90)]


class TestEnsemble:
    def duet(self, broker: Broker, first: Settings, second: Settings) -> tuple[Act, Act]:
        """Have a player play with the first of two; return both when all is quiet."""

        async def run() -> tuple[Act, Act]:
            async with mqtt_act(broker, first) as leader, mqtt_act(broker, second) as follower:
                for act in (leader, follower):
                    await act.until(partial(getattr, act.mqtt.link, "connected"))
                await leader.play(30, per_second=30)
                await leader.assert_every_note_was_answered()
                await follower.until(lambda: len(follower.steps) >= len(leader.played))
                await asyncio.sleep(0.3)
                return leader, follower

        return asyncio.run(run())

    def test_two_play_a_duet(self, mosquitto_broker: Broker) -> None:
        first = Settings(name="first", model=("small",), mqtt_events=True)
        second = Settings(name="second", model=("small",), mqtt_events=True, listen_to="first")
        leader, follower = self.duet(mosquitto_broker, first, second)
        assert [step.heard for step in follower.steps] == notes_of(leader)
        assert all(step.played for step in follower.steps)
        assert not held(follower.played)

    def test_two_that_hear_each_other_do_not_go_round_in_circles(self, mosquitto_broker: Broker) -> None:
        first = Settings(name="first", model=("small",), mqtt_events=True, listen_to="second")
        second = Settings(name="second", model=("small",), mqtt_events=True, listen_to="first")
        leader, follower = self.duet(mosquitto_broker, first, second)
        assert [step.heard for step in leader.steps] == leader.sent
        assert len(follower.steps) == len(notes_of(leader)) == 60
        assert leader.mqtt.state(leader.service)["mqtt"]["circles"] == 30

    def test_what_the_other_holds_ends_with_the_way_to_it(self, restartable_broker: Broker) -> None:
        async def run() -> None:
            second = Settings(name="second", model=("small",), listen_to="first")
            async with mqtt_act(restartable_broker, second) as follower:
                await follower.until(lambda: follower.mqtt.link.connected)
                with Peer(restartable_broker) as peer:
                    note = {"type": "note_on", "channel": 0, "pitch": 60, "velocity": 80}
                    await asyncio.to_thread(peer.publish, "improviser/first/event/out", json.dumps(note))
                    await follower.until(lambda: follower.steps)
                    assert held(follower.played)
                    restartable_broker.kill()
                    await follower.until(lambda: not held(follower.played))

        asyncio.run(run())
