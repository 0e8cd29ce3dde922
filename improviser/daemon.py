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
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from improviser.core.performer import Parameters
from improviser.engine_process import EngineProcess
from improviser.errors import ImproviserError, MidiSystemError, PortError
from improviser.midi import encode
from improviser.patchbay import IN, OUT, Patchbay, Wires
from improviser.pipe import AnyReport, Change, Command, Failed, Lost, Open, Panic, Ready, Swap

log = logging.getLogger("improviser")

WATCH_SECONDS = 0.2
FROZEN_SECONDS = 1.5
RETRY_SECONDS = 0.5
AGAIN_SECONDS = 1.3
NOTHING: tuple[float, list[bytes]] = (0.0, [])


class Cause(enum.Enum):
    """Why an engine no longer plays."""

    STOPPED = "was stopped"
    DIED = "died"
    FROZE = "froze"
    SERVER_LOST = "lost its MIDI server"


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


class Service:
    """Keeps an engine playing until it is told to stop.

    :param on_report: gets every report of every engine, in order.
    """

    def __init__(self, session: Session, on_report: Callable[[AnyReport], None] = lambda _: None) -> None:
        self._session = session
        self._on_report = on_report
        self._models = list(session.models)
        self._parameters = dict(session.parameters)
        self._engine: EngineProcess | None = None
        self._ready: Ready | None = None
        self._patchbay: Patchbay | None = None
        self._wires = Wires()
        self._waited_for: dict[str, str] = {}
        self._unreleased: list[bytes] = []
        self._release_again = NOTHING
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._opened = asyncio.Event()
        self._stop = self._rewired = self._server_lost = False
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

    async def opened(self) -> None:
        """Wait until the first engine plays."""
        await self._opened.wait()

    @property
    def api(self) -> str:
        """The MIDI system that is played on, once `opened`."""
        return self._ready.api if self._ready is not None else self._session.api

    @property
    def connections(self) -> tuple[str, str]:
        """What the input and the output are connected to, or the ports of ours that wait for a connection."""
        if self._ready is None or self._patchbay is None:
            return (self._ready.input, self._ready.output) if self._ready is not None else ("", "")
        ours = self._patchbay.ports
        heard, played = (
            ", ".join(sorted(self._wires.peers[role])) or f"virtual port {ours.get(role, role)}" for role in (IN, OUT)
        )
        return heard, played

    def stop(self) -> None:
        """End what sounds and leave `run`."""
        self._stop = True
        self._wake.set()

    def send(self, command: Command) -> None:
        """Send a command to the engine; what it changes holds for the engine's successors as well."""
        if isinstance(command, Change):
            self._parameters[command.parameter] = command.value
        elif isinstance(command, Swap):
            self._models = list(command.models)
        if self._engine is not None:
            self._engine.send(command)

    async def run(self) -> None:
        """Play until `stop`.

        :raises ImproviserError: if the first engine cannot be opened; what happens later is mended.
        """
        try:
            await self._open_first()
            while (cause := await self._play()) is not Cause.STOPPED:
                log.warning("the engine %s; notes released, starting a new one", cause.value)
                await self._reopen()
        finally:
            await self._close()

    async def _open_first(self) -> None:
        if self._session.api in ("jack", "auto"):
            with contextlib.suppress(MidiSystemError):  # no JACK: the engine will say so, or take another API
                self._join_jack()
        while not self._stop:
            try:
                await self._open()
                if self._patchbay is not None:
                    self._connect_chosen(self._patchbay)
                    self._patchbay.refresh(self._loop.time())
                self._opened.set()
            except PortError:
                if not self._session.wait_for_ports:
                    raise
                await self._sleep(RETRY_SECONDS)
            else:
                return

    async def _open(self) -> None:
        """Start an engine; on JACK, find its ports."""
        if self._patchbay is not None:
            self._patchbay.expect()
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
        self._engine, self._ready = await EngineProcess.open(opening, self._take)
        log.debug("engine %d plays on %s", self._engine.pid, self._ready.api)
        if self._ready.api != "jack":
            self._unreleased = []
            self._leave_jack()
        elif self._patchbay is not None:
            self._patchbay.adopt()

    def _take(self, report: AnyReport) -> None:
        if isinstance(report, Lost):
            log.warning("the engine lost %d reports: display and recording are incomplete", report.count)
        elif isinstance(report, Failed) and self._opened.is_set():
            log.error("%s", report.message)
        self._on_report(report)

    def _join_jack(self) -> None:
        def tell(flag: str) -> None:
            def raise_flag() -> None:
                setattr(self, flag, True)
                self._wake.set()

            with contextlib.suppress(RuntimeError):  # the loop may close while JACK still calls
                self._loop.call_soon_threadsafe(raise_flag)

        self._server_lost = False
        self._patchbay = Patchbay(
            self._session.name,
            self._wires,
            changed=lambda: tell("_rewired"),
            lost=lambda: tell("_server_lost"),
        )

    def _leave_jack(self) -> None:
        if self._patchbay is not None:
            self._patchbay.close()
            self._patchbay = None

    def _connect_chosen(self, patchbay: Patchbay) -> None:
        """Connect what the user asked for by name, or what "auto" finds.

        :raises PortError: if a name matches nothing and is not to be waited for.
        """
        chosen = self._waited_for or {IN: self._session.input, OUT: self._session.output}
        self._waited_for = {}
        for role, choice in chosen.items():
            try:
                peer = patchbay.resolve(choice, "input" if role == IN else "output")
            except PortError:
                if not self._session.wait_for_ports:
                    raise
                self._waited_for[role] = choice
            else:
                if peer is not None:
                    self._wires.add(role, peer)

    async def _play(self) -> Cause:
        """Watch over the engine until it no longer plays; release what it left sounding."""
        engine = self._engine
        if engine is None:
            return Cause.STOPPED
        ended = asyncio.ensure_future(engine.ended())
        ended.add_done_callback(lambda _: self._wake.set())
        cause = await self._watch(engine)
        if cause is Cause.STOPPED:
            await engine.close()
        else:
            engine.kill()
        await ended
        self._keep_releases(engine)
        self._release()
        return cause

    async def _watch(self, engine: EngineProcess) -> Cause:
        beats, beaten = engine.beats, self._loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), WATCH_SECONDS)
            self._wake.clear()
            if self._stop:
                return Cause.STOPPED
            if self._server_lost:
                return Cause.SERVER_LOST
            if engine.dead:
                return Cause.DIED
            if engine.beats != beats:
                beats, beaten = engine.beats, self._loop.time()
            elif self._loop.time() - beaten > FROZEN_SECONDS:
                return Cause.FROZE
            if self._rewired:
                self._rewire()
            self._release_twice(engine)

    def _rewire(self) -> None:
        """Take in what changed on JACK."""
        if self._patchbay is None:
            return
        if self._waited_for:
            self._connect_chosen(self._patchbay)
        rewiring = self._patchbay.refresh(self._loop.time())
        self._rewired = bool(self._wires.cut)
        for peer in rewiring.restored:
            log.info("connected to %s", peer)
        if rewiring.unplugged:
            log.info("%s is unplugged: what it held is released", ", ".join(rewiring.unplugged))
            self.send(Panic())

    def _keep_releases(self, engine: EngineProcess) -> None:
        if not engine.ledger.silent:
            self._unreleased = [encode(event) for event in engine.ledger.releases()]

    def _release(self) -> None:
        """Release what a dead engine left sounding, where we can reach the destinations ourselves."""
        if self._unreleased and self._patchbay is not None and not self._server_lost:
            try:
                reached = self._patchbay.release(self._unreleased)
            except MidiSystemError as error:
                log.warning("%s", error)
            else:
                log.info("released what was sounding at %s", ", ".join(reached) or "nobody: nothing was connected")
                self._release_again = (self._loop.time() + AGAIN_SECONDS, self._unreleased)
                self._unreleased = []

    def _release_twice(self, engine: EngineProcess) -> None:
        """Release once more: a client that dies in the middle of a period makes JACK lose events for a second.

        What the new engine plays meanwhile is spared.
        """
        due, messages = self._release_again
        if messages and self._loop.time() > due and self._patchbay is not None:
            self._release_again = NOTHING
            spared = {encode(event) for event in engine.ledger.releases()}
            with contextlib.suppress(MidiSystemError):
                self._patchbay.release(message for message in messages if message not in spared)

    async def _reopen(self) -> None:
        """Start a new engine, as soon as the MIDI system lets us, and restore its connections."""
        while not self._stop:
            try:
                if self.api == "jack":
                    self._rejoin_jack()
                await self._open()
            except ImproviserError as error:
                log.debug("not yet: %s", error)
                await self._sleep(RETRY_SECONDS)
                continue
            if self._patchbay is not None:
                restored = self._patchbay.restore(self._loop.time()).restored
                log.info("playing again; connections restored: %s", ", ".join(restored) or "none")
                self._release()
            return

    def _rejoin_jack(self) -> None:
        """Join the JACK server, anew if the old one was lost.

        :raises MidiSystemError: if there is none.
        """
        if self._server_lost:
            self._leave_jack()
        if self._patchbay is None:
            self._join_jack()

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless told to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _close(self) -> None:
        if self._engine is not None and not self._engine.dead:
            await self._engine.close()
            self._keep_releases(self._engine)
            self._release()
        self._leave_jack()
