"""The stage: what the daemon shows of a session, fed by the engine's reports, ten times a second at most."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.console import Console

from improviser.core.live.snapshot import Setup, Snapshot, Tally
from improviser.core.midi.codec import decode, events_of
from improviser.core.midi.event import Event
from improviser.engine.protocol import AnyReport, Applied, Lost, Played, Ready, Step
from improviser.engine.supervisor import Service
from improviser.ports.interface import LOOPBACK
from improviser.show.terminal import KEYS, SessionScreen
from improviser.show.views import LiveView, PlainView, SessionView, log_to, view_for

REFRESH_SECONDS = 0.1

TimedEvent = tuple[float, Event]


class Stage:
    """Takes the reports, keeps the tally and, while it is `open`, shows it on a console.

    :param keep: whether to keep everything heard and played, for a file; without it memory does not grow.
    :param full_screen: whether to take over the terminal, if there is one that can; else each answer is a line.
    :param keys: what keys do, to be shown.
    :param recording: says whether the session is kept on disk just now, to be shown.
    :param console: where it is shown; on the terminal if not given.
    """

    def __init__(
        self,
        *,
        keep: bool = False,
        full_screen: bool = True,
        keys: Sequence[tuple[str, str]] = KEYS,
        recording: Callable[[], bool] = lambda: False,
        console: Console | None = None,
    ) -> None:
        self.heard: list[TimedEvent] = []
        self.played: list[TimedEvent] = []
        self.zero = 0.0
        """What time of the session is 0 in what is taken in."""
        self._keep = keep
        self._recording = recording
        self._tally = Tally()
        console = console or Console()
        self._view: SessionView = view_for(console, keys=keys) if full_screen else PlainView(console)
        self._shown = False
        self._latest = 0.0

    def take(self, report: AnyReport) -> None:
        """Take in a report of the engine."""
        match report:
            case Step(stamp, message, messages, latency):
                heard = decode(message)
                if heard is not None:
                    self._step(stamp, heard, events_of(messages), latency)
            case Played(stamp=stamp, played=messages) | Applied(stamp=stamp, played=messages):
                if isinstance(report, Played) and report.cause == "lost":
                    self._tally.lose_player(stamp)
                played = events_of(messages)
                self._tally.play(stamp, played)
                self._keep_all(stamp, None, played)
            case Ready():  # a new engine: what its predecessor left sounding was released
                self._tally.silence(self._latest)
            case Lost(count):
                self._tally.warn(f"{count} notes are missing here: the display could not keep up")
            case _:
                pass

    def _step(self, stamp: float, heard: Event, played: Sequence[Event], latency: float) -> None:
        self._latest = stamp
        answer = self._tally.step(stamp, heard, played, latency)
        self._keep_all(stamp, heard, played)
        if answer is not None and self._shown:
            self._view.answered(answer)

    def _keep_all(self, stamp: float, heard: Event | None, played: Sequence[Event]) -> None:
        if self._keep:
            if heard is not None:
                self.heard.append((stamp, heard))
            self.played += ((stamp, event) for event in played)

    def screen(self, service: Service, keys: Sequence[tuple[str, str]] = KEYS) -> SessionScreen:
        """Return what a terminal shows now; `keys` is what keys do there."""
        return SessionScreen(self._snapshot(service), keys)

    def _snapshot(self, service: Service) -> Snapshot:
        setup = replace(setup_of(service), recording=self._recording())
        return self._tally.snapshot(time.perf_counter() - service.epoch - self.zero, setup)

    async def show(self, service: Service) -> None:
        """Show the session until cancelled; the terminal is given back then."""
        elsewhere = isinstance(self._view, LiveView) and not sys.stderr.isatty()
        with log_to(self._log, as_well=elsewhere), self._view:
            self._shown = True
            while True:
                snapshot = self._snapshot(service)
                # In a thread: a terminal that is stopped (Ctrl-S) must not stop the daemon.
                await asyncio.to_thread(self._view.show, snapshot)
                await asyncio.sleep(REFRESH_SECONDS)

    def _log(self, line: str) -> None:
        self._tally.warn(line)


def setup_of(service: Service) -> Setup:
    """Return how a service plays just now."""
    hears, plays_to = service.connections
    if service.api == LOOPBACK:
        plays_to = "no MIDI port"
    parameters = service.parameters
    return Setup(
        mode=parameters.mode,
        models=service.models,
        temperature=parameters.temperature,
        density=parameters.density,
        scale=parameters.scale,
        api=service.api,
        hears=hears,
        plays_to=plays_to,
    )
