"""What becomes of connections on real JACK while notes sound: renamed ports, cut wires, SysEx that is cut short."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, sounding
from tests.playing import Player, note_off, note_on, virtual_ports, write_small_model
from tests.servers import JackServer

pytestmark = pytest.mark.jack

CLIENT = "improviser-connected"
CHORD = (60, 64, 67)


@pytest.fixture
def player(restartable_jack: JackServer, tmp_path: Path) -> Iterator[Player]:
    model = write_small_model(tmp_path / "small.safetensors")
    options = virtual_ports(CLIENT, str(model))
    with Player(restartable_jack.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack:")
        yield player


@pytest.fixture
def peer(player: Player, restartable_jack: JackServer) -> Iterator[JackPeer]:
    with JackPeer(restartable_jack.client_environment, "peer") as peer:
        peer.connect_to(CLIENT)
        yield peer


def until(holds: Callable[[], bool], what: str, timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def heard(peer: JackPeer) -> list[bytes]:
    return [received.message for received in peer.received()]


def hold_a_chord(peer: JackPeer, keyboard: JackPeer | None = None) -> None:
    """On a server that may lose events: as often as it takes. It is played by `keyboard` if that is another."""
    keyboard = keyboard or peer
    deadline = time.monotonic() + 20
    while len(sounding(heard(peer))) < len(CHORD):
        assert time.monotonic() < deadline, heard(peer)
        keyboard.send(*(note_off(pitch) for pitch in CHORD))
        keyboard.send(*(note_on(pitch) for pitch in CHORD))
        peer.wait_for(2 * len(CHORD), timeout=1.0)


def assert_silent(peer: JackPeer) -> None:
    until(lambda: not sounding(heard(peer)), f"it sounds on: {heard(peer)}")


def test_there_is_one_client_of_exactly_the_sessions_name(player: Player, peer: JackPeer) -> None:
    assert {f"{CLIENT}:in", f"{CLIENT}:out"} == {port for port in peer.ports() if port.startswith(CLIENT)}


def test_a_destination_with_another_name_gets_its_release_and_its_connection_back(
    player: Player, peer: JackPeer
) -> None:
    hold_a_chord(peer)
    client = peer.input.rpartition(":")[0]
    peer.rename(peer.input, "Track 1")
    renamed = f"{client}:Track 1"
    until(lambda: renamed in peer.ports(), "it has no new name")
    os.kill(player.engine, signal.SIGKILL)
    assert_silent(peer)
    player.wait_for("playing again")
    until(lambda: bool(peer.connections(renamed)), "it was not connected again")


def test_a_keyboard_with_another_name_is_connected_again(player: Player, peer: JackPeer) -> None:
    client = peer.output.rpartition(":")[0]
    peer.rename(peer.output, "Keys")
    until(lambda: f"{client}:Keys" in peer.ports(), "it has no new name")
    os.kill(player.engine, signal.SIGKILL)
    player.wait_for("playing again")
    until(lambda: bool(peer.connections(f"{client}:Keys")), "it was not connected again")


def test_a_wire_that_is_cut_while_notes_sound_leaves_none_at_its_end(player: Player, peer: JackPeer) -> None:
    hold_a_chord(peer)
    peer.disconnect(f"{CLIENT}:out", peer.input)
    assert_silent(peer)
    player.wait_for("disconnected while notes sounded")


def test_a_source_that_comes_and_goes_while_the_daemon_is_busy_leaves_no_note(
    player: Player, peer: JackPeer, restartable_jack: JackServer
) -> None:
    with JackPeer(restartable_jack.client_environment, "guest") as guest:
        player.process.send_signal(signal.SIGSTOP)
        guest.connect(guest.output, f"{CLIENT}:in")
        hold_a_chord(peer, keyboard=guest)
        guest.disconnect(guest.output, f"{CLIENT}:in")
        player.process.send_signal(signal.SIGCONT)
        assert_silent(peer)
        player.wait_for(f"{guest.output} is unplugged")


@pytest.mark.parametrize("broken", [(0xF0, 0x7E, 0x00, 0x06), (0xF0,), (0xF0, 0x7E, 0x90, 60, 80)])
def test_what_comes_after_a_sysex_that_was_cut_short_is_heard(
    player: Player, peer: JackPeer, broken: tuple[int, ...]
) -> None:
    peer.send(broken)
    hold_a_chord(peer)
    peer.send(*(note_off(pitch) for pitch in CHORD))

    def release_again() -> bool:
        peer.send(*(note_off(pitch) for pitch in CHORD))
        return not sounding(heard(peer))

    until(release_again, "its note-offs were not heard")


@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "SIGKILL", "the engine's SIGKILL", "the engine's SIGTERM"])
def test_no_way_out_leaves_a_note_on_an_asynchronous_server(player: Player, peer: JackPeer, way: str) -> None:
    hold_a_chord(peer)
    victim = player.engine if way.startswith("the engine") else player.process.pid
    os.kill(victim, getattr(signal, way.rpartition(" ")[2]))
    assert_silent(peer)


def test_it_ends_when_told_right_after_its_engine_was_killed(player: Player, peer: JackPeer) -> None:
    hold_a_chord(peer)
    os.kill(player.engine, signal.SIGKILL)
    assert player.leave(signal.SIGTERM) == 0
    assert_silent(peer)
    player.assert_gone()
