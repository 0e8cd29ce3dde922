"""The daemon: the asyncio service around the engine. It starts it, watches it, replaces it, and ends what it left.

However an engine ends, the notes it left sounding are released at the destinations that heard them, a new one takes its
place, and the connections of its ports are restored:

    opening ──▶ playing ──stop──▶ closed
       ▲           │ it died, its heart stopped, its MIDI server was lost
       └─ releasing ◀┘
"""

import asyncio
import contextlib
import enum
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from improviser.core.addresses.port_choice import VIRTUAL
from improviser.core.live import knobs
from improviser.core.live.parameters import Parameters
from improviser.engine_process import EngineProcess
from improviser.errors import ImproviserError, MidiSystemError, PortError
from improviser.library import live_names
from improviser.midi import LOOPBACK, encode, ports_present
from improviser.pipe import (
    MODEL,
    AnyReport,
    Applied,
    Change,
    Command,
    Failed,
    Lost,
    Noticed,
    Open,
    Panic,
    Picked,
    Ready,
    Swap,
    Turned,
)
from improviser.wiring import Wiring

log = logging.getLogger("improviser")

WATCH_SECONDS = 0.2
FROZEN_SECONDS = 1.5
LOOK_SECONDS = 1.0
RETRY_SECONDS = 0.5
PATIENT_SECONDS = 5.0
SLOW = "opening the MIDI system takes its time: JACK waits some seconds, at each step, for a client that has crashed"
DYING_SECONDS, DEATHS, BREATH_SECONDS = 20.0, 3, 5.0


class Cause(enum.Enum):
    """Why an engine no longer plays."""

    STOPPED = "was stopped"
    DIED = "died"
    FROZE = "froze"
    SERVER_LOST = "lost its MIDI server"
    REPLUGGED = "has its device back"


@dataclass(frozen=True, slots=True)
class Session:
    """What to open and how to play; see the `play` command for the meaning of each."""

    api: str = "auto"
    name: str = "improviser"
    input: str = "auto"
    output: str = "auto"
    models: tuple[str, ...] = ("bach-bass",)
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    wait_for_ports: bool = False
    choices: tuple[tuple[str, ...], ...] = ()
    """What program changes and knobs pick from: the models of each; one of the library's each if it is empty."""
    player: str = ""
    """What is heard, for people to read, if it is not a port."""


