"""Dask clusters: the model is that of one process, whatever dies on the way, and nothing waits for ever."""

import dataclasses
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import improviser.training.cluster
from improviser.errors import ConfigError, ImproviserError
from improviser.training import choir, workers
from improviser.training.cluster import Cluster, open_cluster
from improviser.training.cluster_client import ClusterAddress, checked_address, require_same_software
from improviser.training.crew import Crew, Worker
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.generations import Generation
from improviser.training.recipe import Options, Recipe
from improviser.training.software import difference, software
from improviser.training.trainer import Checkpoints, Run, train
from improviser.training.workers import Workers, working_on
from tests.training.dask_servers import DaskScheduler, DaskWorker, requires_dask
from tests.training.toy_task import prepare

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that Dask leaves to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
GENERATIONS = 60


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let much be left to do when something dies, though a generation takes no time here."""
    monkeypatch.setattr(choir, "STRETCH_SECONDS", 0.0)


def drones(members: int = 3, generations: int = GENERATIONS) -> Recipe:
    return dataclasses.replace(
        prepare(Options(("none",), generations=generations), lambda _step, _done: None), members=members
    )


def breed(
    of: Recipe,
    executor: Executor | None,
    kept: Checkpoints,
    report: Callable[[int, Generation], None] = lambda *_: None,
) -> Run:
    if executor is None:
        return train(of, seed=5, workers=Workers(), checkpoints=kept, report=report)
    with working_on(executor, EvolutionPlan.of(of, 5)) as where:
        return train(of, seed=5, workers=where, checkpoints=kept, report=report)


def genomes(run: Run) -> list[bytes]:
    assert run.complete
    return [champion.genome.tobytes() for champion in run.champions]


def at_generation(count: int, act: Callable[[], object]) -> Callable[[int, Generation], None]:
    """Return a report that does something when it has heard of so many generations."""
    heard: list[int] = []

    def report(member: int, _: Generation) -> None:
        heard.append(member)
        if len(heard) == count:
            act()

    return report


@dataclasses.dataclass
class Servers:
    """A scheduler and two workers, for all tests here."""

    scheduler: DaskScheduler
    one: DaskWorker
    two: DaskWorker

    def start(self) -> None:
        """Start those that were killed."""
        for server in (self.scheduler, self.one, self.two):
            if not server.is_running():
                server.start()

    def kill(self) -> None:
        for server in (self.one, self.two, self.scheduler):
            server.kill()

    @contextmanager
    def cluster(self) -> Iterator[Cluster]:
        """Give the cluster when both workers are there."""
        self.start()
        with Cluster(ClusterAddress(self.scheduler.address, 60)) as cluster:
            while len(cluster.threads) < 2:
                cluster._look()
            yield cluster


@pytest.fixture(scope="module")
def dask_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("dask")
    scheduler = DaskScheduler(folder)
    servers = Servers(scheduler, DaskWorker(folder, scheduler, "one"), DaskWorker(folder, scheduler, "two"))
    yield servers
    servers.kill()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """What is bred in one process."""
    return genomes(breed(drones(), None, Checkpoints(tmp_path_factory.mktemp("alone"), 0)))


@pytest.mark.unix
def test_where_no_worker_comes_it_gives_up(dask_servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    scheduler = dask_servers.scheduler
    if not scheduler.is_running():
        scheduler.start()
    with pytest.raises(ImproviserError, match=r"no worker at tcp://.* for 0 s .*--resume"):
        Cluster(ClusterAddress(scheduler.address, 0.2))
    assert "waiting for up to" in caplog.text


@pytest.mark.unix
def test_what_is_killed_is_done_again_and_the_model_is_that_of_one_process(
    tmp_path: Path, dask_servers: Servers, alone: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that is interrupted, a worker that is killed, and a scheduler that is killed with all that it knew."""
    kept = tmp_path / "kept"

    def interrupt() -> None:
        raise KeyboardInterrupt

    def restart() -> None:
        dask_servers.kill()
        dask_servers.scheduler.start()
        dask_servers.one.start()

    with dask_servers.cluster() as cluster, pytest.raises(KeyboardInterrupt):
        breed(drones(), cluster, Checkpoints(kept, 10), at_generation(50, interrupt))
    with dask_servers.cluster() as cluster:
        after_worker = breed(
            drones(), cluster, Checkpoints(kept, 10, resume=True), at_generation(40, dask_servers.two.kill)
        )
        assert genomes(after_worker) == alone
        after_scheduler = breed(drones(), cluster, Checkpoints(tmp_path / "anew", 0), at_generation(60, restart))
        assert genomes(after_scheduler) == alone
        assert len(after_scheduler.records) == len(after_worker.records) == 3 * GENERATIONS
        # One that is there, but says nothing any more: its machine takes connections for it.
        monkeypatch.setattr(improviser.training.cluster, "ANSWER_SECONDS", 0.5)
        cluster._where = dataclasses.replace(cluster._where, patience=0.2)
        for _ in range(2):  # the second begins when it is known to be lost
            with pytest.raises(ImproviserError, match=r"no scheduler at .*"):
                breed(drones(), cluster, Checkpoints(tmp_path, 0), at_generation(30, dask_servers.scheduler.freeze))
    with pytest.raises(ImproviserError, match=r"no Dask scheduler at tcp://.*\(it does not answer\).*dask scheduler"):
        ClusterThatIsImpatient(ClusterAddress(dask_servers.scheduler.address, 60))


