"""A JACK client of the daemon's own, opened in advance, that ends what sounds where an engine can do so no more.

It has no part in JACK's graph but while it releases. What it sends may be lost with a period, like all on JACK without
`-S`; so it sends everything several times.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from improviser.errors import MidiSystemError

OUT = "out"
ROUNDS = 6
ROUND_SECONDS = 0.07
PERIODS_BEFORE = 2
"""A new connection carries messages from the next period on."""
POLL_SECONDS = 0.002
STANDSTILL_SECONDS = 12.0
"""How long JACK may stand still: with `-S` five seconds for each client that was killed."""


class ReleaseClient:
    """An output on JACK that is there only while it is needed.

    :param jack: JACK-Client's module.
    :param name: what the client is to be called.
    :raises MidiSystemError: if the server does not let us in.
    """

    def __init__(self, jack: ModuleType, name: str) -> None:
        self._errors: tuple[type[Exception], ...] = (jack.JackError,)
        self._waiting: deque[bytes] = deque()
        self._periods = 0
        self._lost = False
        try:
            self._client: Any = jack.Client(name, no_start_server=True)
        except jack.JackError as error:
            raise MidiSystemError(f"JACK does not let us in ({error}); restart its server") from error
        self._client.set_process_callback(self._process)
        self._client.set_shutdown_callback(self._on_shutdown)

    def _on_shutdown(self, _status: object, _reason: str) -> None:
        self._lost = True

    def _process(self, _frames: int) -> None:
        self._periods += 1
        out = self._out
        out.clear_buffer()
        while self._waiting:
            try:
                out.write_midi_event(0, self._waiting[0])
            except self._errors:  # no room: the rest leaves with the next period
                return
            self._waiting.popleft()

    def release(
        self,
        peers: Iterable[str],
        messages: Sequence[bytes],
        begun: Callable[[], None] = lambda: None,
    ) -> list[str]:
        """Send `messages` to each of the ports `peers` that is there; return which these are.

        :param begun: called as soon as they have left for the first time.
        :raises MidiSystemError: if JACK does not let us, or does not go on.
        """
        try:
            self._out = self._client.midi_outports.register(OUT)
            self._client.activate()
            try:
                reached = [peer for peer in peers if self._connect(peer)]
                if reached:
                    self._send(messages, begun)
            finally:
                with contextlib.suppress(*self._errors):
                    self._client.deactivate()
                with contextlib.suppress(*self._errors):
                    self._out.unregister()
        except self._errors as error:
            raise MidiSystemError(f"cannot release notes through JACK: {error}") from error
        return reached

    def _connect(self, peer: str) -> bool:
        try:
            self._client.connect(self._out, peer)
        except self._errors:
            return False
        return True

    def _send(self, messages: Sequence[bytes], begun: Callable[[], None]) -> None:
        self._await_periods(PERIODS_BEFORE)
        for number in range(ROUNDS):
            self._waiting.extend(messages)
            self._await_periods(1)
            if number == 0:
                begun()
            time.sleep(ROUND_SECONDS)
        self._await_periods(1)

    def _await_periods(self, count: int) -> None:
        wanted, end = self._periods + count, time.monotonic() + STANDSTILL_SECONDS
        while self._periods < wanted or self._waiting:
            if self._lost or time.monotonic() > end:
                raise MidiSystemError("cannot release notes through JACK: it stands still, or has gone")
            time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Leave the server."""
        with contextlib.suppress(*self._errors):
            self._client.close()
