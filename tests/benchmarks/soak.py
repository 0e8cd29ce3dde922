"""A million notes through the real engine, faster than real time: memory and latency stay flat, every note ends.

    python -m tests.benchmarks.soak [--notes 1000000] [--model bach-bass] [--parts 10]

Prints a line for each tenth of the way: the engine's memory, its latency, and what still sounds (nothing should).
"""

import argparse
import asyncio
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import AnyReport, Applied, Change, Hear, Lost, Open, Played, Step
from improviser.session.latency import Spread
from tests.jack_peer import held

BATCH = 400
"""Notes that are sent before their answers are awaited: reports that nobody reads in time would be lost."""
PROCESSES = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Part:
    """What was seen over one part of the way.

    :param memory: the engine's resident bytes at its end, 0 where the system does not tell.
    :param unended: how many (channel, pitch) still sound at its end.
    """

    notes: int
    answers: int
    memory: int
    latency: Spread | None
    unended: int
    lost: int
    in_order: bool


async def soak(notes: int, model: str, parts: int, tell: Callable[[Part], None] = lambda _: None) -> list[Part]:
    """Play `notes` notes, with pedals and changes of parameters between them."""
    reports: list[AnyReport] = []
    opening = Open("loopback", "soak", ["auto"], ["auto"], [model], {"follow": "every"}, 1, time.perf_counter())
    engine, _ = await EngineProcess.open(opening, reports.append)
    chance = random.Random(1)
    seen = []
    stamp = 0.0
    try:
        for number in range(parts):
            count = notes * (number + 1) // parts - notes * number // parts
            stamp, part = await _play(engine, reports, chance, count, stamp)
            seen.append(part)
            tell(part)
    finally:
        await engine.close()
    return seen


async def _play(
    engine: EngineProcess, reports: list[AnyReport], chance: random.Random, notes: int, stamp: float
) -> tuple[float, Part]:
    times: list[float] = []
    sent: list[bytes] = []
    answers = lost = heard = 0
    in_order = True
    while heard < notes:
        batch = min(BATCH, notes - heard)
        stamps = []
        engine.send(Change("temperature", chance.random()))
        for _ in range(batch):
            pitch, stamp = chance.randrange(30, 100), stamp + chance.expovariate(4.0)
            stamps += [stamp, stamp + 0.2]
            engine.send(Hear(stamps[-2], bytes((0x90, pitch, chance.randrange(1, 128)))))
            engine.send(Hear(stamps[-1], bytes((0x80, pitch, 64))))
            stamp += 0.2
        steps = await _answers(reports, len(stamps))
        in_order = in_order and [step.stamp for step in steps] == stamps
        times += [step.latency_seconds for step in steps[::2]]
        answers += sum(message[0] == 0x90 for step in steps for message in step.played)
        for report in reports:
            if isinstance(report, Step | Played | Applied):
                sent += report.played
            lost += report.count if isinstance(report, Lost) else 0
        # What still sounds stays to be ended by the next batch; what is over need not be kept.
        sent = [bytes((0x90 | channel, pitch, 1)) for (channel, pitch), n in held(sent).items() for _ in range(n)]
        reports.clear()
        heard += batch
    return stamp, Part(notes, answers, memory_of(engine.pid), Spread.of(times), len(held(sent)), lost, in_order)


async def _answers(reports: list[AnyReport], count: int) -> list[Step]:
    """Wait for `count` steps."""
    async with asyncio.timeout(120):
        while sum(isinstance(report, Step) for report in reports) < count:
            await asyncio.sleep(0.002)
    return [report for report in reports if isinstance(report, Step)]


def memory_of(pid: int) -> int:
    """Return the resident bytes of a process, 0 where the system does not tell."""
    try:
        return int((PROCESSES / str(pid) / "statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def main() -> None:
    """Play, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=1_000_000)
    parser.add_argument("--model", default="bach-bass")
    parser.add_argument("--parts", type=int, default=10)
    options = parser.parse_args()
    began = time.perf_counter()

    def tell(part: Part) -> None:
        spread = part.latency
        shown = f"{spread.p50:7.1f} {spread.p99:7.1f} {spread.p999:7.1f}" if spread else "none"
        print(
            f"{time.perf_counter() - began:7.1f} s  {part.notes} notes, {part.answers} answers, {part.unended} sounding"
            f", {part.lost} lost  memory {part.memory / 1e6:.1f} MB  µs p50/p99/p99.9 {shown}",
            flush=True,
        )

    seen = asyncio.run(soak(options.notes, options.model, options.parts, tell))
    print(f"memory grew by {(seen[-1].memory - seen[0].memory) / 1e6:.2f} MB after the first part")


if __name__ == "__main__":
    main()
