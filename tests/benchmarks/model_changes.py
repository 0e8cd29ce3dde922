"""Another model every second while notes stream on JACK: what is lost, how late notes are, who holds the interpreter.

    python -m tests.benchmarks.model_changes [--notes 600] [--rounds 2] [--gap 30] [--every 1.0] [--real-time]
    python -m tests.benchmarks.model_changes --holds

Starts JACK servers of its own (dummy driver, 64 frames), without `-S` and with it. A session is played to by another
program, with and without changes of its models, by turns. Prints, in microseconds from the beginning of the period
that a note leaves in to the hearing of its answer, and how long a change took from the request to its taking effect.

With `--holds`: the longest time that any step of a change keeps another thread from running Python, as processor time
of this process, so that what else runs on the machine does not count.
"""

import argparse
import asyncio
import gc
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from improviser.core.live.parameters import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import MODEL, Step
from improviser.engine.session import Session
from improviser.library import catalogue
from improviser.session.latency import Spread, over_wire
from improviser.session.live import Live, live
from tests.servers import JackServer

MODELS = ("bach-bass", "bach-melody", "echo", "auto", "bach-tenor")
SWITCH_SECONDS = 0.00005
ENOUGH_NOTES = 200


@dataclass
class Found:
    """What was found, over all rounds."""

    seconds: list[float] = field(default_factory=list)
    engine_seconds: list[float] = field(default_factory=list)
    change_seconds: list[float] = field(default_factory=list)
    lost: int = 0

    def hear(self, event: SessionEvent) -> None:
        """Take in what the engine says of a note."""
        report = event.report
        if isinstance(report, Step) and report.played and report.heard[0] & 0xF0 == 0x90:
            self.engine_seconds.append(report.latency_seconds)


async def _change_models(playing: Live, every: float, found: Found) -> None:
    for name in itertools.islice(itertools.cycle(MODELS), 1, None):
        await asyncio.sleep(every)
        begun = time.perf_counter()
        reply = await playing.service.request(MODEL, (name,), "keys")
        assert reply.error is None, reply
        found.change_seconds.append(time.perf_counter() - begun)


async def _round(options: argparse.Namespace, found: Found, name: str, *, changes: bool) -> None:
    session = Session("jack", name, ("virtual",), ("virtual",), MODELS[:1], parameters={"follow": "every"}, seed=1)
    bus = Bus()
    bus.subscribe("the measurement", found.hear)
    async with live(session, bus) as playing:
        await playing.opened()
        changing = asyncio.ensure_future(
            _change_models(playing, options.every, found) if changes else asyncio.sleep(0.0)
        )
        way = await over_wire("jack", name, options.notes, options.gap / 1000)
        if changing.done():
            changing.result()
        changing.cancel()
    found.seconds += way.period_seconds
    found.lost += way.lost


def _line(title: str, seconds: list[float]) -> str:
    spread = Spread.of(seconds)
    ranks = (spread.p50, spread.p99, spread.p999) if spread is not None else (0.0, 0.0, 0.0)
    return f"{title:<28}" + "".join(f"{rank:>8.0f}" for rank in (*ranks, max(seconds, default=0.0) * 1e6))


