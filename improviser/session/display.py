"""The display: shows a session in the terminal, from its events, ten times a second at most.

Events may be taken in by a thread of their own: a terminal that stands still (Ctrl-S) holds up whoever writes to it.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.console import Console

from improviser.core.live.snapshot import Answer, Setup, Snapshot
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Lost
from improviser.engine.service import Service
from improviser.engine.session_tally import SessionTally
from improviser.ports.interface import LOOPBACK
from improviser.show.terminal import KEYS, SessionScreen
from improviser.show.views import LiveView, PlainView, SessionView, log_to, view_for

REFRESH_SECONDS = 0.1


class Display:
    """Takes the events, keeps the tally and, while it is `open`, shows it on a console.

    :param full_screen: whether to take over the terminal, if there is one that can; else each answer is a line.
    :param keys: what keys do, to be shown.
    :param recording: says whether the session is kept on disk just now, to be shown.
    :param console: where it is shown; on the terminal if not given.
    """

    def __init__(
        self,
        *,
        full_screen: bool = True,
        keys: Sequence[tuple[str, str]] = KEYS,
        recording: Callable[[], bool] = lambda: False,
        console: Console | None = None,
    ) -> None:
        self.zero = 0.0
        """What time of the session is 0 in what is taken in."""
        self._recording = recording
        self._tally = SessionTally()
        self._lock = threading.Lock()
        console = console or Console()
        self._view: SessionView = view_for(console, keys=keys) if full_screen else PlainView(console)
        self._shown = False

    def take(self, event: SessionEvent) -> None:
        """Take in an event, and write it if it is an answer that is to be a line."""
        with self._lock:
            answer = self._tell(event)
        if answer is not None and self._shown:
            self._view.answered(answer)

    def _tell(self, event: SessionEvent) -> Answer | None:
        """Let the tally take in an event; return the answer that it is, if it is one."""
        if isinstance(event.report, Lost):
            self._tally.warn(f"{event.report.count} notes are missing here: the display could not keep up")
        return self._tally.take(event)

    def screen(self, service: Service, keys: Sequence[tuple[str, str]] = KEYS) -> SessionScreen:
        """Return what a terminal shows now; `keys` is what keys do there."""
        return SessionScreen(self._snapshot(service), keys)

    def _snapshot(self, service: Service) -> Snapshot:
        setup = replace(setup_of(service), recording=self._recording())
        with self._lock:
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
        with self._lock:
            self._tally.warn(line)


def setup_of(service: Service) -> Setup:
    """Return how a service plays just now."""
    hears, plays_to = service.connections
    if service.api == LOOPBACK:
        plays_to = "no MIDI port"
    return Setup(service.models, service.parameters, api=service.api, hears=hears, plays_to=plays_to)
