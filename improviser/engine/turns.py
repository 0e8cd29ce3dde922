"""How the engine's threads wait: for work, for the end of a period of JACK, and for the lock on the performer."""

import contextlib
import threading
import time
from collections.abc import Callable

REST_SECONDS = 0.003
"""How long the main thread leaves the processor to those that hear us, if no new period begins."""


class Wake:
    """Wakes the one thread that waits: what `threading.Event` does, with far less for whoever sets it."""

    def __init__(self) -> None:
        self._unset = threading.Lock()
        self._unset.acquire()

    def set(self) -> None:
        """Let `wait` return, now or when it is called next."""
        with contextlib.suppress(RuntimeError):  # it was set already
            self._unset.release()

    def wait(self, seconds: float) -> None:
        """Wait until it is set, but no longer than this; then it is not set any more."""
        self._unset.acquire(timeout=seconds)


class RestOfPeriod:
    """The rest of a JACK period in which something was heard: until it is over, the main thread keeps still.

    It is real time where that is granted, and they may not be: on one core with it they would wait until all is learned
    and thought.
    """

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._ends = 0.0

    @property
    def lasts(self) -> bool:
        """Whether the main thread is to wait."""
        return self._ends > 0

    def answered(self, *, heard: bool, again: bool) -> None:
        """Take in that all is answered (see `ports.interface.Answered`), from the backend's thread."""
        if not heard and not self._ends:
            return  # by far the most periods
        now = time.perf_counter()
        if heard and again and not self._ends:
            self._ends = now + REST_SECONDS
        elif not heard or self._ends <= now:
            self._ends = 0.0
            self._wake.set()

    def wait(self, due: float) -> bool:
        """Wait until it is over, but only until something is due (`time.perf_counter`).

        :return: whether the main thread may go on.
        """
        now = time.perf_counter()
        if now >= self._ends:
            self._ends = 0.0
        if not self._ends or now >= due:
            return True
        self._wake.wait(min(self._ends, due) - now)
        return False


class Turn:
    """The lock on the performer, taken once all notes that came in before are heard."""

    def __init__(self, lock: threading.Lock, make_good: Callable[[], None]) -> None:
        self._lock = lock
        self._make_good = make_good

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._make_good()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()
