"""Every way out on a busy machine: how often it leaves a note of ours at a synth on JACK, and how long until silence.

    python -m tests.benchmarks.ways_out [--mode async] [--frames 64] [--tries 100] [--load 4] [--ways sigterm,engine]

Starts a JACK server of its own (dummy driver; `--mode sync` with -S), and for each try a session with a keyboard and a
synth. A chord and the pedal are held until the synth has heard them all (JACK without -S loses the player's messages,
too); then comes one of the ways, by turns. `--load` counts what else the machine does. Prints a line for each try, and
at the end for each way: tries, left sounding, and the time to silence and to the end of the process
(median, 90 %, 99 %, longest).
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
from tests.jack_peer import JackPeerError
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


def _end_after_death(on: Scene) -> None:
    os.kill(on.player.engine, signal.SIGKILL)
    on.player.process.terminate()


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
    "dying": _end_after_death,
}
"""What ends the sound, by its name on the command line."""
ENDS = {"sigterm": 0, "sigint": 130, "dying": 0}
"""Those that end the session as well, and its exit code."""


@dataclass(slots=True)
class Tally:
    """What was seen of one way: how often it was tried, how often a note was left, and the times to silence (s)."""

    tries: int = 0
    left: int = 0
    times: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    """Times to the end of the process (s), where it ends."""

    def __str__(self) -> str:
        ends = f"   ended after {_spread(self.ends)}" if self.ends else ""
        return f"{self.tries:5} {self.left:5} {_spread(self.times)}{ends}"


def _spread(times: list[float]) -> str:
    ordered = sorted(times) or [float("nan")]
    shares = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.9, 0.99, 1)]
    return " ".join(f"{share:7.2f}" for share in shares)


def _end_of(on: Scene, way: str, start: float) -> float:
    """Wait for the end of a session, and return how long after `start` it came (s)."""
    code = on.player.process.wait(PATIENCE["sync"])
    if code != ENDS[way]:
        raise RuntimeError(f"exit code {code}: {on.player.said()[-2000:]}")
    return time.monotonic() - start


def attempt(on: Scene, way: str, patience: float, tally: Tally) -> tuple[float | None, set[tuple[int, int]]]:
    """Hold a chord and leave by `way`; return when it was silent (seconds), and what sounds in the end."""
    on.hold_a_chord()
    start = time.monotonic()
    WAYS[way](on)
    silent = time.monotonic() - start if on.wait(lambda: not on.held(), patience) else None
    tally.ends += [_end_of(on, way, start)] if way in ENDS else []
    time.sleep(SETTLED_SECONDS)
    left = on.held()
    tally.tries += 1
    tally.left += bool(left)
    tally.times += [] if silent is None else [silent]
    return silent, left


def tell(number: int, way: str, on: Scene, silent: float | None, left: set[tuple[int, int]], slow: float) -> None:
    """Print what was seen; the session's log too, if a note was left or it took longer than `slow` (s)."""
    took = "never" if silent is None else f"{silent:.2f} s"
    print(f"{number:4} {way:8} {took}{f'  LEFT {sorted(left)}' if left else ''}", flush=True)
    if left or silent is None or silent > slow:
        print(on.player.said()[-4000:], flush=True)


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
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no try after so long")
    options = parser.parse_args()
    last = time.monotonic() + 60 * options.minutes
    ways = options.ways.split(",")
    tallies = {way: Tally() for way in ways}
    with tempfile.TemporaryDirectory() as place, Load(options.load) as load:
        model = write_small_model(Path(place) / "small.safetensors")
        settings = ("--model", str(model), "--log-format", "json", "--log-level", options.log_level)
        with server(Path(place), options.mode, options.frames) as jack:
            for number in range(options.tries):
                load.adjust()
                if time.monotonic() > last:
                    break
                way, folder = ways[number % len(ways)], Path(place) / str(number)
                folder.mkdir()
                try:
                    with scene(jack, folder, f"improviser-way-{number}", *settings) as on:
                        tell(number, way, on, *attempt(on, way, PATIENCE[options.mode], tallies[way]), options.slow)
                except JackPeerError as error:
                    print(f"{number:4} {way:8} no try: {error}", flush=True)
    print(f"{options.mode}, {options.frames} frames, load {options.load} (average {os.getloadavg()[0]:.1f})")
    print(f"{'':<8} tries  left     p50     p90     p99     max")
    for way, tally in tallies.items():
        print(f"{way:<8} {tally}")


if __name__ == "__main__":
    main()
