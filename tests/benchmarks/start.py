"""From the command to the first answered note: `improviser play` on JACK, with a keyboard and a synthesiser connected.

    python -m tests.benchmarks.start [--starts 6]

Starts a JACK server of its own (64 frames). A note is played every 20 ms from the command on; what counts is when the
first answer arrives.
"""

import argparse
import time
from pathlib import Path

from tests.jack_peer import JackPeer
from tests.playing import Player, note_off, note_on
from tests.servers import JackServer, jack_for_a_benchmark

GAP_SECONDS = 0.02
LONGEST_SECONDS = 20.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=6)
    options = parser.parse_args()
    with jack_for_a_benchmark() as (server, folder), JackPeer(server.client_environment) as peer:
        taken = sorted(_start(server, peer, folder / "log") for _ in range(options.starts))
    print(f"median {taken[len(taken) // 2]:.2f} s to the first answer; " + ", ".join(f"{one:.2f}" for one in taken))


def _start(server: JackServer, peer: JackPeer, log: Path) -> float:
    options = ("--api", "jack", "--input", peer.output, "--output", peer.input, "--no-display", "--no-record")
    peer.clear()
    began = time.monotonic()
    with Player(server.client_environment, log, *options) as player:
        while time.monotonic() - began < LONGEST_SECONDS:
            peer.play([(0.0, note_on(60)), (GAP_SECONDS / 2, note_off(60)), (GAP_SECONDS, note_off(60))])
            answers = [received.seconds for received in peer.received() if received.message[0] == 0x90]
            if answers:
                player.process.terminate()  # a client that is killed would hold up the server for some seconds
                player.process.wait()
                return answers[0] - began
    raise TimeoutError(f"nothing was answered within {LONGEST_SECONDS:g} s; it said: {log.read_text()}")


if __name__ == "__main__":
    main()
