"""The self-test: measures the time from a note in to its answer out, inside the engine and over MIDI ports."""

import asyncio
import contextlib
import json
import os
import random
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from rich.console import Console

from improviser.core.midi.codec import encode
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Hear, Step
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import EngineError
from improviser.ports.interface import LOOPBACK
from improviser.ports.round_trip import ITSELF, WARM_UP, Way
from improviser.session.display import Display
from improviser.session.live import Live, live
from improviser.waiting import within

if TYPE_CHECKING:
    from improviser.remote.mqtt import Link

MICROSECONDS = 1e6
STAMP_SECONDS = 0.25
"""How far apart the notes are by their stamps, on loopback: as a player plays, whatever the gap they are sent in."""
ANSWER_SECONDS = 10.0
SILENT_SECONDS, CLOSING_SECONDS = 45.0, 5.0
"""How long the program that measures may say nothing, beside the gap between notes, and how long it may take to end."""
LINE_BYTES = 1 << 30
"""Room for a line with all that was measured, of ten million notes at most."""
SCREEN = (120, 40)
PUBLISH_SECONDS = 0.02
CONNECT_SECONDS = 2.0
BROKER = "mqtt://127.0.0.1"
TOPIC = "improviser/latency"


@dataclass(frozen=True, slots=True)
class Spread:
    """Times in microseconds: half of all were at most `p50`, and so on."""

    p50: float
    p99: float
    p999: float
    max: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread | None":
        """Return the spread of times in seconds, None if there are none."""
        if not seconds:
            return None
        ranks = np.percentile(np.array(seconds) * MICROSECONDS, [50, 99, 99.9, 100], method="higher")
        return cls(*(round(float(rank), 1) for rank in ranks))


