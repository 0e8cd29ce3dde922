"""A JACK client of the daemon's own that ends what sounds where an engine can do so no more.

It has no part in JACK's graph but while it releases. While jackd waits for a client that was killed it lets nobody in,
so there it is opened in advance, and has no port; PipeWire lets everybody in at once, but lists all that are there, so
there it comes and goes. What it sends may be lost with a period, like all on JACK without `-S`; so it sends everything
several times.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from types import ModuleType
from typing import Any

from improviser.errors import MidiSystemError
from improviser.ports.jack_sending import sending_of

OUT = "out"
ROUNDS = 6
ROUND_SECONDS = 0.07
SLOW_ROUNDS = 20
"""On PipeWire, where a new connection may carry nothing for a while after it is shown."""
PERIODS_BEFORE = 2
"""A new connection carries messages from the next period on, unless clients are late."""
LATE_ROUNDS = 9
"""How many rounds do not count, as long as a connection is not in force; jackd takes half a second at most."""
POLL_SECONDS = 0.002
STANDSTILL_SECONDS = 12.0
"""How long JACK may stand still: with `-S` five seconds for each client that was killed."""


class ReleaseClient:
    """An output on JACK that is there only while it is needed.

    :param jack: JACK-Client's module.
    :param name: what the client is to be called.
    :param gone: whether the server is seen to have ended, where it may do so without a word.
    :param in_advance: whether to open it now, and keep it open, so that it is there when it is needed, as on jackd.
    :raises MidiSystemError: if the server does not let us in.
    """

    def __init__(
        self, jack: ModuleType, name: str, gone: Callable[[], bool] = lambda: False, *, in_advance: bool = True
    ) -> None:
        self._errors: tuple[type[Exception], ...] = (jack.JackError,)
        self._jack, self._name, self._in_advance = jack, name, in_advance
        self._client: Any = None
        self._gone = gone
        self._lost = False
        if in_advance:
            self._open()

    def _open(self) -> None:
        try:
            self._client = self._jack.Client(self._name, no_start_server=True)
        except self._errors as error:
            raise MidiSystemError(f"JACK does not let us in ({error}); restart its server") from error
        self._sending = sending_of(self._jack, self._client, by_buffer=self._in_advance)
        self._client.set_shutdown_callback(self._on_shutdown)

    def _on_shutdown(self, _status: object, _reason: str) -> None:
        self._lost = True

    def release(
        self,
        peers: Iterable[str],
        messages: Sequence[bytes],
        begun: Callable[[], None] = lambda: None,
    ) -> list[str]:
        """Send `messages` to each of the ports `peers` that is there; return which these are.

        :param begun: called as soon as they have left for the first time, and whenever they have left again.
        :raises MidiSystemError: if JACK does not let us, or does not go on.
        """
        if self._client is None:
            self._open()
        try:
            self._out = self._client.midi_outports.register(OUT)
            self._sending.begin(self._out, messages)
            self._client.activate()
            try:
                reached = [peer for peer in peers if self._connect(peer)]
                if reached:
                    self._send(messages, reached, begun)
            finally:
                with contextlib.suppress(*self._errors):
                    self._client.deactivate()
                with contextlib.suppress(*self._errors):
                    self._out.unregister()
        except self._errors as error:
            raise MidiSystemError(f"cannot release notes through JACK: {error}") from error
        finally:
            if not self._in_advance:
                self.close()
        return reached

    def _connect(self, peer: str) -> bool:
        try:
            self._client.connect(self._out, peer)
        except self._errors:
            return False
        return True

    def _send(self, messages: Sequence[bytes], reached: Collection[str], begun: Callable[[], None]) -> None:
        self._await_periods(PERIODS_BEFORE)
        rounds = ROUNDS if self._in_advance else SLOW_ROUNDS
        counted = late = 0
        while counted < rounds:
            if late < LATE_ROUNDS and not self._all_in_force(reached):
                late += 1  # who is connected hears this round; it does not count, since others would miss it
            else:
                counted += 1
            self._sending.send(messages, self._await_periods)
            begun()
            time.sleep(ROUND_SECONDS)
        self._await_periods(1)

    def _all_in_force(self, reached: Collection[str]) -> bool:
        """Say whether all connections are made; JACK says yes to each before that."""
        with contextlib.suppress(*self._errors):
            return {port.name for port in self._client.get_all_connections(self._out)}.issuperset(reached)
        return True

    def _await_periods(self, count: int) -> None:
        since, end = self._sending.now(), time.monotonic() + STANDSTILL_SECONDS
        while not self._sending.passed(since, count):
            if self._lost or self._gone() or time.monotonic() > end:
                raise MidiSystemError("cannot release notes through JACK: it stands still, or has gone")
            time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Leave the server."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*self._errors):
                client.close()
