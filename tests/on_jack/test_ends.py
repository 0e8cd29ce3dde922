"""It ends when told, whatever has become of JACK and of the engine, and opens whatever becomes of the first engine."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, sounding
from tests.playing import Player, note_off, note_on, write_small_model
from tests.servers import JackServer, polled

pytestmark = pytest.mark.jack

CLIENT = "improviser-ends"
OPENINGS = 3


@pytest.fixture
def start(restartable_jack: JackServer, tmp_path: Path) -> Iterator[Callable[[], Player]]:
    """Return what starts a session; all are ended."""
    model = write_small_model(tmp_path / "small.safetensors")
    options = ("--name", CLIENT, "--model", str(model), "--input", "virtual", "--output", "virtual", "--no-record")
    with contextlib.ExitStack() as stack:

        def start() -> Player:
            return stack.enter_context(Player(restartable_jack.client_environment, tmp_path / "play.log", *options))

        yield start


@contextlib.contextmanager
def frozen(server: JackServer) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def first_engine_of(player: Player) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        engines = [pid for pid in player.family() if pid != player.process.pid]
        if engines:
            return engines[0]
    raise TimeoutError(player.said())


def hold_a_note(peer: JackPeer) -> None:
    peer.connect_to(CLIENT)
    deadline = time.monotonic() + 20
    while not sounding(received.message for received in peer.received()):
        assert time.monotonic() < deadline
        peer.send(note_off(60), note_on(60))
        peer.wait_for(2, timeout=1.0)


def wait_until_silent(peer: JackPeer) -> None:
    deadline = time.monotonic() + 20
    while sounding(received.message for received in peer.received()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_session_ends_while_jack_is_frozen(start: Callable[[], Player], restartable_jack: JackServer) -> None:
    player = start()
    player.wait_for("playing on jack")
    with frozen(restartable_jack):
        assert player.leave(signal.SIGTERM) == 0
    player.assert_gone()


def test_a_session_ends_while_jack_is_frozen_and_notes_sound(
    start: Callable[[], Player], restartable_jack: JackServer
) -> None:
    player = start()
    player.wait_for("playing on jack")
    with JackPeer(restartable_jack.client_environment) as peer:
        hold_a_note(peer)
        with frozen(restartable_jack):
            os.kill(player.engine, signal.SIGKILL)
            assert player.leave(signal.SIGTERM) == 0
        player.assert_gone()


def test_a_session_that_is_not_let_in_ends_when_told(start: Callable[[], Player], restartable_jack: JackServer) -> None:
    with frozen(restartable_jack):
        player = start()
        player.wait_for("takes its time")
        assert player.leave(signal.SIGTERM) == 0
    player.assert_gone()


def test_an_engine_that_dies_before_it_plays_is_replaced(
    start: Callable[[], Player], restartable_jack: JackServer
) -> None:
    player = start()
    os.kill(first_engine_of(player), signal.SIGKILL)
    player.wait_for("trying again")
    player.wait_for("playing on jack")
    with JackPeer(restartable_jack.client_environment) as peer:
        hold_a_note(peer)
        assert player.leave(signal.SIGTERM) == 0
        wait_until_silent(peer)
    player.assert_gone()


def test_a_session_plays_though_clients_come_and_go_while_it_opens(
    start: Callable[[], Player], restartable_jack: JackServer
) -> None:
    with JackPeer(restartable_jack.client_environment) as peer:  # opened before: it does not test itself
        for _ in range(OPENINGS):
            with polled(restartable_jack):
                player = start()
                player.wait_for("playing on jack")
            peer.clear()
            hold_a_note(peer)
            assert player.leave(signal.SIGTERM) == 0
            wait_until_silent(peer)
            peer.wait_until_gone(f"{CLIENT}:out")
