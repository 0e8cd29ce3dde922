"""How the engine's threads wait: for something to do, and for their turn with the performer."""

import contextlib
import threading
from collections.abc import Callable


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


class Turn:
    """The lock, for whoever wants the performer as it is once all notes that came in are heard."""

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
