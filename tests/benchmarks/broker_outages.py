"""What a broker costs a note: the engine's latency without one, beside one, while one is killed, and in a flood.

    uv run python -m tests.benchmarks.broker_outages --seconds 30

The four take turns, so that whatever else the machine does meets them alike. Needs mosquitto; all in microseconds.
"""

import argparse
import asyncio
import contextlib
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.settings.schema import Settings
from tests.mqtt_acts import Act, mqtt_act
from tests.playing import bus_to
from tests.servers import Broker

if TYPE_CHECKING:
    from improviser.engine.protocol import AnyReport

TURNS = 3
NOTES_PER_SECOND = 80
KILL_SECONDS = 5.0
FLOOD_PER_SECOND = 10_000

Trouble = Callable[[Broker], contextlib.AbstractAsyncContextManager[None]]


@contextlib.asynccontextmanager
async def peace(_: Broker) -> AsyncIterator[None]:
    """Let the broker be."""
    yield


@contextlib.asynccontextmanager
async def kills(broker: Broker) -> AsyncIterator[None]:
    """Kill the broker every five seconds; it is back a second later."""

    async def kill() -> None:
        while True:
            await asyncio.sleep(KILL_SECONDS - 1)
            broker.kill()
            await asyncio.sleep(1)
            await asyncio.to_thread(broker.start)

    killing = asyncio.ensure_future(kill())
    yield
    killing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await killing


@contextlib.asynccontextmanager
async def flood(broker: Broker) -> AsyncIterator[None]:
    """Have somebody ask for something 10,000 times a second."""
    line = "import sys, time\nstart = time.monotonic()\nfor n in range(10**9):\n"
    line += f"    sys.stdout.write('0.7\\n' * {FLOOD_PER_SECOND // 100}); sys.stdout.flush()\n"
    line += "    time.sleep(max(0, start + n / 100 - time.monotonic()))\n"
    with subprocess.Popen(["python3", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source:
        where = ["-h", broker.host, "-p", str(broker.port), "-t", "improviser/improviser/set/temperature", "-l"]
        with subprocess.Popen(["mosquitto_pub", *where], stdin=source.stdout) as publisher:
            yield
            source.kill()
            publisher.kill()


async def measure(broker: Broker, trouble: Trouble | None, seconds: float) -> tuple[list[float], int]:
    """Return the latencies of all notes of one turn, and how many got no answer."""
    settings = Settings(mqtt_events=True)
    notes = int(seconds * NOTES_PER_SECOND)
    async with mqtt_act(broker, settings) if trouble else alone(settings) as act, (trouble or peace)(broker):
        await act.play(notes, NOTES_PER_SECOND)
        await act.until(lambda: len(act.steps) >= 2 * notes)
        heard = [step for step in act.steps if step.heard[0] == 0x90]
        return [step.latency_seconds for step in heard], notes - sum(bool(step.played) for step in heard)


@contextlib.asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[Act]:
    """Have a session without any MQTT while the block lasts."""
    reports: list[AnyReport] = []
    service = Service(Session(api="loopback", models=settings.model, seed=1), bus_to(reports.append))
    playing = asyncio.ensure_future(service.run())
    await service.opened()
    yield Act(service, None, reports)  # type: ignore[arg-type]
    service.stop()
    await playing


def main() -> None:
    """Take turns and print what each cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each turn lasts")
    seconds = parser.parse_args().seconds
    ways: dict[str, Trouble | None] = {
        "no MQTT": None,
        "beside a broker": peace,
        "killed every 5 s": kills,
        "flood": flood,
    }
    latencies: dict[str, list[float]] = {name: [] for name in ways}
    lost = dict.fromkeys(ways, 0)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(TURNS):
            for name, trouble in ways.items():
                broker = Broker(Path(folder))
                broker.start()
                took, unanswered = asyncio.run(measure(broker, trouble, seconds))
                broker.kill()
                latencies[name] += took
                lost[name] += unanswered
    print(f"{'':<20}{'notes':>8}{'lost':>6}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>9}")
    for name, took in latencies.items():
        ranks = "".join(f"{each * 1e6:>9.0f}" for each in (*np.percentile(took, [50, 99, 99.9]), max(took)))
        print(f"{name:<20}{len(took):>8}{lost[name]:>6}{ranks}")


if __name__ == "__main__":
    main()
