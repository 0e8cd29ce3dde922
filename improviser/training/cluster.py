"""A Dask cluster as an executor whose calls outlast its scheduler.

Dask itself makes those calls again whose worker died. What it forgets, because its scheduler was restarted or the last
worker that had something is gone, is sent again from here: a call depends on its arguments alone, so it does not matter
who makes it, nor how often. If there is no scheduler or no worker for too long, all calls end.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from improviser.errors import ImproviserError
from improviser.training.cluster_client import (
    ANSWER_SECONDS,
    Client,
    ClusterAddress,
    cluster_address,
    require_same_software,
    within,
)
from improviser.training.silence import Silence
from improviser.training.software import software

LOOK_EVERY = 2.0
"""Seconds between two looks at how the cluster is."""
MOST_LOSSES = 20
"""Times that the cluster, or a call on it, may be lost before another result comes."""
SILENT_SECONDS = 30.0
"""After this a worker that gives no sign of life, though its connection lasts, is not waited for: it may be frozen, or
its machine cut off. Dask itself waits for five minutes."""
SLOWEST = 2**20
"""Bytes a second that go to a cluster at least."""
KILLED = (
    "a call has ended several workers, one after the other, perhaps for lack of memory; go on with --resume, and "
    "workers that have more of it"
)
_log = logging.getLogger("improviser.train")


@contextmanager
def open_cluster(address: str, workers: int | None = None) -> Iterator["Cluster"]:
    """Give the cluster at an address, see `cluster_address`, for as long as the block lasts.

    :raises ImproviserError: if there is none, or one with other software.
    """
    with cluster_address(address, workers) as where, Cluster(where) as cluster:
        yield cluster


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Data that many calls need: among their arguments it stands for itself, and travels to each worker once."""

    data: bytes = field(repr=False)


@dataclass(slots=True, eq=False)
class _Call:
    """A call, the future that is waited for here, and Dask's own, which may be one of several in turn."""

    future: "Future[Any]"
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    to: str | None = None
    """The worker that it is meant for, as long as that is there."""
    sent: Any = None


class LostCluster(BrokenExecutor):
    """There is no cluster to make a call; it says why, and what to do."""


class _LostError(Exception):
    """The scheduler, or every worker, is gone or does not answer."""


