"""A Dask scheduler and workers, each a process started by hand as the documentation says."""

import contextlib
import importlib.util
import socket
import sys
from pathlib import Path

from tests.servers import Server, free_port, missing

ROOT = Path(__file__).parents[2]


def requires_dask() -> None:
    """Without Dask, skip the test (or fail it: see `missing`)."""
    if importlib.util.find_spec("distributed") is None:
        missing("Dask (the extra cluster) is not installed")


class DaskScheduler(Server):
    """A scheduler on a loopback port of its own."""

    def __init__(self, folder: Path) -> None:
        requires_dask()
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--no-show"]
        super().__init__(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", *options], folder / f"scheduler-{self.port}.log"
        )

    def is_usable(self) -> bool:
        """Whether it takes a connection."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class DaskWorker(Server):
    """A worker of one thread that nobody starts again when it dies; it waits for its scheduler by itself."""

    def __init__(self, folder: Path, scheduler: DaskScheduler, name: str) -> None:
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name]
        options += ["--local-directory", str(folder), "--death-timeout", "60"]
        super().__init__(
            [sys.executable, "-m", "distributed.cli.dask_worker", scheduler.address, *options],
            folder / f"worker-{name}.log",
            {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def is_usable(self) -> bool:
        """Whether it runs: it need not be waited for."""
        return True
