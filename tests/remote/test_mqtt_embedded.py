"""A session over MQTT without mosquitto: a broker in Python, which knows MQTT 3.1.1 alone."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from improviser.settings.schema import Settings
from tests.melodies import TUNE, write_melody
from tests.mqtt_acts import mqtt_act
from tests.mqtt_peer import Peer
from tests.playing import Player, write_small_model
from tests.servers import EmbeddedBroker

BASE = "improviser/improviser"
OLD = MQTTProtocolVersion.MQTTv311


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


def test_a_session_is_steered_by_the_version_that_there_is(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small_model(tmp_path / "small.safetensors")
    monkeypatch.setenv("IMPROVISER_MODELS", str(tmp_path))

    async def scene() -> None:
        async with mqtt_act(broker, Settings(model=("small",), mqtt_events=True)) as act:
            await act.until(lambda: act.mqtt.link.connected)
            with Peer(broker, f"{BASE}/#", version=OLD) as peer:
                await asyncio.to_thread(peer.wait_for, f"{BASE}/status", lambda heard: heard.payload == b"online")
                await asyncio.to_thread(peer.publish, f"{BASE}/set/temperature", "1.5")
                (reply,) = await asyncio.to_thread(peer.wait_for, f"{BASE}/reply")
                assert (reply.json["ok"], reply.json["value"]) == (True, 1.5)
                await act.play(20)
                await act.assert_every_note_was_answered()
                await asyncio.to_thread(peer.wait_for, f"{BASE}/event/out", count=40)
        with Peer(broker, f"{BASE}/status", version=OLD) as later:
            assert later.wait_for(f"{BASE}/status")[0].payload == b"offline"

    asyncio.run(scene())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="it is killed as Unix kills")
def test_the_will_is_seen_after_a_kill(broker: EmbeddedBroker, tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "small.safetensors")
    tune = write_melody(tmp_path / "tune.mid", TUNE * 3)
    url = f"mqtt://{broker.host}:{broker.port}"
    environment = {"IMPROVISER_MQTT_PROTOCOL": "3.1.1", "XDG_RUNTIME_DIR": str(tmp_path)}
    options = ("--model", str(model), "--input", str(tune), "--loop", "--no-record", "--no-display", "--mqtt", url)
    with Player(environment, tmp_path / "play.log", *options) as player:
        player.wait_for("connected to mqtt://")
        with Peer(broker, f"{BASE}/status", version=OLD) as peer:
            peer.wait_for(f"{BASE}/status", lambda heard: heard.payload == b"online")
            os.kill(player.process.pid, signal.SIGKILL)
            peer.wait_for(f"{BASE}/status", lambda heard: heard.payload == b"offline")