@pytest.mark.unix
def test_a_worker_that_freezes_is_not_waited_for(
    tmp_path: Path,
    dask_servers: Servers,
    alone: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(improviser.training.cluster, "SILENT_SECONDS", 4.0)
    monkeypatch.setattr(improviser.training.cluster_client, "ANSWER_SECONDS", 10.0)
    dask_servers.kill()
    kept = Checkpoints(tmp_path, 0)
    try:
        with dask_servers.cluster() as cluster:
            assert genomes(breed(drones(), cluster, kept, at_generation(40, dask_servers.two.freeze))) == alone
            assert "a worker says nothing any more" in caplog.text
    finally:
        dask_servers.kill()


class ClusterThatIsImpatient(Cluster):
    """One that tries once, and not for as long as Dask does."""

    def _connected(self, seconds: float | None) -> object:
        with pytest.MonkeyPatch.context() as patch:
            connect = ClusterAddress.connect
            patch.setattr(ClusterAddress, "connect", lambda where, _: connect(where, 0.3))
            return super()._connected(seconds)


@pytest.mark.unix
def test_a_cluster_of_this_machine_breeds_the_same_though_a_worker_dies(tmp_path: Path, alone: list[bytes]) -> None:
    requires_dask()
    with open_cluster("local", 2) as cluster:
        process, _ = cluster._client.run(os.getpid).values()
        assert (
            genomes(
                breed(
                    drones(),
                    cluster,
                    Checkpoints(tmp_path / "kept", 0),
                    at_generation(50, lambda: os.kill(process, signal.SIGKILL)),
                )
            )
            == alone
        )
        one = drones(1, 8)  # its populations are scored there
        expected = genomes(breed(one, None, Checkpoints(tmp_path / "kept", 0)))
        assert genomes(breed(one, cluster, Checkpoints(tmp_path / "kept", 0))) == expected
        assert genomes(breed(one, cluster._client.get_executor(), Checkpoints(tmp_path / "kept", 0))) == expected
        with pytest.raises(ImproviserError, match=r"has numpy .* instead of 1\.0; install the same versions"):
            require_same_software(cluster._client, {**software(), "numpy": "1.0"})
        with pytest.raises(ZeroDivisionError):
            cluster.submit(divmod, 1, 0).result()


def test_other_software_is_refused_by_the_worker_that_joined_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "software", lambda: {**software(), "Numba": "0.1"})
    with ThreadPoolExecutor(1) as executor, working_on(executor, EvolutionPlan.of(drones(), 5)) as where:
        monkeypatch.undo()
        assert where.elsewhere is not None
        with pytest.raises(
            ImproviserError, match=r"would not come to the same result: it has Numba .* instead of 0\.1"
        ):
            where.elsewhere(0, None, 1, 1).result()


def test_another_rounding_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    calls = workers.Calls(ThreadPoolExecutor(1), drones().task, Crew())
    monkeypatch.setattr(workers, "Cluster", ThreadPoolExecutor)
    with caplog.at_level(logging.WARNING):
        calls._meet(workers._Done(Worker("afar", 1, "k"), None, 0.1, workers._rounding(drones().task)))
        assert not caplog.records
        calls._meet(workers._Done(Worker("afar", 1, "k"), None, 0.1, b"other"))
    assert "the worker on afar rounds otherwise" in caplog.text


def test_what_is_damaged_on_the_way_is_not_taken() -> None:
    about = workers._About(b"digest", software())
    with pytest.raises(ImproviserError, match="damaged"):
        workers._unpickled(about, b"other bytes")


def test_software_is_compared_by_name() -> None:
    assert difference(software(), software()) == ""
    assert difference({"numpy": "2.3"}, {"numpy": "2.4", "Numba": "1"}) == (
        "numpy 2.3 instead of 2.4, Numba none instead of 1"
    )


@pytest.mark.parametrize("address", ["", "10.0.0.1", "tcp://", "tcp://host", "host:8786", "Local"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="--cluster is"):
        checked_address(address)


def test_without_dask_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"the extra cluster"):
        checked_address("tcp://10.0.0.1:8786")
