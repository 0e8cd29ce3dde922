"""Where long work is done: in this process, in some of this machine, or on a Dask cluster; the result is the same.

One description for all commands that have `--workers` and `--cluster`.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

from improviser.errors import ConfigError
from improviser.threads import use_one_thread
from improviser.training.cluster import Cluster, open_cluster
from improviser.training.cluster_client import LOCAL, checked_address
from improviser.training.process_executor import ProcessExecutor

MOST_WORKERS = 64


@dataclass(frozen=True, slots=True)
class WhereToWork:
    """What was asked for.

    :param workers: processes of this machine; None or 1: this one, or with a cluster of this machine one for each core.
    :param cluster: a scheduler's address, or `LOCAL`.
    :raises ConfigError: if that cannot be; names the option.
    """

    workers: int | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise ConfigError(f"--workers is {self.workers}; give 1–{MOST_WORKERS}")
        if self.cluster is not None and checked_address(self.cluster) != LOCAL and self.workers is not None:
            raise ConfigError("--workers has no meaning for a cluster that is there already; leave it out")

    @contextmanager
    def open(self) -> Iterator[Executor | None]:
        """Give the executor for as long as the block lasts; None: this process.

        :raises ImproviserError: if there is none, or the system will not start so many processes.
        """
        if self.cluster is not None:
            with open_cluster(self.cluster, self.workers) as cluster:
                yield cluster
        elif self.workers is None or self.workers == 1:
            yield None
        else:
            use_one_thread()
            with ProcessExecutor(self.workers) as executor:
                yield executor


def described(executor: Executor | None) -> str:
    """Return what there is to say of it before work begins; nothing of this process."""
    if executor is None:
        return ""
    if not isinstance(executor, Cluster):
        return f"{getattr(executor, '_max_workers', 'some')} workers"
    threads = executor.threads.values()
    dashboard = f"; watch it at {executor.dashboard}" if executor.dashboard else ""
    return f"on the cluster: {len(threads)} workers, {sum(threads)} calls at a time{dashboard}"
