"""The generation loop: champions, limits, batches, and going on bit for bit."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.ga import Breeding, GeneticAlgorithm
from improviser.core.evolution.mutation import Offset
from improviser.core.evolution.randomness import generator
from improviser.training.generations import CHUNK, Choice, Evolution, Generation, Limits, chunks, in_process, run

POPULATION = 2 * CHUNK + 7


class Hill:
    """A task with a summit at a half; the held-out summit is lower, and its batches shake it."""

    name = "hill"
    genome_size = 6

    def __init__(self, *, shaking: float = 0.0, broken: bool = False) -> None:
        self.shaking = shaking
        self.broken = broken
        self.seen: list[Any] = []
        self.looks = 0

    def first_population(self, rng: np.random.Generator, size: int) -> Float32Array:
        return rng.random((size, self.genome_size), np.float32)

    def batch(self, rng: np.random.Generator) -> float:
        return float(rng.normal() * self.shaking)

    def fitness(self, population: Float32Array, batch: float) -> NDArray[np.float64]:
        self.seen.append((len(population), batch))
        if self.broken:
            return np.full(len(population), np.nan)
        heights = np.asarray(-((population.astype(float) - 0.5 - batch) ** 2).sum(axis=1))
        heights[::9] = np.nan
        return heights

    def held_out(self, genome: Float32Array) -> float:
        self.looks += 1
        return float(-((genome.astype(float) - 0.3) ** 2).sum())


def evolution(task: Hill, seed: int = 1, *, choice: Choice = "fitness", check_every: int = 1) -> Evolution:
    rng = generator(seed)
    strategy = GeneticAlgorithm(task.first_population(rng, POPULATION), Breeding(Offset(0.1)), rng)
    return Evolution(task, strategy, seed=seed, choice=choice, check_every=check_every)


def generations(of: Evolution, limits: Limits) -> list[Generation]:
    seen: list[Generation] = []
    run(of, limits, seen.append)
    return seen


def test_the_champion_is_the_best_of_all_generations() -> None:
    task = Hill()
    of = evolution(task)
    seen = generations(of, Limits(30))
    assert of.champion is not None
    assert of.champion.fitness == max(one.best for one in seen)
    assert seen[of.champion.generation - 1].champion
    assert of.champion.fitness == pytest.approx(-((of.champion.genome.astype(float) - 0.5) ** 2).sum())
    assert of.champion.held_out == task.held_out(of.champion.genome)
    assert [one.generation for one in seen] == list(range(1, 31))
    assert [one.evaluations for one in seen] == [POPULATION * number for number in range(1, 31)]
    assert all(one.best >= one.mean for one in seen)
    assert all(one.seconds > 0 for one in seen)
    assert of.seconds == pytest.approx(sum(one.seconds for one in seen))


def test_held_out_notes_are_looked_at_only_for_a_new_champion() -> None:
    task = Hill()
    seen = generations(evolution(task), Limits(30))
    assert task.looks == sum(one.champion for one in seen)


def test_held_out_notes_may_choose_the_champion() -> None:
    task = Hill(shaking=0.05)
    of = evolution(task, choice="held_out", check_every=5)
    seen = generations(of, Limits(40))
    assert of.champion is not None
    assert task.looks == 1 + 8
    assert of.champion.held_out == max(one.held_out for one in seen)
    assert of.champion.held_out == task.held_out(of.champion.genome)


def test_a_batch_is_shared_by_the_whole_population_and_new_in_each_generation() -> None:
    task = Hill(shaking=1.0)
    generations(evolution(task), Limits(4))
    batches = [{batch for _, batch in task.seen[start : start + 3]} for start in range(0, len(task.seen), 3)]
    assert all(len(batch) == 1 for batch in batches)
    assert len(set.union(*batches)) == 4


def test_the_same_seed_gives_the_same_run_and_another_does_not() -> None:
    champions = []
    for seed in (1, 1, 2):
        of = evolution(Hill(shaking=0.05), seed)
        generations(of, Limits(10))
        assert of.champion is not None
        champions.append(of.champion.genome.tobytes())
    assert champions[0] == champions[1] != champions[2]


@pytest.mark.parametrize("choice", ["fitness", "held_out"])
def test_a_restored_run_goes_on_bit_for_bit(choice: Choice) -> None:
    through, stopped, resumed = (evolution(Hill(shaking=0.05), 3, choice=choice, check_every=3) for _ in range(3))
    whole = generations(through, Limits(12))
    generations(stopped, Limits(5))
    resumed.restore(stopped.state())
    rest = generations(resumed, Limits(12))
    assert [one.best for one in rest] == [one.best for one in whole[5:]]
    assert [one.held_out for one in rest] == [one.held_out for one in whole[5:]]
    assert through.champion is not None
    assert resumed.champion is not None
    assert through.champion.genome.tobytes() == resumed.champion.genome.tobytes()
    assert resumed.evaluations == through.evaluations


def test_a_run_ends_at_the_first_limit() -> None:
    assert len(generations(evolution(Hill()), Limits(generations=4, minutes=10.0))) == 4
    assert len(generations(evolution(Hill()), Limits(generations=10_000, minutes=1e-4))) < 10_000
    of = evolution(Hill(broken=True))
    assert len(generations(of, Limits(patience=7))) == 7
    patient = evolution(Hill())
    seen = generations(patient, Limits(patience=5))
    assert patient.champion is not None
    assert len(seen) == patient.champion.generation + 5


def test_patience_counts_only_looks_at_the_held_out_notes() -> None:
    of = evolution(Hill(shaking=0.05), choice="held_out", check_every=5)
    seen = generations(of, Limits(generations=500, patience=3))
    assert of.champion is not None
    assert of.champion.generation > 1
    assert len(seen) == of.champion.generation + 5  # the first look that brings nothing


@pytest.mark.parametrize("number", [1, 2, 4, 7])
def test_what_the_last_generation_came_to_is_looked_at_in_the_end(number: int) -> None:
    of, whole = (evolution(Hill(shaking=0.05), choice="held_out", check_every=5) for _ in range(2))
    generations(of, Limits(number))
    state = of.state()
    of.conclude()
    assert of.champion is not None
    assert (
        of.champion.held_out
        == max(of.champion.held_out, -10.0)
        == pytest.approx(-((of.champion.genome.astype(float) - 0.3) ** 2).sum())
    )
    assert of.champion.generation in (1, 5, number)
    whole.restore(state)  # what was concluded is not put down: the run goes on as if it had not been
    rest = generations(whole, Limits(12))
    through = generations(evolution(Hill(shaking=0.05), choice="held_out", check_every=5), Limits(12))
    assert [one.held_out for one in rest] == [one.held_out for one in through[number:]]


def test_a_run_ends_when_it_is_told_to() -> None:
    seen: list[Generation] = []
    run(evolution(Hill()), Limits(100), seen.append, stopped=lambda: len(seen) >= 3)
    assert len(seen) == 3


def test_without_any_fitness_there_is_no_champion_and_json_says_null() -> None:
    of = evolution(Hill(broken=True))
    seen = generations(of, Limits(2))
    assert of.champion is None
    assert math.isnan(seen[0].best)
    values = seen[0].values()
    assert (values["best"], values["mean"], values["held_out"]) == (None, None, None)


def test_a_population_is_scored_in_the_same_chunks_whatever_its_size() -> None:
    population = np.arange(POPULATION * 2, dtype=np.float32).reshape(-1, 2)
    parts = chunks(population)
    assert [len(part) for part in parts] == [CHUNK, CHUNK, 7]
    assert (np.concatenate(parts) == population).all()
    task = Hill()
    in_process(task)(task.first_population(np.random.default_rng(1), POPULATION), 0.0)()
    assert [size for size, _ in task.seen] == [CHUNK, CHUNK, 7]
