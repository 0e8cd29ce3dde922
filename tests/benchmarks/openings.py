"""Sessions that open on JACK while other clients come and go, as of a script that lists ports, and are heard or not.

    python -m tests.benchmarks.openings [--mode async] [--sessions 160] [--load 4]

JACK may never call a client that opens at such a moment; the session's engine finds that out and is replaced. Prints
how many sessions were not heard by a peer (which was opened before), how many engines were replaced, and how long it
took from the command to the ports.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from tests.benchmarks.under_load import START_SECONDS, Load, Scene, connect, own_folders, server
from tests.jack_peer import JackPeer
from tests.playing import Player, write_small_model
from tests.servers import polled

NAME = "improviser-open"


def main() -> None:
    """Open, listen, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=("async", "sync"), default="async")
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--sessions", type=int, default=160)
    parser.add_argument("--load", type=int, default=2 * (os.cpu_count() or 1), help="busy processes, others counted in")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no session after so long")
    options = parser.parse_args()
    unheard = replaced = done = 0
    times, last = [], time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as place, Load(options.load) as load:
        folder = Path(place)
        arguments = ("--model", str(write_small_model(folder / "small.safetensors")), "--no-record", "--no-display")
        with server(folder, options.mode, options.frames) as jack:
            environment = {**jack.client_environment, **own_folders(folder)}
            with JackPeer(environment, "open-keys") as keyboard, JackPeer(environment, "open-synth") as synth:
                while done < options.sessions and time.monotonic() < last:
                    load.adjust()
                    name, begun = f"{NAME}-{done}", time.monotonic()
                    ports = ("--name", name, "--input", "virtual", "--output", "virtual")
                    with Player(environment, folder / "log", *ports, *arguments) as player:
                        with polled(jack):
                            player.wait_for("playing on", START_SECONDS)
                            times.append(time.monotonic() - begun)
                        synth.clear()
                        connect(name, keyboard, synth)
                        on = Scene(player, keyboard, synth)
                        try:
                            on.hold_a_chord()
                        except TimeoutError as error:
                            unheard += 1
                            print(f"{done:4} NOT HEARD {error}", flush=True)
                        again = player.said().count("trying again")
                        replaced += again
                        done += 1
                        print(
                            f"{done:4} {times[-1]:5.2f} s{f', {again} engines replaced' if again else ''}", flush=True
                        )
    times.sort()
    print(f"{done} sessions, {unheard} not heard, {replaced} engines replaced; load average {os.getloadavg()[0]:.1f}")
    print(f"until the ports are there: p50 {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s")


if __name__ == "__main__":
    main()
