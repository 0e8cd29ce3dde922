"""Every way out on a busy machine: how often it leaves a note of ours at a synth on JACK, and how long until silence.

    python -m tests.benchmarks.ways_out [--mode async] [--frames 64] [--tries 100] [--load 4] [--ways sigterm,engine]

Starts a JACK server of its own (dummy driver; `--mode sync` with -S), and for each try a session with a keyboard and a
synth. A chord and the pedal are held until the synth has heard them all (JACK without -S loses the player's messages,
too); then comes one of the ways, by turns. `--load` counts what else the machine does. Prints a line for each try, and
at the end for each way: tries, left sounding, and the time to silence (median, 90 %, 99 %, longest).
"""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.under_load import Load, Scene, scene, server
from tests.playing import write_small_model

PATIENCE = {"async": 10.0, "sync": 30.0}
SETTLED_SECONDS = 0.5
REPEATS, REPEAT_SECONDS = 5, 0.3


def _signal_daemon(number: signal.Signals) -> Callable[[Scene], None]:
    return lambda on: on.player.process.send_signal(number)


def _signal_engine(number: signal.Signals) -> Callable[[Scene], None]:
    return lambda on: os.kill(on.player.engine, number)


def _press(keys: str) -> Callable[[Scene], None]:
    return lambda on: on.player.press(keys)


def _release(on: Scene) -> None:
    on.release()
    for _ in range(REPEATS):  # the player's own messages may be lost
        if on.wait(lambda: not on.held(), REPEAT_SECONDS):
            return
        on.release()


def _change_model(on: Scene) -> None:
    """What sounds goes on with the old model, to its end."""
    on.player.press("n")
    on.wait(lambda: not on.held(), REPEAT_SECONDS)
    _release(on)


def _cut(on: Scene) -> None:
    (source,) = on.synth.connections(on.synth.input)
    on.synth.disconnect(source, on.synth.input)


def _rename(on: Scene) -> None:
    on.synth.rename(on.synth.input, "Track 1")
    os.kill(on.player.engine, signal.SIGKILL)


WAYS: dict[str, Callable[[Scene], None]] = {
    "sigterm": _signal_daemon(signal.SIGTERM),
    "sigint": _signal_daemon(signal.SIGINT),
    "kill": _signal_daemon(signal.SIGKILL),
    "engine": _signal_engine(signal.SIGKILL),
    "frozen": _signal_engine(signal.SIGSTOP),
    "release": _release,
    "panic": _press(" "),
    "mute": _press("mmm"),
    "model": _change_model,
    "cut": _cut,
    "rename": _rename,
}
"""What ends the sound, by its name on the command line."""


@dataclass(slots=True)
class Tally:
    """What was seen of one way: how often it was tried, how often a note was left, and the times to silence (s)."""

    tries: int = 0
    left: int = 0
    times: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        ordered = sorted(self.times) or [float("nan")]
        shares = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.9, 0.99)]
        p50, p90, p99 = shares
        return f"{self.tries:5} {self.left:5} {p50:7.2f} {p90:7.2f} {p99:7.2f} {ordered[-1]:7.2f}"


def attempt(on: Scene, way: str, patience: float) -> tuple[float | None, set[tuple[int, int]]]:
    """Hold a chord and leave by `way`; return when it was silent (seconds), and what sounds in the end."""
    on.hold_a_chord()
    start = time.monotonic()
    WAYS[way](on)
    silent = time.monotonic() - start if on.wait(lambda: not on.held(), patience) else None
    time.sleep(SETTLED_SECONDS)
    return silent, on.held()


def main() -> None:
    """Try, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=sorted(PATIENCE), default="async")
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--tries", type=int, default=100, help="in all")
    parser.add_argument("--load", type=int, default=2 * (os.cpu_count() or 1), help="busy processes, others counted in")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--slow", type=float, default=1.0, help="show the log of tries that took longer (s)")
    options = parser.parse_args()
    ways = options.ways.split(",")
    tallies = {way: Tally() for way in ways}
    with tempfile.TemporaryDirectory() as place, Load(options.load) as load:
        model = write_small_model(Path(place) / "small.safetensors")
        settings = ("--model", str(model), "--log-format", "json", "--log-level", options.log_level)
        with server(Path(place), options.mode, options.frames) as jack:
            for number in range(options.tries):
                load.adjust()
                way, folder = ways[number % len(ways)], Path(place) / str(number)
                folder.mkdir()
                with scene(jack, folder, f"improviser-way-{number}", *settings) as on:
                    began = time.time()
                    silent, left = attempt(on, way, PATIENCE[options.mode])
                    tally = tallies[way]
                    tally.tries += 1
                    tally.left += bool(left)
                    tally.times += [] if silent is None else [silent]
                    took = "never" if silent is None else f"{silent:.2f} s"
                    print(f"{number:4} {way:8} {took}{f'  LEFT {sorted(left)}' if left else ''}", flush=True)
                    if left or silent is None or silent > options.slow:
                        print(
                            f"began {time.strftime('%X', time.gmtime(began))}\n{on.player.said()[-4000:]}", flush=True
                        )
    print(f"{options.mode}, {options.frames} frames, load {options.load} (average {os.getloadavg()[0]:.1f})")
    print(f"{'':<8} tries  left     p50     p90     p99     max")
    for way, tally in tallies.items():
        print(f"{way:<8} {tally}")


if __name__ == "__main__":
    main()
