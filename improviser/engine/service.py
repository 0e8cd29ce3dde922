"""The hub of a session: its events out, to subscribers of one bus; its requests in, from every door alike."""

import asyncio
import logging
from typing import Any

from improviser.core.addresses.port_choice import NO_PORT
from improviser.core.live.parameters.allowed import check_order
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player import knobs
from improviser.engine.bus import Bus
from improviser.engine.handle import EngineProcess
from improviser.engine.live_state import Door, LiveState, Reply, without_request
from improviser.engine.protocol import (
    MODEL,
    Adapt,
    AnyReport,
    Applied,
    Failed,
    Hear,
    Instruct,
    Lost,
    Noticed,
    Panic,
    Picked,
    Renew,
)
from improviser.engine.session import Session
from improviser.engine.supervisor import Supervisor
from improviser.errors import ConfigError, EngineError
from improviser.library.catalogue import live_names
from improviser.settings.config import validate

log = logging.getLogger("improviser")

PICK_AGAIN_SECONDS = 0.1


class Service:
    """A session: how it plays, who is told of it, and what may be asked of it.

    :param bus: gets every report of every engine, in order.
    :param engine: one that was started already, to be the first.
    """

    def __init__(self, session: Session, bus: Bus | None = None, engine: EngineProcess | None = None) -> None:
        self._session = session
        self._bus = Bus() if bus is None else bus
        self._state = LiveState(session.models, session.parameters)
        self._supervisor = Supervisor(session, self._state, self._take, engine)
        self._unknown_programs: set[int] = set()
        self._picked: tuple[str, ...] | None = None
        """Models that were picked, and could not be asked for yet."""
        self._loop = asyncio.get_running_loop()

    @property
    def models(self) -> tuple[str, ...]:
        """The models that were asked for last, one voice each."""
        return tuple(self._state.models)

    @property
    def parameters(self) -> Parameters:
        """The live parameters as they were last asked for, or turned."""
        return Parameters(**self._state.parameters)

    def confirmed(self, parameter: str) -> Any:
        """What an engine has confirmed a live parameter (or `MODEL`) to be, whatever has been asked for since."""
        if parameter == MODEL:
            return tuple(self._state.confirmed_models)
        return getattr(Parameters(**self._state.confirmed), parameter)

    @property
    def name(self) -> str:
        """The name of the MIDI client."""
        return self._session.name

    @property
    def epoch(self) -> float:
        """The zero of the session's time, on `time.perf_counter`."""
        return self._supervisor.epoch

    @property
    def playing(self) -> bool:
        """Whether an engine plays just now."""
        return self._supervisor.playing

    @property
    def api(self) -> str:
        """The MIDI system that is played on, once `opened`."""
        return self._supervisor.api

    @property
    def jack_server(self) -> str:
        """Which server of JACK's is played on, "jackd" or "PipeWire"; empty if none, or there is no telling."""
        return self._supervisor.jack_server

    @property
    def begun_with(self) -> tuple[str, ...]:
        """The models that the session began with, by names or paths."""
        return self._session.models

    @property
    def connections(self) -> tuple[str, str]:
        """What the input and the output are connected to, or the ports of ours that wait for a connection."""
        hears, plays_to = self._supervisor.connections
        session = self._session
        heard = session.player or (session.spare_input if hears == NO_PORT else hears)
        return " and ".join(dict.fromkeys(filter(None, (heard, session.also_hears)))), plays_to

    async def opened(self) -> None:
        """Wait until the first engine plays."""
        await self._supervisor.opened()

    async def run(self) -> None:
        """Play until `stop`.

        :raises ImproviserError: if the first engine cannot be opened; what happens later is mended.
        """
        try:
            await self._supervisor.run()
        finally:
            self._state.end()

    def stop(self) -> None:
        """End what sounds and leave `run`."""
        self._supervisor.stop()

    def send(self, command: Hear | Instruct | Adapt | Panic | Renew) -> None:
        """Send a command to the engine, or to the next one if there is none just now."""
        self._supervisor.send(command)

    def request(self, parameter: str, value: Any, door: Door) -> asyncio.Future[Reply]:
        """Ask for a live parameter (or `MODEL`) to be `value`; what an engine confirms holds for its successors too.

        :param door: who asks.
        :returns: the reply: it comes when an engine confirms or refuses this, or none ever will. Whoever does not want
            to wait for it any longer cancels it, which takes nothing back.
        :raises ConfigError: if there is no such parameter, or it cannot be this.
        :raises EngineError: if this door asks for too much.
        """
        value = validate(parameter, value)
        check_order(parameter, value, self.parameters)
        reply: asyncio.Future[Reply] = self._loop.create_future()

        def tell(told: Reply) -> None:
            if not reply.done():
                reply.set_result(told)

        self._state.request(parameter, value, door, tell, has_engine=self._supervisor.has_engine)
        self._supervisor.ask()
        return reply

    def _take(self, report: AnyReport) -> None:
        if isinstance(report, Lost):
            log.warning("the engine lost %d reports: display and recording are incomplete", report.count)
        elif isinstance(report, Noticed):
            log.warning("%s", report.message)
        elif isinstance(report, Failed) and self._supervisor.has_opened:
            log.error("%s", report.message)
        elif isinstance(report, Applied) and report.error is not None:
            log.warning("%s stays as it was: %s", report.parameter, report.error)
        elif isinstance(report, Picked):
            self._pick(report)
        self._state.take(report)
        if isinstance(report, Applied):
            self._supervisor.ask()
        self._bus.take(without_request(report))

    def _pick(self, picked: Picked) -> None:
        """Play with the models that the player has picked."""
        choices = self._session.choices or tuple((name,) for name in live_names())
        number = knobs.Picked(picked.number, picked.positions).among(len(choices))
        if number < len(choices):
            self._swap(choices[number])
        elif number not in self._unknown_programs:  # some sequencers send one with every bar
            self._unknown_programs.add(number)
            log.info("program %d: there are %d to pick from", number + 1, len(choices))

    def _swap(self, models: tuple[str, ...]) -> None:
        """Ask for the models that were picked; while too many are asked for already, the last pick waits."""
        waited, self._picked = self._picked is not None, None
        if list(models) == self._state.models:
            return
        try:
            self.request(MODEL, models, "program")
        except EngineError:
            self._picked = models
            if not waited:
                self._loop.call_later(PICK_AGAIN_SECONDS, self._pick_again)
        except ConfigError as error:
            log.warning("%s", error)

    def _pick_again(self) -> None:
        if (models := self._picked) is not None:
            self._picked = None
            self._swap(models)