def _print(mode: str, found: dict[bool, Found]) -> None:
    print(f"{'JACK ' + mode:<28}{'p50':>8}{'p99':>8}{'p99.9':>8}{'max':>8}   notes  lost")
    for changes, its in found.items():
        title = "a change every second" if changes else "no changes"
        print(_line(title, its.seconds) + f"   {len(its.seconds) + its.lost:>5}{its.lost:>6}")
        print(_line("  inside the engine", its.engine_seconds))
        if times := sorted(its.change_seconds):
            median, longest = times[len(times) // 2], times[-1]
            print(
                f"  {len(times)} changes, taking effect after {median * 1e3:.0f} ms (median), {longest * 1e3:.0f} ms at most"
            )


def over_jack(options: argparse.Namespace) -> None:
    """Measure on both kinds of JACK, and print."""
    for mode in ("async", "sync"):
        found = {False: Found(), True: Found()}
        with tempfile.TemporaryDirectory() as folder:
            server = JackServer(
                f"improviser-changes-{mode}", Path(folder), synchronous=mode == "sync", real_time=options.real_time
            )
            os.environ.update(server.client_environment)
            server.start()
            try:
                for number, changes in itertools.product(range(options.rounds), (False, True)):
                    name = f"improviser-changes-{os.getpid()}-{number}-{changes:d}"
                    asyncio.run(_round(options, found[changes], name, changes=changes))
            finally:
                server.close()
        _print(mode, found)


class Holds:
    """Wants the interpreter all the time, and measures how long it does not get it."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended = False
        self._thread = threading.Thread(target=self._want, daemon=True)
        self._thread.start()

    def _want(self) -> None:
        while not self._ended:
            before = time.process_time()
            time.sleep(0)
            self.longest = max(self.longest, time.process_time() - before)

    def of(self, step: Callable[[], object]) -> tuple[float, float]:
        """Return how long a step takes, and how long it holds the interpreter at most (seconds)."""
        self.longest, begun = 0.0, time.perf_counter()
        step()
        took = time.perf_counter() - begun
        return took, self.longest

    def end(self) -> None:
        """Want it no more."""
        self._ended = True
        self._thread.join()


def _played() -> Performer:
    performer = Performer([catalogue.load_model("auto")], Parameters(), np.random.default_rng(1))
    for number in range(ENOUGH_NOTES):
        pitch = 60 + number * number % 13
        for event, after in ((NoteOn(0, pitch, 80), 0.0), (NoteOff(0, pitch), 0.2)):
            for sent in performer.hear(event, number / 4 + after).events:
                performer.sent(sent)
            performer.settle()
    return performer


def print_holds() -> None:
    """Print who holds the interpreter for how long."""
    from improviser.core.live.joining import Joining
    from improviser.engine.loading import Pieces, prepare
    from improviser.engine.protocol import FrameReader, Swap, decode_command, frame

    catalogue.import_all()
    sys.setswitchinterval(SWITCH_SECONDS)
    print(f"{'ms: in all, and at a time':<28}" + "".join(f"{name:>22}" for name in MODELS))
    rows: dict[str, list[tuple[float, float]]] = {}
    for name in MODELS:
        performer = _played()
        gc.collect()
        gc.freeze()
        gc.disable()
        prepared, pieces = prepare([name])
        stream = b"".join(frame(each) for each in (*pieces, Swap([name], prepared=prepared)))
        reader, received = FrameReader(), Pieces()
        swaps: list[Swap] = []
        joined: list[Joining] = []

        def receive(stream: bytes = stream, reader: FrameReader = reader, received: Pieces = received) -> None:
            for start in range(0, len(stream), 1 << 16):
                for body in reader.feed(stream[start : start + (1 << 16)]):
                    command = decode_command(body)
                    if isinstance(command, Swap):
                        swaps.append(command)
                    else:
                        received.add(command.data)  # type: ignore[union-attr]

        def put_together(received: Pieces = received) -> None:
            joined.append(Joining(received.models(swaps[0])[0]))

        def learn(performer: Performer = performer) -> None:
            while joined[0].learn(performer.heard):
                pass

        def let_go(performer: Performer = performer) -> None:
            while performer._band.let_go():
                pass

        holds = Holds()
        for title, step in (
            ("loaded as until now", lambda name=name: catalogue.load_model(name)),
            ("received", receive),
            ("put together", put_together),
            ("made ready", learn),
            ("exchanged", lambda performer=performer: performer.swap(joined[0], 100.0)),
            ("let go of 'auto'", let_go),
        ):
            rows.setdefault(title, []).append(holds.of(step))
        holds.end()
        gc.enable()
    for title, cells in rows.items():
        print(f"{title:<28}" + "".join(f"{took * 1e3:>14.2f}{held * 1e3:>8.2f}" for took, held in cells))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--gap", type=float, default=30.0, help="milliseconds from note to note")
    parser.add_argument("--every", type=float, default=1.0, help="seconds from change to change")
    parser.add_argument("--real-time", action="store_true", help="JACK without -r")
    parser.add_argument("--holds", action="store_true")
    options = parser.parse_args()
    if options.holds:
        print_holds()
    else:
        over_jack(options)


if __name__ == "__main__":
    main()
