"""The tests' own peer and servers, proven on real JACK before anything else is judged by them."""

import math
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from tests.jack_peer import JackPeer, held
from tests.servers import Broker, FluidSynth, JackServer

OpenPeer = Callable[[str], JackPeer]


def numbered_notes(count: int) -> list[bytes]:
    """Return note-ons and note-offs in turn, told apart by channel, pitch and velocity."""
    return [
        bytes([(0x90 if index % 2 == 0 else 0x80) | index // 256 % 16, index // 2 % 128, index % 127 + 1])
        for index in range(count)
    ]


@pytest.mark.jack
class TestTwoPeers:
    def test_500_notes_arrive_in_order(self, jack_peer: OpenPeer) -> None:
        sender, receiver = jack_peer("sender"), jack_peer("receiver")
        sender.connect(sender.output, receiver.input)
        notes = numbered_notes(1_000)
        sent = sender.play([(index * 0.001, note) for index, note in enumerate(notes)])
        arrived = receiver.wait_for(1_000)
        assert [received.message for received in arrived] == notes
        assert all(was_sent <= received.seconds for was_sent, received in zip(sent, arrived, strict=True))

    def test_nothing_is_lost_at_10_000_messages_a_second(self, jack_peer: OpenPeer) -> None:
        sender, receiver = jack_peer("sender"), jack_peer("receiver")
        sender.connect(sender.output, receiver.input)
        notes = numbered_notes(10_000)
        sender.play([(index * 0.000_1, note) for index, note in enumerate(notes)])
        assert [received.message for received in receiver.wait_for(10_000)] == notes

    def test_what_was_sent_before_closing_arrives(self, jack_peer: OpenPeer) -> None:
        sender, receiver = jack_peer("sender"), jack_peer("receiver")
        sender.connect(sender.output, receiver.input)
        notes = numbered_notes(128)
        sender.send(*notes)
        sender.close()
        assert [received.message for received in receiver.wait_for(128)] == notes
        receiver.wait_until_gone(sender.output)

    def test_connections_are_made_listed_and_parted(self, jack_peer: OpenPeer) -> None:
        one, other = jack_peer("one"), jack_peer("other")
        one.connect(one.output, other.input)
        one.connect(one.output, other.input)
        assert other.connections(one.output) == [other.input]
        other.disconnect(one.output, other.input)
        assert one.connections(one.output) == []
        one.send([0x90, 60, 64])
        assert other.wait_for(1, timeout=0.1) == []

    def test_what_was_received_can_be_forgotten(self, jack_peer: OpenPeer) -> None:
        peer = jack_peer("loop")
        peer.connect(peer.output, peer.input)
        peer.send([0x90, 60, 64])
        peer.wait_for(1)
        peer.clear()
        peer.send([0xF8])
        assert [received.message for received in peer.wait_for(1)] == [b"\xf8"]

    def test_errors_reach_the_test(self, jack_peer: OpenPeer) -> None:
        peer = jack_peer("peer")
        with pytest.raises(RuntimeError, match="nowhere"):
            peer.connect(peer.output, "nowhere:in")
        with pytest.raises(TimeoutError, match="nobody"):
            peer.wait_for_port("nobody", timeout=0.05)


@pytest.mark.jack
class TestFaults:
    def test_a_killed_peer_is_gone(self, restartable_jack: JackServer) -> None:
        environment = restartable_jack.client_environment
        with JackPeer(environment, "watcher") as watcher, JackPeer(environment, "victim") as victim:
            victim.kill()
            watcher.wait_until_gone(victim.output)
            watcher.connect(watcher.output, watcher.input)
            # What is sent in the first second may get lost (see JackServer), but the server goes on.
            watcher.play((0.1 * number, [0x90, 60, 64]) for number in range(20))
            assert watcher.wait_for(1)

    def test_a_killed_server_can_be_started_again(self, restartable_jack: JackServer) -> None:
        peer = JackPeer(restartable_jack.client_environment, "before")
        restartable_jack.kill()
        assert restartable_jack.list_ports() is None
        peer.close()
        restartable_jack.start()
        with JackPeer(restartable_jack.client_environment, "after") as peer:
            peer.connect(peer.output, peer.input)
            peer.send([0x90, 60, 64])
            assert len(peer.wait_for(1)) == 1

    def test_without_a_server_a_peer_says_so(self, restartable_jack: JackServer) -> None:
        restartable_jack.stop()
        with pytest.raises(RuntimeError, match="JackOpenError"):
            JackPeer(restartable_jack.client_environment)


def test_held_counts_what_was_not_released() -> None:
    messages = [[0x90, 60, 64], [0x91, 60, 64], [0x90, 60, 0], [0xB0, 64, 127], [0x80, 72, 0]]
    assert held(map(bytes, messages)) == {(1, 60): 1, (0, 72): -1}


@pytest.mark.jack
@pytest.mark.fluidsynth
def test_fluidsynth_sounds_at_the_right_pitch(
    jack_server: JackServer, fluidsynth_on_jack: FluidSynth, jack_peer: OpenPeer, tmp_path: Path
) -> None:
    peer = jack_peer("player")
    peer.connect(peer.output, fluidsynth_on_jack.midi)
    recorded = tmp_path / "a4.wav"
    with jack_server.recorded(recorded, 1.0, fluidsynth_on_jack.left, fluidsynth_on_jack.right):
        peer.send([0x90, 69, 100])
    with wave.open(str(recorded)) as file:
        assert file.getframerate() == 48_000
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)[-24_000:, 0]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert math.isclose(np.argmax(spectrum) * 48_000 / len(sound), 440.0, abs_tol=4)


def test_the_broker_takes_clients(mosquitto_broker: Broker) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect(mosquitto_broker.host, mosquitto_broker.port)
    assert client.loop_start() == MQTTErrorCode.MQTT_ERR_SUCCESS
    sent = client.publish("test", "hello", qos=1)
    sent.wait_for_publish(5)
    assert sent.is_published()
    client.disconnect()
    client.loop_stop()


def test_a_broker_can_be_killed_and_started_again(restartable_broker: Broker) -> None:
    restartable_broker.kill()
    assert not restartable_broker.is_usable()
    restartable_broker.start()
    assert restartable_broker.is_usable()
