"""The farm: two workers against one, what a cluster costs with one worker, and what a thousand would give.

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus --extra cluster python -m tests.benchmarks.farm speed
    OPENBLAS_NUM_THREADS=1 uv run --extra corpus --extra cluster python -m tests.benchmarks.farm scaling

`speed` breeds the same choir by turns in one process, in two, on a Dask cluster of one and of two; all are warm.
The model of `scaling`: a worker breeds a member for a stretch of generations, `stretch` seconds (drawn from those that
were measured), and hands it over. Messages take `way` seconds there and back. Whoever hands out the work (client and
scheduler) does one thing after another: each call takes `serial` seconds of it. So long as a member is handed over its
worker waits, and so it does when all come to rest to be put down, every `--checkpoint` generations of each on the
average, until the last has come. Work is measured in seconds of the processor, so that it does not matter what else the
machine does: `stretch` in one process; `serial` in the one that client and scheduler share here, over a thousand calls
that sleep at a time and carry a real member's state. `way` is the fastest tenth of round trips on this machine.
"""

import argparse
import heapq
import itertools
import os
import pickle
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from improviser.training.choir import stretch_for
from improviser.training.cluster import Cluster, open_cluster
from improviser.training.cluster_client import ClusterAddress
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.process_executor import ProcessExecutor
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.trainer import Checkpoints, Run, train
from improviser.training.workers import Workers, working_on
from tests.benchmarks.generation import kernel

SEED = 1
STRETCHES = 20
"""Of which the seconds are measured."""
SLEEPERS = 1000
SLEEP_SECONDS = 2.0
CHECKPOINT = 50


def recipe(members: int, generations: int) -> Recipe:
    """Return workload R: the melody choir on the chorales."""
    return prepare(Options(("bach-chorales",), task="melody", choir=members, generations=generations, seed=SEED))


def bred(of: Recipe, executor: Executor | None) -> tuple[float, Run]:
    """Breed a choir; return the seconds that took, and what came of it."""
    kept = Checkpoints(Path(), every=0)
    with ExitStack() as stack:
        workers = (
            Workers() if executor is None else stack.enter_context(working_on(executor, EvolutionPlan.of(of, SEED)))
        )
        started = time.perf_counter()
        done = train(of, seed=SEED, workers=workers, checkpoints=kept, report=lambda *_: None)
        return time.perf_counter() - started, done


def processor_seconds() -> float:
    """Return the processor's time that this process and those below it have taken."""
    import psutil

    me = psutil.Process()
    taken = 0.0
    for process in [me, *me.children(recursive=True)]:
        with suppress(psutil.Error):
            times = process.cpu_times()
            taken += times.user + times.system
    return taken


def speed(rounds: int, generations: int) -> None:
    """Print the seconds of each way, and how they compare."""
    warm, of = recipe(2, 5), recipe(2, generations)
    with (
        ProcessExecutor(2) as two,
        open_cluster("local", 1) as cluster_of_one,
        open_cluster("local", 2) as cluster_of_two,
    ):
        ways: dict[str, Executor | None] = {
            "one process": None,
            "two processes": two,
            "cluster of one": cluster_of_one,
            "cluster of two": cluster_of_two,
        }
        for executor in ways.values():
            bred(warm, executor)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        processor: dict[str, list[float]] = {name: [] for name in ways}
        models = set()
        for number in range(rounds):
            for name in sorted(ways, key=lambda way: (list(ways).index(way) + number) % len(ways)):
                before = processor_seconds()
                took, done = bred(of, ways[name])
                seconds[name].append(took)
                processor[name].append(processor_seconds() - before)
                models.add(b"".join(champion.genome.tobytes() for champion in done.champions))
    print(f"{rounds} rounds of {generations} generations of two members, by turns")
    print(f"models: {'all the same' if len(models) == 1 else f'{len(models)} DIFFERENT ONES'}")
    print(f"{'':<16} {'fastest':>8} {'median':>8} {'of the processor (median)':>26}")
    for name, its in seconds.items():
        middle, of_processor = statistics.median(its), statistics.median(processor[name])
        print(f"{name:<16} {min(its):>6.2f} s {middle:>6.2f} s {of_processor:>24.2f} s")
    for slower, faster in (
        ("one process", "two processes"),
        ("cluster of one", "cluster of two"),
        ("cluster of one", "one process"),
    ):
        ratio = min(seconds[slower]) / min(seconds[faster])
        paired = statistics.median(a / b for a, b in zip(seconds[slower], seconds[faster], strict=True))
        of_processor = statistics.median(processor[slower]) / statistics.median(processor[faster])
        print(f"{slower} / {faster}: fastest {ratio:.3f}, pairs {paired:.3f} (median), processor {of_processor:.3f}")


