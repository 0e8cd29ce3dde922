"""Two keyboards and two synthesisers on real JACK: all are answered, and each is released by itself."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, sounding
from tests.playing import Player, note_off, note_on, write_small_model
from tests.servers import JackServer

pytestmark = pytest.mark.jack

CLIENT = "improviser-many"
PEERS = ("left", "right")


@pytest.fixture
def peers(restartable_jack: JackServer) -> Iterator[tuple[JackPeer, JackPeer]]:
    environment = restartable_jack.client_environment
    with JackPeer(environment, PEERS[0]) as left, JackPeer(environment, PEERS[1]) as right:
        yield left, right


@pytest.fixture
def player(restartable_jack: JackServer, peers: tuple[JackPeer, JackPeer], tmp_path: Path) -> Iterator[Player]:
    model = write_small_model(tmp_path / "small.safetensors")
    options = [option for peer in PEERS for option in ("--input", f"{peer}-out", "--output", f"{peer}-in")]
    options += [
        "--name",
        CLIENT,
        "--model",
        str(model),
        "--seed",
        "1",
        "--api",
        "jack",
        "--wait-for-ports",
        "--follow",
        "every",
    ]
    with Player(restartable_jack.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack:")
        yield player


def until(holds: Callable[[], bool], what: Callable[[], str], timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


def heard(peer: JackPeer) -> list[bytes]:
    return [received.message for received in peer.received()]


def press(peer: JackPeer, *pitches: int, others: tuple[JackPeer, ...], sounds: int) -> None:
    """Hold keys of a peer until so many notes sound at all; again and again, since this server may lose events."""
    deadline = time.monotonic() + 20
    while any(len(sounding(heard(other))) != sounds for other in others):
        assert time.monotonic() < deadline, [heard(other) for other in others]
        peer.send(*(note_off(pitch) for pitch in pitches))
        peer.send(*(note_on(pitch) for pitch in pitches))
        time.sleep(0.3)


def until_connected(left: JackPeer, right: JackPeer) -> None:
    """Wait for the connections; until then our client may still be testing itself over one of its own."""
    wanted = {"in": {left.output}, "in_2": {right.output}, "out": {left.input, right.input}}

    def connections() -> dict[str, set[str]]:
        return {port: set(left.connections(f"{CLIENT}:{port}")) for port in wanted}

    until(lambda: connections() == wanted, lambda: f"connected are {connections()}")


def test_both_keyboards_are_answered_at_both_outputs_and_one_that_is_unplugged_is_released_alone(
    player: Player, peers: tuple[JackPeer, JackPeer]
) -> None:
    left, right = peers
    until_connected(left, right)
    press(left, 60, others=peers, sounds=1)
    of_left = sounding(heard(left))
    press(right, 72, others=peers, sounds=2)
    assert sounding(heard(left)) > of_left
    right.close()
    until(lambda: sounding(heard(left)) == of_left, lambda: f"not only its own: {heard(left)}\n{player.said()}")
    player.wait_for("is unplugged: what it held is released")
    assert sounding(heard(left)) == of_left
    left.send(note_off(60))
    until(lambda: not sounding(heard(left)), lambda: f"it sounds on: {heard(left)}")


def test_an_engine_that_is_killed_is_released_at_both_outputs_and_its_successor_has_all_connections(
    player: Player, peers: tuple[JackPeer, JackPeer]
) -> None:
    left, right = peers
    press(left, 60, others=peers, sounds=1)
    os.kill(player.engine, signal.SIGKILL)
    for peer in peers:
        until(lambda peer=peer: not sounding(heard(peer)), lambda: "it sounds on")  # type: ignore[misc]
    player.wait_for("playing again")
    until_connected(left, right)
    press(right, 72, others=peers, sounds=1)
