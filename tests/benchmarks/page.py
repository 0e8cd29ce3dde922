"""What the page costs: `python -m tests.benchmarks.page`.

Without pages, with one and with ten (in a process of their own), by turns: how long the engine takes for an answer, how
much of a core the daemon takes, and how long it is from a key on a page to its answer there. With Chromium installed,
also that from a key in a browser to the answer in its page.
"""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from improviser.core.midi.codec import encode
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Hear, Step
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.ports.interface import LOOPBACK
from improviser.session.live import live
from improviser.settings.page_address import PageAddress
from improviser.web.access import access_of
from improviser.web.server import PageServer
from tests.playing import Player
from tests.servers import free_port
from tests.web.scene import Client

COUNTS = (0, 1, 10)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Latencies:
    """How long the answers took, since the last look."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def take(self, event: SessionEvent) -> None:
        if isinstance(event.report, Step) and isinstance(event.heard, NoteOn):
            self.seconds.append(event.report.latency_seconds)


def at(share: float, seconds: list[float]) -> float:
    """Return a quantile, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[round((len(ordered) - 1) * share)] * 1000


async def look_on(site: str, count: int) -> None:
    """Keep pages open until the end of the standard input."""
    async with aiohttp.ClientSession() as session:
        opened = [await session.ws_connect(f"{site}/socket", headers={"Origin": site}) for _ in range(count)]

        async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
            async for _ in socket:
                pass

        reading = [asyncio.create_task(read(socket)) for socket in opened]
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in reading:
            task.cancel()


@contextlib.asynccontextmanager
async def pages(site: str, count: int) -> AsyncIterator[None]:
    """Have so many pages open, in a process of their own."""
    if not count:
        yield
        return
    command = [sys.executable, "-m", "tests.benchmarks.page", "--look-on", site, "--pages", str(count)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readline()
    yield
    process.stdin.close()
    await process.wait()


async def play(service: Service, notes: int, gap: float) -> float:
    """Play notes of a player that is no port; return how much of a core the daemon took."""
    began, taken = time.perf_counter(), time.process_time()
    for number in range(notes):
        pitch = 60 + (number * 5) % 12
        for event, share in ((NoteOn(0, pitch, 80), 0.5), (NoteOff(0, pitch), 0.5)):
            service.send(Hear(time.perf_counter() - service.epoch, encode(event)))
            await asyncio.sleep(gap * share)
    return (time.process_time() - taken) / (time.perf_counter() - began)


@contextlib.asynccontextmanager
async def session(latencies: Latencies) -> AsyncIterator[tuple[Service, str]]:
    """Play a session with its page; give it and its address."""
    address = PageAddress(port=free_port())
    server, bus = PageServer(address, access_of(address, (), None)), Bus()
    await server.open()
    bus.subscribe("the benchmark", latencies.take)
    bus.subscribe_slow("the page", server.take)
    try:
        async with live(Session(api=LOOPBACK, seed=1), bus) as playing:
            await playing.opened()
            playing.beside("the page", server.run(playing.service))
            yield playing.service, f"http://127.0.0.1:{server.port}"
    finally:
        await server.close()


async def by_turns(service: Service, site: str, latencies: Latencies, rounds: int, notes: int) -> None:
    """Print how long answers take with and without pages, and what the daemon takes for that."""
    taken: dict[int, list[float]] = defaultdict(list)
    cores: dict[int, list[float]] = defaultdict(list)
    for turn in range(rounds):
        for count in COUNTS if turn % 2 == 0 else reversed(COUNTS):
            async with pages(site, count):
                await play(service, 10, 0.05)
                latencies.seconds.clear()
                await play(service, notes, 0.05)
                taken[count] += latencies.seconds
                cores[count].append(await play(service, 20, 0.25))
    print("pages  answers  p50 ms  p99 ms  p99 against none  of a core at 4 notes/s")
    for count in COUNTS:
        p50, p99 = at(0.5, taken[count]), at(0.99, taken[count])
        against = p99 / at(0.99, taken[0])
        core = sorted(cores[count])[len(cores[count]) // 2]
        print(f"{count:5}  {len(taken[count]):7}  {p50:6.3f}  {p99:6.3f}  {against:16.3f}  {core:22.1%}")


async def there_and_back(site: str, notes: int) -> None:
    """Print how long it is from a key on a page (a program) to its answer there."""
    seconds = []
    async with aiohttp.ClientSession() as client:
        page = Client(await client.ws_connect(f"{site}/socket", headers={"Origin": site}))
        await page.hear("state")
        for number in range(notes):
            pitch = 60 + (number * 5) % 12
            page.said.clear()
            sent = time.perf_counter()
            await page.midi(0x90, pitch, 80)
            await page.wait_for(lambda message: message["type"] == "step" and "on" in (message["heard"] or {}))
            seconds.append(time.perf_counter() - sent)
            await page.midi(0x80, pitch, 64)
            await asyncio.sleep(0.03)
    print(f"key → answer, a program as the page: p50 {at(0.5, seconds):.2f} ms, p99 {at(0.99, seconds):.2f} ms")


async def in_a_browser(notes: int, folder: Path) -> None:
    """Print what the page says of the way from a key to its answer, in Chromium; all in processes of their own."""
    from playwright.async_api import async_playwright

    port = free_port()
    options = ("--web", str(port), "--name", "page-benchmark", "--no-display", "--no-record")
    with Player({}, folder / "said", *options) as player:
        await asyncio.to_thread(player.wait_for, "playing on")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{port}/")
            await page.wait_for_selector("#main .control")
            for number in range(notes):
                key = "adgjk"[number % 5]
                await page.keyboard.down(key)
                await asyncio.sleep(0.05)
                await page.keyboard.up(key)
                await asyncio.sleep(0.05)
            print(f"key → answer, in Chromium: {await page.locator('#own-latency').inner_text()}")
            await browser.close()


async def main(rounds: int, notes: int) -> None:
    """Measure."""
    latencies = Latencies()
    async with session(latencies) as (service, site):
        await by_turns(service, site, latencies, rounds, notes)
        await there_and_back(site, notes)
    if shutil.which("chromium"):
        with tempfile.TemporaryDirectory() as folder:
            await in_a_browser(notes, Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--notes", type=int, default=200)
    parser.add_argument("--look-on", help=argparse.SUPPRESS)
    parser.add_argument("--pages", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.look_on:
        asyncio.run(look_on(given.look_on, given.pages))
    else:
        asyncio.run(main(given.rounds, given.notes))