@dataclass(frozen=True)
class Costs:
    """What was measured.

    :param stretches: seconds of a stretch in a worker, each.
    :param generations: of a stretch.
    :param way: seconds that a call takes, beside the work itself, when nothing else is to be done.
    :param serial: seconds of client and scheduler for each call of many.
    """

    stretches: Sequence[float]
    generations: int
    way: float
    serial: float


def sleep(state: object, seconds: float, networks: tuple[int, int]) -> object:
    """Wait; return what a worker would: a state as large, and as many networks."""
    time.sleep(seconds)
    return state, np.zeros(networks, np.float32)


@contextmanager
def cluster_of_sleepers() -> Iterator[Cluster]:
    """Give a cluster that can do a thousand calls at a time that do nothing."""
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set({"distributed.worker.profile.enabled": False}),
        LocalCluster(n_workers=2, threads_per_worker=SLEEPERS // 2, dashboard_address=None) as local,
        Cluster(ClusterAddress(local.scheduler_address, 60.0)) as cluster,
    ):
        while sum(cluster.threads.values()) < SLEEPERS:
            cluster._look()
        yield cluster


def measured() -> Costs:
    """Measure, and print what was measured."""
    plan = EvolutionPlan.of(recipe(2, 10**6), SEED)
    state: Any = None
    stretches = []
    for _ in range(STRETCHES):
        before = time.process_time()
        advanced = plan.advance(0, state, 10, 1)
        stretches.append(time.process_time() - before)
        state = advanced.state
    call, result = pickle.dumps((0, state, 10, 1)), pickle.dumps(advanced)
    seen = advanced.population
    networks = (0, 0) if seen is None else (len(seen), seen.shape[1])
    with cluster_of_sleepers() as cluster:
        trips = sorted(_seconds(lambda: cluster.submit(sleep, state, 0.0, networks).result()) for _ in range(200))
        _sleepers(cluster, state, networks)
        serial = statistics.median(_sleepers(cluster, state, networks) / SLEEPERS for _ in range(2))
    costs = Costs(stretches, 10, trips[len(trips) // 10], serial)
    print(f"what all workers know: {len(pickle.dumps(plan)):,} bytes, once each")
    print(f"a call: {len(call):,} bytes there, {len(result):,} back; {costs.way * 1e3:.1f} ms on the way")
    print(
        f"a stretch of {costs.generations} generations: {statistics.mean(stretches):.3f} s "
        f"± {statistics.stdev(stretches):.3f} of the processor"
    )
    print(f"client and scheduler, each of {SLEEPERS:,} calls at a time: {serial * 1e3:.2f} ms of the processor")
    return costs


def _sleepers(cluster: Cluster, state: Any, networks: tuple[int, int]) -> float:
    """Return the seconds of the processor that client and scheduler take for a thousand calls at a time."""
    before = time.process_time()
    for future in [cluster.submit(sleep, state, SLEEP_SECONDS, networks) for _ in range(SLEEPERS)]:
        future.result()
    return time.process_time() - before


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def simulated(costs: Costs, workers: int, checkpoint: int, generations: int = 3000) -> tuple[float, int]:
    """Return the share of time that so many workers, with a member each, spend at work; and the length of a stretch."""
    rng = np.random.default_rng(workers)
    pace = statistics.mean(costs.stretches) / costs.generations
    stretch = min(stretch_for(workers, pace), checkpoint)
    rests = generations // checkpoint
    now, worked = 0.0, 0.0
    for _ in range(rests):
        room = checkpoint * workers
        free = now  # when client and scheduler have time again
        done = [(now, worker) for worker in range(workers)]
        heapq.heapify(done)
        last = now
        while done:
            asked, worker = heapq.heappop(done)
            free = max(free, asked) + costs.serial
            last = max(last, free)
            if room <= 0:
                continue
            share = min(stretch_for(workers, pace, room), room)
            room -= share
            seconds = (
                sum(rng.choice(costs.stretches, -(-share // costs.generations)))
                * share
                / (costs.generations * -(-share // costs.generations))
            )
            worked += seconds
            heapq.heappush(done, (free + costs.way + seconds, worker))
        now = last
    return worked / (workers * now), stretch


def scaling() -> None:
    """Print what is measured, and the table."""
    costs = measured()
    print(f"{'workers':>8} {'checkpoint':>10} {'stretch':>8} {'efficiency':>10} {'as fast as':>10}")
    for workers, checkpoint in itertools.product((1, 2, 10, 100, 1000), (CHECKPOINT, 10 * CHECKPOINT)):
        efficiency, stretch = simulated(costs, workers, checkpoint)
        print(f"{workers:>8} {checkpoint:>10} {stretch:>8} {efficiency:>10.1%} {efficiency * workers:>10.1f}")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("what", choices=("speed", "scaling"))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--generations", type=int, default=60)
    options = parser.parse_args()
    print(kernel())
    if options.what == "speed":
        speed(options.rounds, options.generations)
    else:
        scaling()


if __name__ == "__main__":
    main()
