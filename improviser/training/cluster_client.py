"""The way to a Dask cluster: the one at an address, or one of this machine's own; its settings are those of Dask.

`dask.config` is heeded: time limits, certificates (`distributed.comm.tls`), failures that are allowed, and the rest.
"""

import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from improviser.errors import ConfigError, ImproviserError
from improviser.executors import DaemonThreadExecutor
from improviser.extras import how_to_add
from improviser.training.process_executor import signals_blocked
from improviser.training.software import difference, software
from improviser.version import __version__

T = TypeVar("T")
Client = Any
"""Dask's, which has no types that mypy could check."""

LOCAL = "local"
"""The address that stands for a cluster of this machine's own processes."""
ADDRESS = re.compile(r"[a-z][a-z+]*://\S+:\d+/?")
PATIENCE = 300.0
"""Seconds without a scheduler, or without any worker, after which a run gives up, where Dask's settings say nothing."""
ANSWER_SECONDS = 30.0
"""How long a scheduler may take to answer a question, or to hand over a result."""
MOST_NAMED = 3
"""Workers that are named in one line."""


def checked_address(address: str) -> str:
    """Return where a cluster is, as `--cluster` says.

    :raises ConfigError: if that can be no address, or there is no Dask here.
    """
    if address != LOCAL and not ADDRESS.fullmatch(address):
        raise ConfigError(f"--cluster is {address}; give {LOCAL}, or a scheduler's address such as tcp://10.0.0.1:8786")
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"--cluster needs Dask, which is missing here ({error}): {how_to_add('cluster')}") from error
    return address


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """Where a cluster is, and how long to wait for what it lacks.

    :param address: of its scheduler.
    :param patience: seconds.
    :param security: what Dask needs to get in, if that is not what its settings say.
    """

    address: str
    patience: float
    security: Any = None

    def connect(self, seconds: float | None = None) -> Client:
        """Return a client.

        :param seconds: how long to try; None: as Dask's settings say.
        :raises OSError: if nobody answers, or it is no scheduler.
        """
        import dask
        from dask.utils import parse_timedelta
        from distributed import Client

        timeout = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect")) if seconds is None else seconds
        connecting = DaemonThreadExecutor().submit(
            Client, self.address, set_as_default=False, security=self.security, timeout=timeout
        )
        try:
            return connecting.result(timeout + 1)
        except TimeoutError:
            connecting.add_done_callback(_leave)
            raise


def within(seconds: float, call: Callable[..., T], *args: Any, **options: Any) -> T:
    """Return what a call of Dask's returns, which may hang where a scheduler is there, but does not answer.

    :raises TimeoutError: if it takes longer.
    """
    result: T = DaemonThreadExecutor().submit(call, *args, **options).result(seconds)
    return result


def _leave(connecting: "Future[Client]") -> None:
    """Leave a scheduler that has answered too late."""
    with suppress(Exception):
        connecting.result().close(timeout=1)


def own_address() -> str | None:
    """Return where this process is a cluster's worker, in one of its calls; None elsewhere."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    with suppress(ValueError):
        return str(distributed.get_worker().address)
    return None


@contextmanager
def cluster_address(address: str, workers: int | None) -> Iterator[ClusterAddress]:
    """Give the way to a cluster; one of this machine's own lasts as long as the block.

    :param address: of a scheduler, or `LOCAL`.
    :param workers: how many processes a cluster of this machine's own has; None: one for each core.
    :raises ImproviserError: if a cluster of this machine's own cannot be started.
    """
    import dask
    from distributed import LocalCluster

    if not dask.config.get("logging", None) and not dask.config.get("distributed.logging", None):
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it is told in our own words
    patience = _patience()
    if address != LOCAL:
        yield ClusterAddress(address, patience)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that another dashboard has the usual port, and this one another
        try:
            with signals_blocked():
                own: Any = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:8787",
                    silence_logs=logging.CRITICAL,
                )
        except Exception as error:
            raise ImproviserError(f"cannot start a cluster here: {error}; give fewer --workers") from error
    try:
        yield ClusterAddress(own.scheduler_address, patience)
    finally:
        with suppress(Exception):  # what was to be done is done
            own.close(timeout=10)


def cluster_behind(executor: Executor) -> ClusterAddress | None:
    """Return the way to the cluster of which this is a client's executor (`Client.get_executor`), if it is one."""
    if type(executor).__module__ != "distributed.cfexecutor":
        return None
    client = getattr(executor, "_client")  # noqa: B009  there is nothing public
    return ClusterAddress(client.scheduler.address, _patience(), client.security)


def _patience() -> float:
    import dask
    from dask.utils import parse_timedelta

    setting = dask.config.get("distributed.scheduler.no-workers-timeout", None)
    return PATIENCE if setting is None else float(parse_timedelta(setting))


def require_same_software(client: Client, wanted: Mapping[str, str], workers: Sequence[str] | None = None) -> None:
    """Refuse a cluster whose workers would come to other results.

    :param workers: the addresses of those that are asked; None: all.
    :param wanted: what they need, see `software`.
    :raises ImproviserError: if one of them has other software than this process, or not all that is needed.
    :raises OSError: if nobody answers.
    """
    answers: dict[str, object] = within(ANSWER_SECONDS, client.run, software, on_error="return", workers=workers)
    present = {name: answer for name, answer in answers.items() if not isinstance(answer, OSError)}  # others are gone
    wrong = [f"{name} has {what}" for name, answer in sorted(present.items()) if (what := _lacks(answer, wanted))]
    if wrong:
        more = f" (and {len(wrong) - MOST_NAMED} more workers)" if len(wrong) > MOST_NAMED else ""
        raise ImproviserError(
            f"the cluster's workers would not come to the same result: {'; '.join(wrong[:MOST_NAMED])}{more}; "
            "install the same versions there as here"
        )


def _lacks(answer: object, wanted: Mapping[str, str]) -> str:
    if isinstance(answer, BaseException):
        return f"no improviser {__version__} that works ({type(answer).__name__}: {answer})"
    return difference(answer, wanted) if isinstance(answer, dict) else ""
