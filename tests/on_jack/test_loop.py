"""A loop on a real JACK server, with periods as a DAW may have: recognised, said once, and the player is heard on."""

import random
import signal
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, sounding
from tests.playing import Player, note_off, note_on
from tests.servers import SHARED_NAMES, JackServer, claimed, requires

pytestmark = pytest.mark.jack

CLIENT = "improviser-loop"
NOTES = 5


# With long periods, what a timer sends comes back up to one period late: a loop is then not told from chords as soon.
# On a busy machine a note may come so late that it falls on no pulse, and gets no answer of its own.
@pytest.mark.parametrize(("frames", "follow", "least"), [(64, "pulse", 1), (1024, "every", NOTES)])
def test_our_output_connected_to_our_input_is_passed_over(tmp_path: Path, frames: int, follow: str, least: int) -> None:
    requires("jackd")
    ports = (
        "--name",
        CLIENT,
        "--input",
        "virtual",
        "--output",
        "virtual",
        "--seed",
        "1",
        "--no-record",
        "--follow",
        follow,
    )
    with claimed(SHARED_NAMES) as name:
        server = JackServer(name, tmp_path, frames=frames)
        server.start()
        try:
            with (
                Player(server.client_environment, tmp_path / "play.log", *ports) as player,
                JackPeer(server.client_environment, "keyboard") as peer,
            ):
                player.wait_for("playing on jack")
                peer.connect_to(CLIENT)
                peer.connect(peer.wait_for_port(CLIENT, ":out"), peer.wait_for_port(CLIENT, ":in"))
                play_until_recognised(peer, player)
                peer.wait_until(lambda messages: not sounding(messages))  # what still goes round comes to its end
                peer.clear()
                for step in range(NOTES):
                    key = 60 + 2 * step
                    peer.play([(0.0, note_on(key, 70 + step)), (0.15, note_off(key)), (0.3, (0xFE,))])
                heard = [received.message for received in peer.wait_for(2 * NOTES, timeout=5.0)]
                assert least <= [message[0] for message in heard].count(0x90) <= NOTES
                assert player.leave(signal.SIGTERM) == 0
            assert player.said().count("our own notes come back in") == 1
        finally:
            server.close()


def play_until_recognised(peer: JackPeer, player: Player) -> None:
    rng = random.Random(1)
    for _ in range(60):
        pitch, velocity = rng.randrange(60, 80), rng.randrange(40, 110)
        peer.play([(0.0, note_on(pitch, velocity)), (0.15, note_off(pitch)), (0.3, (0xFE,))])
        if "our own notes come back in" in player.said():
            return
    pytest.fail(f"never recognised:\n{player.said()}")
