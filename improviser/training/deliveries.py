"""Large arrays, sent part by part to machines that have them not: once to each, into its own cache.

What is sent to workers names the arrays that it needs (`stored_array`). On this machine, and where the cache folder is
shared, they are simply there.
"""

import io
import pickle
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from improviser.errors import ImproviserError
from improviser.executors import DaemonThreadExecutor
from improviser.training.cluster import Cluster
from improviser.training.mapping import result_of
from improviser.training.stored_array import StoredArray, receive

PART_BYTES = 2**23
MOST_ROUNDS = 5
"""Times that a call may find an array missing: on other machines each time, or where it does not arrive."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The reply of a worker that has not all that it needs.

    :param machine: its name.
    :param address: of the worker, if it is one of a cluster.
    """

    digest: bytes
    machine: str
    address: str | None


def pickled_with_arrays(value: object) -> tuple[bytes, dict[bytes, StoredArray]]:
    """Return a value pickled, and the arrays that it names, by their digests."""
    arrays: dict[bytes, StoredArray] = {}

    class Pickler(pickle.Pickler):
        """Notes down arrays."""

        def reducer_override(self, found: Any) -> Any:
            if isinstance(found, StoredArray):
                arrays[found.digest] = found
            return NotImplemented

    buffer = io.BytesIO()
    Pickler(buffer).dump(value)
    return buffer.getvalue(), arrays


class Deliveries:
    """Sends arrays to where they are missing; from any thread.

    :param arrays: what can be sent, by digest.
    """

    def __init__(self, executor: Executor, arrays: dict[bytes, StoredArray]) -> None:
        self._executor = executor
        self._arrays = arrays
        self._under_way: dict[tuple[str, bytes], Future[None]] = {}
        self._lock = threading.Lock()

    def deliver(self, found: Sequence[Missing], then: Callable[["Future[None]"], None]) -> None:
        """Send an array to the machine that lacks it, if nobody does yet; then call `then`, in another thread.

        :param found: what one call has found missing up to now.
        :raises ImproviserError: if that was too often.
        """
        missing = found[-1]
        if len(found) > MOST_ROUNDS:
            raise ImproviserError(f"notes to learn from do not arrive on {missing.machine}; make room on its disk")
        key = missing.machine, missing.digest
        with self._lock:
            delivery = self._under_way.get(key)
            if delivery is None or delivery.done():
                delivery = self._under_way[key] = DaemonThreadExecutor().submit(self._deliver, missing)
        delivery.add_done_callback(then)

    def _deliver(self, missing: Missing) -> None:
        array = self._arrays[missing.digest]
        size = array.size_of_file
        for start in range(0, size, PART_BYTES):
            part = array.bytes_of_file(start, min(PART_BYTES, size - start))
            result_of(self._sent(missing.address, array.digest, size, start, part))

    def _sent(self, address: str | None, *part: Any) -> "Future[bool]":
        if isinstance(self._executor, Cluster) and address is not None:
            return self._executor.submit_to(address, receive, *part)
        return self._executor.submit(receive, *part)
