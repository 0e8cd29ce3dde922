"""What we add to a bare pass-through on JACK, display and broker busy: ours, RtMidi and the pass-through by turns.

    python -m tests.benchmarks.instant [--notes 400] [--rounds 3] [--gap 60] [--asynchronous] [--real-time]

Starts a JACK server (dummy driver, 64 frames) and a broker of its own. The pass-through is a client of JACK-Client in a
process of its own that copies what comes in to its output, at the priority that our engine asks for; a display and the
broker are kept busy beside it, too. All are played to by the same other program. Prints, in microseconds, from sending
a note to hearing its answer, how much of it comes on top of the pass-through's, how many were lost, and how many came
in the period that their notes left in.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.priority import go_first
from improviser.engine.protocol import Step
from improviser.engine.session import Session
from improviser.ports.interface import LOOPBACK
from improviser.ports.jack_library import load_jack
from improviser.ports.round_trip import Way
from improviser.session.latency import Spread, busy, over_wire
from improviser.session.live import live
from improviser.threads import remember_this_thread
from tests.servers import Broker, JackServer

PASS_THROUGH, OURS, RTMIDI = "pass-through", "jack", "jack-rtmidi"
RANKS = ("p50", "p99", "p999")
EVERY_NOTE = {"follow": "every"}
"""Notes come faster than anybody plays: each is to be answered all the same."""


def pass_through(name: str) -> None:
    """Copy what comes in on a client's input to its output, until stdin ends."""
    client = load_jack().Client(name, no_start_server=True)
    into, out_of = client.midi_inports.register("in"), client.midi_outports.register("out")
    known = False

    def process(_frames: int) -> None:
        nonlocal known
        if not known:
            known = True
            remember_this_thread()
        out_of.clear_buffer()
        for offset, data in into.incoming_midi_events():
            out_of.write_midi_event(offset, data)

    client.set_process_callback(process)
    client.activate()
    go_first()
    print("ready", flush=True)
    sys.stdin.read()
    client.deactivate()
    client.close()


@contextlib.asynccontextmanager
async def _bare(name: str) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "tests.benchmarks.instant", "--pass-through", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


class Measured:
    """What was found of one way, over all rounds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.period_seconds: list[float] = []
        self.engine_seconds: dict[bool, list[float]] = {True: [], False: []}
        self.lost = self.same = 0

    def take(self, way: Way) -> None:
        """Take in a round."""
        self.seconds += way.seconds
        self.period_seconds += way.period_seconds
        self.lost += way.lost
        self.same += way.same_period or 0

    def hear(self, event: SessionEvent) -> None:
        """Take in what the engine says of itself."""
        report = event.report
        if isinstance(report, Step) and report.played and report.heard[0] & 0xF0 == 0x90:
            self.engine_seconds[report.foreseen].append(report.latency_seconds)


async def _round(api: str, number: int, options: argparse.Namespace, broker: str, found: Measured) -> None:
    name, gap = f"improviser-{api}-{os.getpid()}-{number}", options.gap / 1000
    if api == PASS_THROUGH:
        elsewhere = Session(LOOPBACK, f"{name}-busy", ("auto",), ("auto",), (options.model,), seed=1)
        async with _bare(name), live(elsewhere, Bus()) as playing:
            await playing.opened()
            async with busy(playing, broker):
                found.take(await over_wire(OURS, name, options.notes, gap))
        return
    session = Session(api, name, ("virtual",), ("virtual",), (options.model,), parameters=EVERY_NOTE, seed=1)
    bus = Bus()
    bus.subscribe("the measurement", found.hear)
    async with live(session, bus) as playing:
        await playing.opened()
        async with busy(playing, broker):
            found.take(await over_wire(OURS, name, options.notes, gap))


async def _idle(options: argparse.Namespace, seconds: float) -> float:
    """Return the share of a core that an engine takes to which nobody plays."""
    name = f"improviser-idle-{os.getpid()}"
    async with live(
        Session(api=OURS, name=name, input=("virtual",), output=("virtual",), models=(options.model,)), Bus()
    ) as playing:
        await playing.opened()
        (pid,) = (
            int(stat.parent.name)
            for stat in Path("/proc").glob("[0-9]*/stat")
            if stat.read_text().rpartition(")")[2].split()[1] == str(os.getpid())
            and b"improviser.engine" in (stat.parent / "cmdline").read_bytes()
        )
        await asyncio.sleep(1.0)
        begun, ticks = time.monotonic(), _ticks(pid)
        await asyncio.sleep(seconds)
        return (_ticks(pid) - ticks) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _print(measured: dict[str, Measured]) -> None:
    bare = Spread.of(measured[PASS_THROUGH].seconds)
    bare_period = Spread.of(measured[PASS_THROUGH].period_seconds)
    print(f"{'µs':<14}{'p50':>8}{'p99':>8}{'p99.9':>8}   {'added':>8}{'':>8}{'':>8}   lost  same period  foreseen")
    for api, found in measured.items():
        for title, spread, base in (
            (api, Spread.of(found.seconds), bare),
            (" from period", Spread.of(found.period_seconds), bare_period),
            (" foreseen", Spread.of(found.engine_seconds[True]), None),
            (" others", Spread.of(found.engine_seconds[False]), None),
        ):
            if spread is None:
                continue
            line = f"{title:<14}" + "".join(f"{getattr(spread, rank):>8.0f}" for rank in RANKS)
            if base is not None:
                line += "   " + "".join(f"{getattr(spread, rank) - getattr(base, rank):>8.0f}" for rank in RANKS)
            if title == api:
                line += f"   {found.lost:>4}  {found.same / max(1, len(found.seconds)):>11.1%}"
                seen, others = len(found.engine_seconds[True]), len(found.engine_seconds[False])
                line += f"  {seen / (seen + others):>8.0%}" if seen + others else ""
            print(line)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pass-through", help=argparse.SUPPRESS)
    parser.add_argument("--model", default="bach-bass")
    parser.add_argument("--notes", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gap", type=float, default=60.0, help="milliseconds from note to note")
    parser.add_argument("--asynchronous", action="store_true", help="JACK without -S")
    parser.add_argument("--real-time", action="store_true", help="JACK without -r")
    parser.add_argument("--no-rtmidi", action="store_true")
    parser.add_argument(
        "--idle", type=float, default=0.0, help="for so many seconds, measure what an idle engine takes"
    )
    options = parser.parse_args()
    if options.pass_through:
        pass_through(options.pass_through)
        return
    ways = [PASS_THROUGH, OURS] + [RTMIDI] * (not options.no_rtmidi)
    measured = {api: Measured() for api in ways}
    with tempfile.TemporaryDirectory() as folder:
        server = JackServer(
            "improviser-instant",
            Path(folder),
            synchronous=not options.asynchronous,
            real_time=options.real_time,
        )
        broker = Broker(Path(folder))
        os.environ.update(server.client_environment)
        server.start()
        broker.start()
        try:
            for number in range(options.rounds):
                for api in ways:
                    asyncio.run(_round(api, number, options, f"mqtt://{broker.host}:{broker.port}", measured[api]))
            if options.idle:
                print(f"idle: {asyncio.run(_idle(options, options.idle)):.1%} of a core")
        finally:
            server.close()
            broker.stop()
    _print(measured)


if __name__ == "__main__":
    main()
