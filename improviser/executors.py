"""Executors for calls that may hang: the end of the program does not wait for their threads."""

import asyncio
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
_all: "weakref.WeakSet[SerialExecutor]" = weakref.WeakSet()


def hangs() -> bool:
    """Return whether a call of a library's has not come back, which may then hold up the end of the process, too."""
    return any(each.busy for each in _all)


class DaemonThreadExecutor(ThreadPoolExecutor):
    """An executor with a thread for every call, which ends with the program, however far the call has got.

    For asyncio's blocking calls: finding a host, or connecting to one that does not answer, takes seconds, and asyncio
    would wait for the end of that before it lets the program go.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call `fn` in a thread of its own."""
        future: Future[Any] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  whoever waits for the result gets it
                future.set_exception(error)

        threading.Thread(target=call, daemon=True, name="daemon-call").start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Take no more calls; wait for none."""
        super().shutdown(wait=False)


class SerialExecutor:
    """Calls that may hang, one after the other in one thread, which ends with the program like the others."""

    def __init__(self, name: str) -> None:
        self.busy = False
        """Whether a call has not come back."""
        _all.add(self)
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)

    async def call(self, fn: Callable[..., T], *args: Any) -> T:
        """Call `fn` when all calls before have ended; return or raise what it does. Cancelling does not end it."""
        if not self._thread.is_alive():
            self._thread.start()
        future: Future[T] = Future()
        self._calls.put((future, lambda: fn(*args)))
        return await asyncio.wrap_future(future)

    def _run(self) -> None:
        while True:
            self.busy = False
            future, call = self._calls.get()
            self.busy = True
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  whoever waits for the result gets it
                future.set_exception(error)
