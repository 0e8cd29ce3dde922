"""Before, during and after a burst: how late the answers are to 10,000 notes a second on JACK, and to the notes next.

    python -m tests.benchmarks.burst [--model bach-bass] [--notes 20000] [--seconds 2]

Starts a JACK server of its own. Prints how long after the last note of the burst its answer came, and how long notes
took from sending to answer before the burst and right after it.
"""

import argparse
import random
from pathlib import Path

from improviser.session.latency import Spread
from tests.jack_peer import JackPeer
from tests.playing import Player, note_off, note_on
from tests.servers import JackServer, jack_for_a_benchmark

NAME = "improviser-burst"
AROUND, GAP_SECONDS = 200, 0.02
REST_SECONDS = 0.05


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bach-bass")
    parser.add_argument("--notes", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    with jack_for_a_benchmark() as (server, folder):
        _measure(server, folder, arguments.model, arguments.notes, arguments.seconds)


def _measure(server: JackServer, folder: Path, model: str, notes: int, seconds: float) -> None:
    options = ("--name", NAME, "--model", model, "--input", "virtual", "--output", "virtual", "--no-display")
    environment = server.client_environment
    with (
        Player(environment, folder / "log", *options, "--record", str(folder)) as player,
        JackPeer(environment) as peer,
    ):
        player.wait_for("playing on jack")
        peer.connect_to(NAME)
        _print("before", _around(peer))
        gap = seconds / notes
        schedule = [(number * gap, note_on(36 + number * 7 % 60)) for number in range(notes)]
        schedule += [((number + 0.5) * gap, note_off(36 + number * 7 % 60)) for number in range(notes)]
        peer.clear()
        sent = peer.play(sorted(schedule))
        after = _around(peer, burst=2 * notes)
        heard = peer.wait_for(2 * (notes + AROUND), timeout=60)
        last = heard[2 * notes - 1]
        print(
            f"burst    {notes} notes in {sent[-1] - sent[0]:.2f} s, {len(heard) // 2 - AROUND} answered, "
            f"the last {1000 * (last.seconds - sent[-1]):.1f} ms after it was sent"
        )
        _print("after", after)


def _around(peer: JackPeer, burst: int = 0) -> list[float]:
    """Play some notes as a player does; return how long each took. `burst`: messages that come before their answers."""
    chance = random.Random(1)
    if not burst:
        peer.clear()
    start = REST_SECONDS
    schedule = []
    for number in range(AROUND):
        pitch = 60 + chance.randrange(24)
        at = start + number * GAP_SECONDS
        schedule += [(at, note_on(pitch)), (at + GAP_SECONDS / 2, note_off(pitch))]
    sent = peer.play(schedule)[::2]
    heard = peer.wait_for(burst + 2 * AROUND, timeout=60)[burst:]
    answers = [received.seconds for received in heard if received.message[0] == 0x90]
    return [came - went for went, came in zip(sent, answers, strict=True)]


def _print(name: str, times: list[float]) -> None:
    spread = Spread.of(times)
    assert spread is not None
    first = ", ".join(f"{1000 * seconds:.1f}" for seconds in times[:3])
    print(f"{name:8} p50 {spread.p50 / 1000:.2f} ms, p99 {spread.p99 / 1000:.2f} ms; the first three {first} ms")


if __name__ == "__main__":
    main()
