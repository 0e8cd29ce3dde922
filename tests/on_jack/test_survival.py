"""What may be pulled out from under a session on real JACK, and how playing goes on: keyboards, synths, the server."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, is_one_note, sounding
from tests.playing import Player, note_off, note_on, write_small_model
from tests.servers import JackServer

pytestmark = pytest.mark.jack

CLIENT = "improviser-survivor"


@pytest.fixture
def player(synchronous_jack: JackServer, tmp_path: Path) -> Iterator[Player]:
    model = write_small_model(tmp_path / "small.safetensors")
    options = ("--name", CLIENT, "--model", str(model), "--seed", "1", "--input", "virtual", "--output", "virtual")
    with Player(synchronous_jack.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack")
        yield player


def keyboard_of(synchronous_jack: JackServer) -> JackPeer:
    keyboard = JackPeer(synchronous_jack.client_environment, "keyboard")
    keyboard.connect(keyboard.output, keyboard.wait_for_port(CLIENT, ":in"))
    return keyboard


def synth_of(synchronous_jack: JackServer) -> JackPeer:
    synth = JackPeer(synchronous_jack.client_environment, "synth")
    synth.connect(synth.wait_for_port(CLIENT, ":out"), synth.input)
    return synth


def wait_until_silent(synth: JackPeer, player: Player, timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while left := sounding(received.message for received in synth.received()):
        assert time.monotonic() < deadline, f"{left}:\n{player.said()}"
        time.sleep(0.05)


def assert_answered(keyboard: JackPeer, synth: JackPeer) -> None:
    synth.clear()
    keyboard.send(note_on(72), note_off(72))
    assert is_one_note(received.message for received in synth.wait_for(2))


def wait_until_connected(peer: JackPeer, port: str, timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not peer.connections(port):
        assert time.monotonic() < deadline, f"{port} was not connected again"
        time.sleep(0.05)


@pytest.mark.parametrize("fate", ["closed", "killed"])
def test_a_keyboard_that_goes_is_released_and_connected_again_when_it_is_back(
    player: Player, synchronous_jack: JackServer, fate: str
) -> None:
    with synth_of(synchronous_jack) as synth:
        keyboard = keyboard_of(synchronous_jack)
        keyboard.send(note_on(60), note_on(64))
        assert len(sounding(received.message for received in synth.wait_for(2))) == 2
        if fate == "closed":
            keyboard.close()
        else:
            keyboard.kill()
        # Until JACK parts it from us nobody can know, and no note leaves. After a process was killed, JACK stands still
        # for five seconds for each client that it had, and a peer has three.
        synth.wait_until_gone(keyboard.output, timeout=60)
        wait_until_silent(synth, player)
        with JackPeer(synchronous_jack.client_environment, "keyboard") as replugged:
            wait_until_connected(replugged, replugged.output)
            assert_answered(replugged, synth)
    assert player.leave(signal.SIGTERM) == 0


def test_a_synth_that_comes_back_is_connected_again(player: Player, synchronous_jack: JackServer) -> None:
    with keyboard_of(synchronous_jack) as keyboard:
        synth = synth_of(synchronous_jack)
        assert_answered(keyboard, synth)
        synth.close()
        with JackPeer(synchronous_jack.client_environment, "synth") as back:
            wait_until_connected(back, back.input)
            assert_answered(keyboard, back)
    assert player.leave(signal.SIGTERM) == 0


def test_a_connection_cut_by_the_user_stays_cut(player: Player, synchronous_jack: JackServer) -> None:
    with keyboard_of(synchronous_jack) as keyboard, synth_of(synchronous_jack) as synth:
        assert_answered(keyboard, synth)
        synth.disconnect(synth.wait_for_port(CLIENT, ":out"), synth.input)
        time.sleep(7)  # longer than a cut takes to be believed
        with JackPeer(synchronous_jack.client_environment, "another"):
            time.sleep(0.5)
            assert not synth.connections(synth.input)
    assert player.leave(signal.SIGTERM) == 0


def test_the_server_may_be_killed_under_held_notes(player: Player, synchronous_jack: JackServer) -> None:
    keyboard, synth = keyboard_of(synchronous_jack), synth_of(synchronous_jack)
    keyboard.send(note_on(60), note_on(64))
    assert len(synth.wait_for(2)) == 2
    keyboard.kill()
    synth.kill()
    synchronous_jack.kill()
    player.wait_for("lost its MIDI server")
    synchronous_jack.start()
    player.wait_for("playing again")
    with (
        JackPeer(synchronous_jack.client_environment, "keyboard") as keyboard,
        JackPeer(synchronous_jack.client_environment, "synth") as synth,
    ):
        wait_until_connected(keyboard, keyboard.output)
        wait_until_connected(synth, synth.input)
        # It may have played on while the server was gone: it gets the ends of both notes, and of the pedal, repeatedly.
        ends = {received.message for received in synth.wait_for(3, timeout=60)}
        assert sorted(message[0] for message in ends) == [128, 128, 176]
        synth.clear()
        assert_answered(keyboard, synth)
    assert player.leave(signal.SIGTERM) == 0
    player.assert_gone()


def test_without_a_server_it_still_ends_when_told(player: Player, synchronous_jack: JackServer) -> None:
    synchronous_jack.kill()
    player.wait_for("lost its MIDI server")
    assert player.leave(signal.SIGTERM) == 0
    player.assert_gone()