@dataclass(frozen=True, slots=True)
class Latency:
    """What was measured.

    :param engine_us: inside the engine, from the note's arrival to the answer's departure.
    :param wire_us: from another program's note out to its note in, through us; `bare_wire_us` without us.
    :param foreseen: the share of the notes that the models had thought of before they came, 0–1.
    :param same_period: the share of the answers that left in the period that their notes came in, 0–1; only on JACK.
    :param load: what else the daemon was busy with.
    """

    engine_us: Spread | None
    wire_us: Spread | None
    bare_wire_us: Spread | None
    notes: int
    lost: int
    api: str
    model: str
    foreseen: float = 0.0
    same_period: float | None = None
    load: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What to measure: `notes` notes, `gap_seconds` apart on average (at random, a third more or less)."""

    model: str
    notes: int
    api: str = LOOPBACK
    gap_seconds: float = 0.0075
    load: bool = False
    broker: str = BROKER


async def measure(trial: Trial) -> Latency:
    """Measure.

    :raises ImproviserError: if the engine cannot be opened.
    """
    times: list[float] = []
    foreseen: list[bool] = []

    def take(event: SessionEvent) -> None:
        report = event.report
        if isinstance(report, Step) and isinstance(event.heard, NoteOn) and report.played:
            times.append(report.latency_seconds)
            foreseen.append(report.foreseen)

    name = f"improviser-latency-{os.getpid()}"
    choice = "auto" if trial.api == LOOPBACK else "virtual"
    # Notes come faster than anybody plays: each is to be answered all the same.
    session = Session(
        api=trial.api,
        name=name,
        input=(choice,),
        output=(choice,),
        models=(trial.model,),
        seed=1,
        parameters={"follow": "every"},
    )
    bus = Bus()
    bus.subscribe("the measurement", take)
    async with live(session, bus) as playing:
        await playing.opened()
        service = playing.service
        async with busy(playing, trial.broker) if trial.load else _idle() as load:
            if trial.api == LOOPBACK:
                bare, through = Way(), Way(lost=await _over_loopback(service, trial, times))
            else:
                bare = await over_wire(service.api, ITSELF, trial.notes, trial.gap_seconds)
                through = await over_wire(service.api, name, trial.notes, trial.gap_seconds)
    thought_of = foreseen[WARM_UP:]
    same = through.same_period
    return Latency(
        engine_us=Spread.of(times[WARM_UP:]),
        wire_us=Spread.of(through.seconds),
        bare_wire_us=Spread.of(bare.seconds),
        notes=trial.notes,
        lost=through.lost,
        api=service.api,
        model=trial.model,
        foreseen=round(sum(thought_of) / max(1, len(thought_of)), 3),
        same_period=None if same is None else round(same / max(1, len(through.seconds)), 3),
        load=tuple(load),
    )


async def _over_loopback(service: Service, trial: Trial, times: list[float]) -> int:
    """Play to the engine as the daemon would; return how many notes were not answered."""
    chance = random.Random(1)  # noqa: S311  the same notes each time
    wanted = WARM_UP + trial.notes
    for number in range(wanted):
        pitch, stamp = 60 + chance.randrange(24), number * STAMP_SECONDS
        pause = trial.gap_seconds * chance.uniform(2 / 3, 4 / 3)
        service.send(Hear(stamp, encode(NoteOn(0, pitch, 80))))
        await asyncio.sleep(pause / 2)
        service.send(Hear(stamp + STAMP_SECONDS / 2, encode(NoteOff(0, pitch))))
        await asyncio.sleep(pause / 2)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            while len(times) < wanted:
                await asyncio.sleep(0.01)
    return wanted - len(times)


async def over_wire(api: str, client: str, notes: int, gap_seconds: float) -> Way:
    """Play to the ports of a client (`ITSELF`: to nobody), as another program, and hear what they play.

    :raises EngineError: if that cannot be done.
    """
    arguments = (sys.executable, "-m", "improviser.ports.round_trip", api, client, str(notes), str(gap_seconds))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*arguments, stdout=pipe, stderr=pipe, limit=LINE_BYTES)
    complaint = asyncio.ensure_future(_rest_of(process.stderr))
    silence = SILENT_SECONDS + 2 * gap_seconds
    try:
        while line := await within(silence, _line_of(process.stdout)):
            if line.startswith(b"{"):
                with contextlib.suppress(TimeoutError):  # its ports close, if the MIDI system lets them
                    await within(CLOSING_SECONDS, process.wait())
                return msgspec.json.decode(line, type=Way)
        await process.wait()
        lines = (await complaint).decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise EngineError(f"the ports could not be measured: {lines[-1]}")
    except TimeoutError:
        stuck = f"{api} has not answered for {silence:.0f} s; try again, or restart its server"
        raise EngineError(f"the ports could not be measured: {stuck}") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        complaint.cancel()


async def _line_of(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.readline() if stream is not None else b""


async def _rest_of(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream is not None else b""


@contextlib.asynccontextmanager
async def _idle() -> AsyncIterator[list[str]]:
    """Leave the daemon alone."""
    yield []


@contextlib.asynccontextmanager
async def busy(playing: Live, address: str = BROKER) -> AsyncIterator[list[str]]:
    """Keep the daemon busy with a display that nobody sees, and a broker if there is one; say with what."""
    from improviser.core.addresses.broker import parse_broker
    from improviser.remote.mqtt import Access, Link
    from improviser.remote.mqtt_queues import Post

    broker = parse_broker(address)
    if broker is None:
        raise ValueError(address)
    with _hidden_terminal() as console:
        display = Display(console=console)
        playing.bus.subscribe_slow("the display", display.take)
        posts = Link(Access(broker), TOPIC, Post(TOPIC, b"1"), Post(TOPIC, b"0"), (), lambda _: None)
        tasks = [asyncio.ensure_future(work) for work in (display.show(playing.service), posts.run(), _publish(posts))]
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    while not posts.connected:
                        await asyncio.sleep(0.01)
            yield ["display", "mqtt" if posts.connected else f"no broker at {address}"]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _publish(posts: "Link") -> None:
    number = 0
    while True:
        await asyncio.sleep(PUBLISH_SECONDS)
        number += 1
        posts.stream(f"{TOPIC}/event", json.dumps({"note": number, "at": number * PUBLISH_SECONDS}).encode())


@contextlib.contextmanager
def _hidden_terminal() -> Iterator[Console]:
    """Yield a console on a terminal of its own, which a thread empties, so that it never blocks."""
    width, height = SCREEN
    if not hasattr(os, "openpty"):  # Windows: what a terminal would show goes nowhere
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123  as a path it is no file
            yield Console(file=nowhere, width=width, height=height, force_terminal=True, color_system="truecolor")
        return
    ours, theirs = os.openpty()

    def empty() -> None:
        with contextlib.suppress(OSError):  # that is how Linux says that the other side was closed
            while os.read(ours, 1 << 16):
                pass

    reader = threading.Thread(target=empty, daemon=True)
    reader.start()
    with open(theirs, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor has no path
        yield Console(file=file, width=width, height=height, force_terminal=True, color_system="truecolor")
    reader.join(1.0)
    os.close(ours)
