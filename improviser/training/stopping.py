"""Ends long work between two steps: the first Ctrl-C or SIGTERM asks, a second Ctrl-C insists."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from improviser import termination


class StopRequest:
    """Whether somebody has asked to stop, and how."""

    def __init__(self) -> None:
        self.asked = False
        self.interrupted = False

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.asked

    def end(self) -> None:
        """Ask, from any thread."""
        self.asked = True

    def ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Handle a signal.

        :raises KeyboardInterrupt: at the second Ctrl-C.
        """
        if self.interrupted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True
        self.interrupted = self.interrupted or number == signal.SIGINT


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Give a request that SIGINT and SIGTERM (on Windows, SIGBREAK) set, for as long as this lasts."""
    request = StopRequest()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {number: signal.signal(number, request.ask) for number in map(signal.Signals.__getitem__, names)}
    request.asked = termination.requested()
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