class Service:
    """Keeps an engine playing until it is told to stop.

    :param on_report: gets every report of every engine, in order.
    :param engine: one that was started already, to be the first.
    """

    def __init__(
        self,
        session: Session,
        on_report: Callable[[AnyReport], None] = lambda _: None,
        engine: EngineProcess | None = None,
    ) -> None:
        self._session = session
        self._on_report = on_report
        self._models = self._loaded_models = self._former_models = list(session.models)
        self._unknown_programs: set[int] = set()
        self._parameters = dict(session.parameters)
        self._started = engine
        self._engine: EngineProcess | None = None
        self._ready: Ready | None = None
        self._unsent: list[Command] = []
        self._unreleased: list[bytes] = []
        self._unplugged: set[str] = set()
        self._deaths: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._opened = asyncio.Event()
        self._stop = False
        self._wiring = Wiring(
            session.name,
            session.input,
            session.output,
            wait_for_ports=session.wait_for_ports,
            wake=self._wake.set,
        )
        self.epoch = time.perf_counter()
        """The zero of the session's time, on `time.perf_counter`."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models that play, one voice each."""
        return tuple(self._models)

    @property
    def parameters(self) -> Parameters:
        """The live parameters as they were last set."""
        return Parameters(**self._parameters)

    @property
    def name(self) -> str:
        """The name of our MIDI client."""
        return self._session.name

    @property
    def playing(self) -> bool:
        """Whether an engine plays just now."""
        return self._opened.is_set() and self._engine is not None and not self._engine.dead

    @property
    def api(self) -> str:
        """The MIDI system that is played on, once `opened`."""
        return self._ready.api if self._ready is not None else self._session.api

    @property
    def connections(self) -> tuple[str, str]:
        """What the input and the output are connected to, or the ports of ours that wait for a connection."""
        hears, plays_to = (self._ready.input, self._ready.output) if self._ready is not None else ("", "")
        if self._wiring.joined:
            hears, plays_to = self._wiring.connections
        return self._session.player or hears, plays_to

    async def opened(self) -> None:
        """Wait until the first engine plays."""
        await self._opened.wait()

    def stop(self) -> None:
        """End what sounds and leave `run`."""
        self._stop = True
        self._wake.set()

    def send(self, command: Command) -> None:
        """Send a command to the engine, or to the next one if there is none just now.

        What it changes holds for the engine's successors as well.
        """
        if isinstance(command, Change):
            self._parameters[command.parameter] = command.value
        elif isinstance(command, Swap):
            self._models = list(command.models)
        if self._engine is not None:
            self._engine.send(command)
        else:
            self._unsent.append(command)

    async def run(self) -> None:
        """Play until `stop`.

        :raises ImproviserError: if the first engine cannot be opened; what happens later is mended.
        """
        try:
            await self._open_first()
            while (cause := await self._play()) is not Cause.STOPPED:
                log.warning("the engine %s; notes released, starting a new one", cause.value)
                if cause is Cause.DIED:
                    await self._pause_if_it_keeps_dying()
                await self._reopen()
        finally:
            await self._close()

    async def _open_first(self) -> None:
        # A thread says it, since JACK may keep this one waiting, too.
        slow = threading.Timer(PATIENT_SECONDS, log.info, [SLOW])
        slow.daemon = True
        slow.start()
        if self._session.api in ("jack", "auto"):
            with contextlib.suppress(MidiSystemError):  # no JACK: the engine will say so, or take another API
                self._wiring.join()
        while not self._stop:
            try:
                try:
                    await self._open()
                finally:
                    slow.cancel()
                self._wiring.adopt_engine()
                self._opened.set()
            except PortError:
                if not self._session.wait_for_ports:
                    raise
                await self._sleep(RETRY_SECONDS)
            else:
                return

    async def _open(self) -> None:
        """Start an engine."""
        self._wiring.expect_engine()
        session = self._session
        opening = Open(
            api=self.api,
            name=session.name,
            input=session.input,
            output=session.output,
            models=self._models,
            parameters=self._parameters,
            seed=session.seed,
            epoch=self.epoch,
            releases=self._unreleased,
        )
        engine, self._started = self._started or await EngineProcess.start(), None
        self._ready = await engine.begin(opening, self._take)
        self._engine = engine
        log.debug("engine %d plays on %s", self._engine.pid, self._ready.api)
        for command in self._unsent:
            self._engine.send(command)
        self._unsent.clear()
        if self._ready.api != "jack":
            self._unreleased = []
            self._wiring.leave()

    def _take(self, report: AnyReport) -> None:
        if isinstance(report, Lost):
            log.warning("the engine lost %d reports: display and recording are incomplete", report.count)
        elif isinstance(report, Noticed):
            log.warning("%s", report.message)
        elif isinstance(report, Failed) and self._opened.is_set():
            log.error("%s", report.message)
        elif isinstance(report, Applied) and report.error is not None:
            log.warning("%s stays as it was: %s", report.parameter, report.error)
            if report.parameter == MODEL and self._models == report.value:  # else another wish has come since
                self._models = self._fallback
        elif isinstance(report, Applied) and report.parameter == MODEL:
            if report.value != self._loaded_models:
                self._former_models, self._loaded_models = self._loaded_models, report.value
        elif isinstance(report, Applied | Turned):
            # The engine's word counts: a knob may have turned what we have changed just before, or the other way round.
            self._parameters[report.parameter] = report.value
        elif isinstance(report, Picked):
            self._pick(report)
        self._on_report(report)

    def _pick(self, picked: Picked) -> None:
        """Play with the models that the player has picked."""
        choices = self._session.choices or tuple((name,) for name in live_names())
        number = knobs.Picked(picked.number, picked.positions).among(len(choices))
        if number >= len(choices):
            if number not in self._unknown_programs:  # some sequencers send one with every bar
                self._unknown_programs.add(number)
                log.info("program %d: there are %d to pick from", number + 1, len(choices))
        elif list(choices[number]) != self._models:
            self.send(Swap(list(choices[number])))

    async def _play(self) -> Cause:
        """Watch over the engine until it no longer plays; release what it left sounding."""
        engine = self._engine
        if engine is None:
            return Cause.STOPPED
        ended = asyncio.ensure_future(engine.ended())
        ended.add_done_callback(lambda _: self._wake.set())
        cause = await self._watch(engine)
        if cause in (Cause.STOPPED, Cause.REPLUGGED):
            await engine.close()
        else:
            engine.kill()
        self._engine = None
        await ended
        if cause is Cause.DIED and engine.said:
            log.error("the engine's last words: %s", engine.said[-1])
        self._release(engine)
        return cause

    async def _watch(self, engine: EngineProcess) -> Cause:
        beats, beaten = engine.beats, self._loop.time()
        looked = self._loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), WATCH_SECONDS)
            self._wake.clear()
            if self._stop:
                return Cause.STOPPED
            if self._wiring.lost:
                return Cause.SERVER_LOST
            if engine.dead:
                return Cause.DIED
            if engine.beats != beats:
                beats, beaten = engine.beats, self._loop.time()
            elif self._loop.time() - beaten > FROZEN_SECONDS:
                return Cause.FROZE
            if self._wiring.joined:
                self._end_what_is_unplugged(self._wiring.look())
                self._wiring.release_again(engine.ledger)
            elif self._loop.time() - looked > LOOK_SECONDS:
                looked = self._loop.time()
                if await self._replugged():
                    return Cause.REPLUGGED

    def _end_what_is_unplugged(self, sources: tuple[str, ...]) -> None:
        if sources:
            log.info("%s is unplugged: what it held is released", ", ".join(sources))
            self.send(Panic())

    async def _replugged(self) -> bool:
        """Look after ports that were opened by name, where there is no JACK; return whether one is back."""
        ready = self._ready
        if ready is None or ready.api == LOOPBACK or {ready.input, ready.output} == {VIRTUAL}:
            return False
        hears, plays = await asyncio.to_thread(ports_present, ready.api, ready.input, ready.output)
        gone = {name for name, there in ((ready.input, hears), (ready.output, plays)) if not there}
        self._end_what_is_unplugged((ready.input,) if ready.input in gone - self._unplugged else ())
        back = self._unplugged - gone
        self._unplugged = gone
        return bool(back)

    def _release(self, engine: EngineProcess) -> None:
        """Release what a dead engine left sounding: at its destinations, or first thing by the next engine."""
        if not engine.ledger.silent:
            self._unreleased = [encode(event) for event in engine.ledger.releases()]
        self._release_kept()

    def _release_kept(self) -> None:
        if self._unreleased and self._wiring.release(self._unreleased):
            self._unreleased = []

    @property
    def _fallback(self) -> list[str]:
        """The models that an engine played with before those of now."""
        return self._loaded_models if self._loaded_models != self._models else self._former_models

    async def _pause_if_it_keeps_dying(self) -> None:
        """Play with the former models again if the last ones kill every engine; if it is not that, take a breath."""
        now = self._loop.time()
        self._deaths = [death for death in self._deaths if now - death < DYING_SECONDS] + [now]
        if len(self._deaths) < DEATHS:
            return
        self._deaths = []
        if self._fallback != self._models:
            log.error("%s ends every engine; playing with %s again", self._models, self._fallback)
            self._models = self._fallback
        else:
            log.error("the engine died %d times within %g s; trying again in a while", DEATHS, DYING_SECONDS)
            await self._sleep(BREATH_SECONDS)

    async def _reopen(self) -> None:
        """Start a new engine, as soon as the MIDI system lets us, and restore its connections."""
        while not self._stop:
            try:
                if self.api == "jack":
                    self._wiring.join()
                await self._open()
            except ImproviserError as error:
                log.debug("not yet: %s", error)
                await self._sleep(RETRY_SECONDS)
                continue
            restored = self._wiring.restore()
            log.info("playing again; connections restored: %s", ", ".join(restored) or "none")
            self._release_kept()
            return

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless told to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _close(self) -> None:
        if self._engine is not None and not self._engine.dead:
            await self._engine.close()
            self._release(self._engine)
        self._wiring.leave()