class Cluster(Executor):
    """Sends calls to a cluster until they are done; after `BrokenExecutor` from one, there is no more to come.

    :param where: the way to it.
    :raises ImproviserError: if there is no cluster, no worker, or one with other software.
    """

    def __init__(self, where: ClusterAddress) -> None:
        self._where = where
        self._events: queue.SimpleQueue[tuple[_Call, Any] | None] = queue.SimpleQueue()
        """Calls to be sent (with None), calls that Dask is done with (with its future), and None at the end."""
        self._open: dict[_Call, None] = {}
        self._placed: dict[Shared, Any] = {}
        self._failure: str | None = None
        self._lock = threading.Lock()
        self._closed = False
        self.threads: dict[str, int] = {}
        """How many calls each worker can make at a time, by its address, as it was when last looked at."""
        self._silence = Silence(SILENT_SECONDS)
        self._given_up: frozenset[str] = frozenset()
        """Workers that have been silent when last looked at, and what they were at was sent again."""
        self._looked = self._well = time.monotonic()
        self._losses = 0
        self._bearing = False
        self._client = self._connected(None)
        try:
            self._outlasting(self._wait_for_workers)
        except BaseException:
            self._close_client()
            raise
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()

    @property
    def _max_workers(self) -> int:
        """How many calls are made at a time: what other executors call it, too."""
        return max(1, sum(self.threads.values()))

    @property
    def dashboard(self) -> str:
        """Where the cluster shows itself to a browser, if it does (with Bokeh installed)."""
        return str(self._client.dashboard_link or "")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Let a worker call `fn`, which it imports by its name; it may happen more than once.

        :raises BrokenExecutor: if the cluster was lost.
        :raises RuntimeError: after `shutdown`.
        """
        if kwargs:
            raise TypeError("arguments are given by their place")
        return self._begun(_Call(Future(), fn, args))

    def submit_to(self, address: str, fn: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        """Do the same, by a certain worker; if it is gone, by another."""
        return self._begun(_Call(Future(), fn, args, address))

    def _begun(self, call: _Call) -> "Future[Any]":
        with self._lock:
            if self._failure is not None:
                raise LostCluster(self._failure)
            if self._closed:
                raise RuntimeError("it is shut down")
            self._events.put((call, None))
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let the cluster forget all calls that are not done; they end with `BrokenExecutor`."""
        with self._lock:
            self._closed = True
            self._events.put(None)
        if wait:
            self._thread.join()

    def _run(self) -> None:
        """Send calls and take results until it is shut down, or the cluster is lost."""
        failure = "the cluster was left before it was done"
        try:
            while not self._closed:
                with suppress(queue.Empty):
                    event = self._events.get(timeout=LOOK_EVERY)
                    if event is not None:
                        self._outlasting(partial(self._handle, *event))
                if time.monotonic() - self._looked >= LOOK_EVERY:
                    self._outlasting(self._look)
        except ImproviserError as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001  whatever it is, nobody may wait for ever
            failure = f"the cluster cannot be used: {type(error).__name__}: {error}"
        finally:
            self._end(failure)

    def _end(self, failure: str) -> None:
        with self._lock:
            self._failure = failure
            while True:
                with suppress(queue.Empty):
                    event = self._events.get_nowait()
                    if event is not None:
                        self._open[event[0]] = None
                    continue
                break
        for call in self._open:
            if not call.future.done():
                call.future.set_exception(LostCluster(failure))
        self._open.clear()
        self._placed.clear()
        self._close_client()

    def _outlasting(self, act: Callable[[], None]) -> None:
        """Do something that the loss of the cluster may interrupt; then everything is sent again.

        :raises ImproviserError: if there is no cluster for too long.
        """
        while not self._closed:
            try:
                act()
            except _LostError as error:
                self._losses += 1
                if self._losses > MOST_LOSSES:
                    raise ImproviserError(
                        f"the cluster at {self._where.address} is lost again and again ({error}); mend it, and go on "
                        "with --resume"
                    ) from error
                act = self._begin_anew
            else:
                return

    def _handle(self, call: _Call, sent: Any) -> None:
        if sent is None:
            self._open[call] = None
            self._send(call)
        elif sent is call.sent:  # else it was lost, and has been sent again since
            self._take(call)

    def _send(self, call: _Call) -> None:
        if call.future.cancelled():
            del self._open[call]
            return
        if call.sent is not None:
            self._losses += 1
        try:
            arguments = [self._place(one) if isinstance(one, Shared) else one for one in call.arguments]
            some = self._chosen(call)
            call.sent = self._client.submit(call.function, *arguments, pure=False, **some)
            call.sent.add_done_callback(lambda sent: self._events.put((call, sent)))
        except (OSError, RuntimeError, CancelledError) as error:
            raise _LostError(str(error)) from error

    def _chosen(self, call: _Call) -> dict[str, Any]:
        """Return how Dask is told who may make a call: anybody, if nobody is silent."""
        if call.to in self.threads:
            return {"workers": [call.to], "allow_other_workers": True}
        return {"workers": list(self.threads), "allow_other_workers": True} if self._silence.silent else {}

    def _place(self, shared: Shared) -> Any:
        """Return what stands for data on the workers, where it is put if they have it no more."""
        placed = self._placed.get(shared)
        if placed is None or placed.status != "finished":
            seconds = max(2 * self._silence.seconds, len(shared.data) / SLOWEST)
            some = list(self.threads) if self._silence.silent else None
            placed = within(seconds, self._client.scatter, shared.data, broadcast=True, hash=False, workers=some)
            self._placed[shared] = placed
        return placed

    def _take(self, call: _Call) -> None:
        """Take what Dask has made of a call: a result, an error, or nothing."""
        from distributed import KilledWorker

        sent = call.sent
        if sent.status == "error":
            error = sent.exception(timeout=ANSWER_SECONDS)
            if isinstance(error, KilledWorker):
                error = LostCluster(KILLED)
            self._done(call, lambda: call.future.set_exception(error))
            return
        if sent.status != "finished":
            self._send(call)
            return
        try:
            value = sent.result(timeout=ANSWER_SECONDS)
        except Exception:  # noqa: BLE001  what the call itself raises comes as its error: this is the way that is broken
            self._send(call)
            return
        self._done(call, lambda: call.future.set_result(value))

    def _done(self, call: _Call, tell: Callable[[], None]) -> None:
        del self._open[call]
        call.sent = None
        self._losses, self._bearing, self._well = 0, False, time.monotonic()
        if call.future.set_running_or_notify_cancel():
            tell()

    def _look(self) -> None:
        """See who is there, and send again what was lost without a word.

        :raises _LostError: if nobody answers.
        :raises ImproviserError: if there has been no worker for too long.
        """
        self._looked = time.monotonic()
        if self._client.status != "running":
            raise _LostError(self._client.status)
        try:
            workers = within(ANSWER_SECONDS, self._client.scheduler_info, n_workers=-1)["workers"]
            self._silence.look({address: facts["last_seen"] for address, facts in workers.items()})
            self.threads = {
                address: facts["nthreads"] for address, facts in workers.items() if address not in self._silence.silent
            }
            held_up = self._held_up()
        except Exception as error:
            raise _LostError(str(error)) from error
        if self.threads:
            self._well = time.monotonic()
        elif self._open:
            self._bear("no worker")
        if self._losses > MOST_LOSSES:
            raise _LostError("calls on it are")
        for call in [call for call in self._open if call.sent is not None and call.sent.status == "lost"]:
            self._send(call)
        for call in held_up:
            _log.warning("a worker says nothing any more; what it was at is done again")
            call.sent = None
            self._send(call)

    def _held_up(self) -> list[_Call]:
        """Return the calls that wait for workers which say nothing any more, if there are others."""
        self._given_up &= self._silence.silent
        if not self._silence.silent or not self.threads or not self._open:
            return []
        processing = within(ANSWER_SECONDS, self._client.processing, list(self._silence.silent))
        keys = {key for its in processing.values() for key in its}
        fresh, self._given_up = self._silence.silent - self._given_up, self._silence.silent
        if fresh:  # others may wait for data that only they have
            self._placed.clear()
        return [
            call
            for call in self._open
            if call.sent is not None
            and (call.sent.key in keys or (fresh and any(isinstance(one, Shared) for one in call.arguments)))
        ]

    def _begin_anew(self) -> None:
        """Connect again, and send everything again.

        :raises ImproviserError: if that is not possible for too long.
        """
        self._close_client()
        self._placed.clear()
        self._client = self._connected(max(1.0, min(10.0, self._where.patience)))
        self._wait_for_workers()
        for call in list(self._open):
            self._send(call)

    def _connected(self, seconds: float | None) -> Client:
        """Return a client; with `seconds` it is tried again as long as patience lasts."""
        while True:
            try:
                return self._where.connect(seconds)
            except (OSError, ValueError) as error:
                why = str(error).partition("\n")[0] or "it does not answer"
                if seconds is None:
                    raise ImproviserError(
                        f"there is no Dask scheduler at {self._where.address} ({why}); start one with: dask scheduler"
                    ) from error
                self._bear("no scheduler")
                time.sleep(0.5)

    def _wait_for_workers(self) -> None:
        """Wait until there is a worker; refuse any that has other software."""
        while not self._closed:
            self._look()
            if self.threads:
                break
            self._bear("no worker")
            time.sleep(0.2)
        try:
            require_same_software(self._client, software(), list(self.threads))
        except (OSError, RuntimeError) as error:
            raise _LostError(str(error)) from error

    def _bear(self, lack: str) -> None:
        """Wait on, or not.

        :raises ImproviserError: if that has been so for too long.
        """
        waited = time.monotonic() - self._well
        if not self._bearing:
            _log.warning(
                "there is %s at %s: waiting for up to %.0f s",
                lack,
                self._where.address,
                max(0.0, self._where.patience - waited),
            )
            self._bearing = True
        if self._closed:
            raise ImproviserError("the cluster was left before it was done")
        if waited > self._where.patience:
            raise ImproviserError(
                f"there is {lack} at {self._where.address} for {self._where.patience:.0f} s (Dask's setting "
                "distributed.scheduler.no-workers-timeout); start it again, and go on with --resume"
            )

    def _close_client(self) -> None:
        with suppress(Exception):  # it is left in any case
            within(5.0, self._client.close, timeout=0.5)
