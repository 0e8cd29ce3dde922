"""The supervisor: the life and death of engines. It starts one, watches it, replaces it, and ends what it left.

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
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from improviser.core.addresses.port_choice import ABSENT, AUTO, NO_PORT, VIRTUAL
from improviser.core.midi.codec import encode
from improviser.core.midi.event import ALL_NOTES_OFF, HELD_PEDALS, ControlChange, PitchBend
from improviser.engine.handle import START_SECONDS, EngineProcess
from improviser.engine.live_state import LiveState
from improviser.engine.protocol import AnyReport, Command, EndAgain, Lose, Open, Panic, Ready, listed
from improviser.engine.session import Session
from improviser.engine.stop_signal import Stopped, StopSignal
from improviser.errors import EngineError, ImproviserError, MidiSystemError, NotServedError, PortError
from improviser.executors import SerialExecutor
from improviser.ports.connections import SessionConnections
from improviser.ports.hotplug import NamedPorts
from improviser.ports.interface import JACK_APIS, LOOPBACK
from improviser.waiting import within

log = logging.getLogger("improviser")

WATCH_SECONDS = 0.2
FROZEN_SECONDS = 1.5
LOOK_SECONDS = 1.0
RETRY_SECONDS, SERVER_SECONDS = 0.5, 2.0
"""How long to wait before a port, or a MIDI system, that was not there is looked for again."""
PATIENT_SECONDS = 5.0
SLOW = "opening the MIDI system takes its time" + (
    ": JACK waits some seconds, at each step, for a client that has crashed" if sys.platform == "linux" else ""
)
DYING_SECONDS, DEATHS, BREATH_SECONDS = 20.0, 3, 5.0
T = TypeVar("T")
OPENINGS = 4
"""How often a first engine is opened that dies of it, or that the MIDI system does not serve."""
PARTING_SECONDS = 0.5
"""How long leaving JACK may take at the end."""
LONGEST_START_SECONDS = 4 * START_SECONDS
"""How long an engine may take in the end: each is given twice as long as the last that was too slow. On a machine that
is slow or busy none would ever start otherwise, and what a dead one left sounding would sound on."""
HEAD_START_SECONDS = 1.0
"""How much earlier than the next engine's start the release of a dead one's notes may begin."""
LAST_SECONDS = 8.0
"""How long a release may take once we are to stop: JACK with `-S` waits five seconds for the engine that died."""
HALF_IN = "JACK lets our engine in, but not what is to connect it; try again, or restart its server"
STANDSTILL_SECONDS = 2.0
STANDSTILL = "JACK stands still: with its option -S it waits five seconds for each client that has crashed"


class Cause(enum.Enum):
    """Why an engine no longer plays."""

    STOPPED = "was stopped"
    DIED = "died"
    FROZE = "froze"
    SERVER_LOST = "lost its MIDI server"
    REPLUGGED = "has its device back"


class Supervisor:
    """Keeps an engine playing until it is told to stop.

    :param state: what engines begin with, and are asked for.
    :param take: gets every report of every engine, in order.
    :param engine: one that was started already, to be the first.
    """

    def __init__(
        self,
        session: Session,
        state: LiveState,
        take: Callable[[AnyReport], None],
        engine: EngineProcess | None = None,
    ) -> None:
        self._session = session
        self._state = state
        self._take = take
        self._started = engine
        self._engine: EngineProcess | None = None
        self._ready: Ready | None = None
        self._unsent: list[Command] = []
        self._unreleased: list[bytes] = []
        self._jack = SerialExecutor("jack")
        self._looking: asyncio.Task[None] | None = None
        self._named_ports = NamedPorts(session.input, session.output)
        self._deaths: list[float] = []
        self._start_seconds = START_SECONDS
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._opened = asyncio.Event()
        self._stop = StopSignal()
        self._connections = SessionConnections(
            session.name,
            session.input,
            session.output,
            wait_for_ports=session.wait_for_ports,
            wake=self._wake.set,
        )
        self.epoch = time.perf_counter()
        """The zero of the session's time, on `time.perf_counter`."""

    @property
    def has_engine(self) -> bool:
        """Whether there is an engine that takes commands."""
        return self._engine is not None

    @property
    def has_opened(self) -> bool:
        """Whether a first engine has played."""
        return self._opened.is_set()

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
        if self._connections.joined:
            return self._connections.peers
        if self._ready is None:
            return "", ""
        return _said(self._ready.input, self._session.input), _said(self._ready.output, self._session.output)

    @property
    def jack_server(self) -> str:
        """Which server of JACK's is played on, "jackd" or "PipeWire"; empty if none, or there is no telling."""
        return self._connections.server

    async def opened(self) -> None:
        """Wait until the first engine plays."""
        await self._opened.wait()

    def stop(self) -> None:
        """End what sounds and leave `run`."""
        self._stop.set()
        self._wake.set()

    def send(self, command: Command) -> None:
        """Send a command to the engine; if there is none just now, to the next one."""
        if self._engine is not None:
            self._engine.send(command)
        else:
            self._unsent.append(command)

    def ask(self) -> None:
        """Send the engine what the live state wants of it; without one, that waits there for the next."""
        if self._engine is not None:
            for command in self._state.next_commands():
                self._engine.send(command)

    async def run(self) -> None:
        """Play until `stop`.

        :raises ImproviserError: if the first engine cannot be opened; what happens later is mended.
        """
        try:
            with contextlib.suppress(Stopped):
                await self._open_first()
                while (cause := await self._play()) is not Cause.STOPPED:
                    log.warning("the engine %s; notes released, starting a new one", cause.value)
                    if cause is Cause.DIED:
                        await self._pause_if_it_keeps_dying()
                    await self._reopen()
        finally:
            await self._close()

    async def _on_jack(self, fn: Callable[..., T], *args: Any) -> T:
        """Call what talks to JACK, in its thread; say so if JACK stands still meanwhile."""
        late = self._loop.call_later(STANDSTILL_SECONDS, log.info, STANDSTILL)
        try:
            return await self._jack.call(fn, *args)
        finally:
            late.cancel()

    async def _open_first(self) -> None:
        # A thread says it, since other systems than JACK may keep this one waiting, too.
        slow = threading.Timer(PATIENT_SECONDS, log.info, [SLOW])
        slow.daemon = True
        if self._session.api != LOOPBACK:
            slow.start()
        tries, told = 0, False
        while True:
            try:
                await self._join_first()
                tries += 1
                ready = await self._stop.unless_set(self._open())
                await self._stop.unless_set(self._adopt(ready))
            except PortError:
                if not self._session.wait_for_ports:
                    raise
                await self._stop.sleep(RETRY_SECONDS)
            except (EngineError, NotServedError) as error:
                if tries >= OPENINGS:
                    raise
                log.warning("%s; trying again", error)
                await self._stop.sleep(RETRY_SECONDS)
            except MidiSystemError as error:
                if not self._session.wait_for_ports:
                    raise
                if not told:
                    log.info("%s (waiting until one is there)", error)
                tries, told = 0, True
                await self._stop.sleep(SERVER_SECONDS)
            else:
                self._opened.set()
                return
            finally:
                slow.cancel()

    async def _join_first(self) -> None:
        """Join JACK before a first engine is opened, if it is there and may be wanted."""
        if self._session.api in ("auto", *JACK_APIS) and not self._connections.joined:
            with contextlib.suppress(MidiSystemError):  # no JACK: the engine will say so, or take another API
                await self._stop.unless_set(self._on_jack(self._connections.join))

    async def _open(self) -> Ready:
        """Start an engine; return what it has opened."""
        await self._leave_engine()  # one whose ports were not what the user wanted
        if self._connections.joined:
            await self._on_jack(self._connections.expect_engine)
        session = self._session
        opening = Open(
            api=self.api,
            name=session.name,
            input=list(session.input),
            output=list(session.output),
            models=self._state.confirmed_models,
            parameters=self._state.confirmed,
            seed=session.seed,
            epoch=self.epoch,
            releases=self._unreleased,
            jack_server=self._connections.server,
            patient=self._opened.is_set() or session.wait_for_ports,
            spare=session.spare,
        )
        engine, self._started = self._started or await EngineProcess.start(), None
        start_seconds, self._start_seconds = self._start_seconds, min(2 * self._start_seconds, LONGEST_START_SECONDS)
        self._ready = ready = await engine.begin(opening, self._take, start_seconds)
        self._start_seconds = START_SECONDS
        self._engine = engine
        log.debug("engine %d plays on %s", engine.pid, ready.api)
        self._state.begin_engine()
        for command in (*self._state.next_commands(), *self._unsent):
            engine.send(command)
        self._unsent.clear()
        if ready.api not in JACK_APIS:
            if ABSENT not in listed(ready.output):  # one that comes later may still play what it played before
                self._unreleased = []
            if self._connections.joined:
                await self._on_jack(self._connections.leave)
        return ready

    async def _adopt(self, ready: Ready) -> None:
        """Connect a first engine's ports as the user chose.

        :raises NotServedError: if JACK has let the engine in, but not us: nothing would ever be connected.
        """
        if ready.api in JACK_APIS and not self._connections.joined:
            raise NotServedError(HALF_IN)
        await self._on_jack(self._connections.adopt_engine, ready.client)

    async def _leave_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()

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
            log.error("the last line the engine wrote: %s", engine.said[-1])
        for report in self._state.end_engine():
            self._take(report)
        ending = _endings(engine) if cause is Cause.REPLUGGED else _releases(engine)
        self._unreleased = list(dict.fromkeys((*self._unreleased, *ending)))
        begun = asyncio.Event()
        releasing = asyncio.ensure_future(self._release_kept(begun.set))
        releasing.add_done_callback(lambda _: begun.set())
        if cause is not Cause.STOPPED and self._started is None:
            # The next one gets itself ready while the old one's notes are released; but on a busy machine it would
            # take the processor from that, so the first round of it goes first.
            with contextlib.suppress(TimeoutError):
                await within(HEAD_START_SECONDS, begun.wait())
            if not self._stop.is_set:
                self._started = await EngineProcess.start()
        await releasing
        return cause

    async def _watch(self, engine: EngineProcess) -> Cause:
        beats, beaten = engine.beats, self._loop.time()
        looked = self._loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                await within(WATCH_SECONDS, self._wake.wait())
            self._wake.clear()
            if self._stop.is_set:
                return Cause.STOPPED
            if self._connections.lost:
                return Cause.SERVER_LOST
            if engine.dead:
                return Cause.DIED
            if engine.beats != beats:
                beats, beaten = engine.beats, self._loop.time()
            elif self._loop.time() - beaten > FROZEN_SECONDS:
                return Cause.FROZE
            if self._connections.joined:
                if self._looking is None or self._looking.done():  # else JACK stands still
                    self._looking = asyncio.ensure_future(self._look(engine))
            elif self._loop.time() - looked > LOOK_SECONDS:
                looked = self._loop.time()
                if (ready := self._ready) is not None:
                    inputs, outputs = listed(ready.input), listed(ready.output)
                    changes = await self._named_ports.look(ready.api, inputs, outputs)
                    self._end_what_is_unplugged(changes.inputs)
                    for _, output in changes.outputs:
                        log.info("%s is unplugged", output)
                    if changes.back:
                        return Cause.REPLUGGED

    async def _look(self, engine: EngineProcess) -> None:
        """Look after JACK's connections."""
        try:
            self._end_what_is_unplugged(await self._on_jack(self._connections.unplugged))
            await self._on_jack(self._connections.look, engine.ledger)
            await self._on_jack(self._connections.release_again, engine.ledger)
            if self._connections.joined and (ends := await self._on_jack(self._connections.ends_due)):
                self.send(EndAgain(ends))
        except MidiSystemError as error:
            log.debug("not yet: %s", error)

    def _end_what_is_unplugged(self, sources: Sequence[tuple[int, str]]) -> None:
        """Release what sources held that are gone; each has the number of its input."""
        if sources:
            log.info("%s is unplugged: what it held is released", ", ".join(name for _, name in sources))
            if len(self._session.input) == 1:
                self.send(Panic())
            else:
                for number in sorted({number for number, _ in sources}):
                    self.send(Lose(number))

    async def _release_kept(self, begun: Callable[[], None] = lambda: None) -> None:
        """Release what an engine left sounding at its destinations; where that cannot be, the next engine does it.

        :param begun: called when its end has been sent for the first time.
        """
        if not self._unreleased:
            return
        release = self._on_jack(self._connections.release, self._unreleased, begun)
        try:
            reached = await self._stop.within(LAST_SECONDS, release)
        except TimeoutError:
            log.warning("JACK stands still: what sounds there could not be released")
        else:
            self._unreleased = [] if reached else self._unreleased

    async def _pause_if_it_keeps_dying(self) -> None:
        """Play as before if what was changed last kills every engine; if it is not that, take a breath."""
        now = self._loop.time()
        self._deaths = [death for death in self._deaths if now - death < DYING_SECONDS] + [now]
        if len(self._deaths) < DEATHS:
            return
        self._deaths = []
        if (back := self._state.fall_back()) is not None:
            log.error("%s", back)
        else:
            log.error("the engine died %d times within %g s; trying again in a while", DEATHS, DYING_SECONDS)
            await self._stop.sleep(BREATH_SECONDS)

    async def _reopen(self) -> None:
        """Start a new engine, as soon as the MIDI system lets us, and restore its connections."""
        while True:
            try:
                if self.api in JACK_APIS:
                    await self._stop.unless_set(self._on_jack(self._connections.join))
                ready = await self._stop.unless_set(self._open())
                restored = await self._stop.unless_set(self._on_jack(self._connections.restore, ready.client))
            except ImproviserError as error:
                log.debug("not yet: %s", error)
                await self._stop.sleep(RETRY_SECONDS)
                continue
            log.info("playing again; connections restored: %s", ", ".join(restored) or "none")
            await self._release_kept()
            return

    async def _close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None and not engine.dead:
            await engine.close()
            self._unreleased = list(dict.fromkeys((*self._unreleased, *_releases(engine))))
            await self._release_kept()
        if self._started is not None:
            await self._started.leave()
        with contextlib.suppress(TimeoutError):
            await within(PARTING_SECONDS, self._on_jack(self._connections.leave))


def _said(names: str | list[str], choices: Sequence[str]) -> str:
    """Return what ports are connected to, for people to read."""

    def said(name: str, choice: str) -> str:
        if name != ABSENT:
            return name
        return NO_PORT if choice in (AUTO, VIRTUAL) else f"{choice} (not there yet)"

    return ", ".join(said(*pair) for pair in zip(listed(names), choices, strict=False))


def _endings(engine: EngineProcess) -> list[bytes]:
    """Return what ends all that an output may play that was gone for a while: the ends of its notes did not arrive."""
    messages: list[bytes] = []
    for event in engine.ledger.releases():
        if isinstance(event, ControlChange) and event.control == ALL_NOTES_OFF:
            messages += [encode(ControlChange(event.channel, pedal, 0)) for pedal in HELD_PEDALS]
            messages += [encode(PitchBend(event.channel, 0)), encode(event)]
    return messages


def _releases(engine: EngineProcess) -> list[bytes]:
    """Return what ends all that an engine has sounding."""
    return [] if engine.ledger.silent else [encode(event) for event in engine.ledger.releases()]
