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
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from improviser.core.live.answering.joining import Joining
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.frames import READ_BYTES, FrameReader, decode_command, frame
from improviser.engine.loading import Pieces, prepare
from improviser.engine.priority import go_first
from improviser.engine.protocol import MODEL, Bring, Step, Swap
from improviser.engine.session import Session
from improviser.library import catalogue
from improviser.session.latency import Spread, over_wire
from improviser.session.live import Live, live
from tests.servers import JackServer

MODELS = ("bach-bass", "bach-melody", "echo", "auto", "bach-tenor")
EVERY_NOTE = {"follow": "every", "guard": False}
"""Each note is to be answered, also those that an echo has just played."""
SWITCH_SECONDS = 0.00005
ENOUGH_NOTES, LATER_SECONDS = 200, 100.0


@dataclass
class Found:
    """What was found, over all rounds."""

    seconds: list[float] = field(default_factory=list)
    engine_seconds: list[float] = field(default_factory=list)
    change_seconds: list[float] = field(default_factory=list)
    lost: int = 0
    heard: int = 0
    """Notes that came to the engine."""

    def hear(self, event: SessionEvent) -> None:
        """Take in what the engine says of a note."""
        report = event.report
        if isinstance(report, Step) and report.heard[0] & 0xF0 == 0x90:
            self.heard += 1
            if report.played:
                self.engine_seconds.append(report.latency_seconds)


async def _change_models(playing: Live, every: float, found: Found) -> None:
    for name in itertools.islice(itertools.cycle(MODELS), 1, None):
        await asyncio.sleep(every)
        begun = time.perf_counter()
        reply = await playing.service.request(MODEL, (name,), "keys")
        assert reply.error is None, reply
        found.change_seconds.append(time.perf_counter() - begun)


async def _round(options: argparse.Namespace, found: Found, name: str, *, changes: bool) -> None:
    session = Session("jack", name, ("virtual",), ("virtual",), MODELS[:1], parameters=EVERY_NOTE, seed=1)
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
        answered = len(its.engine_seconds)
        print(_line("  inside the engine", its.engine_seconds) + f"   answered {answered} of {its.heard}")
        if times := sorted(its.change_seconds):
            median, longest = times[len(times) // 2], times[-1]
            print(f"  {len(times)} changes, each after {median * 1e3:.0f} ms (median), {longest * 1e3:.0f} ms at most")


def over_jack(options: argparse.Namespace) -> None:
    """Measure on both kinds of JACK, and print."""
    for mode in ("async", "sync"):
        found = {False: Found(), True: Found()}
        with tempfile.TemporaryDirectory() as folder:
            server = JackServer(
                "improviser-changes", Path(folder), synchronous=mode == "sync", real_time=options.real_time
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
        go_first()  # else it may wait for the processor, and not for the interpreter

    def _want(self) -> None:
        while not self._ended:
            before = time.process_time()
            time.sleep(0)
            self.longest = max(self.longest, time.process_time() - before)

    def end(self) -> None:
        """Want it no more."""
        self._ended = True
        self._thread.join()


class Stages:
    """What becomes of a change to a model: all that the engine does for it, in order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._performer = _played()
        prepared, pieces = prepare([name])
        self._swap = Swap([name], prepared=prepared)
        self._stream = b"".join(frame(each) for each in (*pieces, self._swap))
        self._received = Pieces()
        self._joining = Joining([])

    def load(self) -> None:
        """Load it from its file, which is the daemon's to do."""
        catalogue.load_model(self._name)

    def receive(self) -> None:
        """Take it in as it comes down the pipe."""
        reader = FrameReader()
        for start in range(0, len(self._stream), READ_BYTES):
            for body in reader.feed(self._stream[start : start + READ_BYTES]):
                command = decode_command(body)
                if isinstance(command, Bring):
                    self._received.add(command.data)

    def put_together(self) -> None:
        """Put it together, and make it warm."""
        self._joining = Joining(self._received.models(self._swap)[0])

    def get_to_know(self) -> None:
        """Learn what was played."""
        while self._joining.learn(self._performer.heard):
            pass

    def exchange(self) -> None:
        """Let it play."""
        self._performer.swap(self._joining, LATER_SECONDS)

    def let_go(self) -> None:
        """Let go of the mixture of all melody models, which played before."""
        while self._performer._band.let_go():
            pass


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
    """Print for how long each stage holds the interpreter."""
    catalogue.import_all()
    sys.setswitchinterval(SWITCH_SECONDS)
    rows: dict[str, list[tuple[float, float]]] = {}
    for name in MODELS:
        stages = Stages(name)
        gc.collect()
        gc.disable()
        holds = Holds()
        for step in (
            stages.load, stages.receive, stages.put_together, stages.get_to_know, stages.exchange, stages.let_go
        ):  # fmt: skip
            holds.longest, begun = 0.0, time.perf_counter()
            step()
            rows.setdefault(step.__name__, []).append((time.perf_counter() - begun, holds.longest))
        holds.end()
        gc.enable()
    print(f"{'ms: in all, and at a time':<28}" + "".join(f"{name:>16}" for name in MODELS))
    for title, cells in rows.items():
        print(f"{title:<28}" + "".join(f"{took * 1e3:>9.2f}{held * 1e3:>7.2f}" for took, held in cells))


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
