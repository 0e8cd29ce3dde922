"""The generation loop: a task scores what a strategy breeds, and the champion is kept."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.randomness import generator
from improviser.core.evolution.strategy import Strategy, Task

CHUNK = 50
"""How many genomes are scored at a time. It does not depend on the number of workers, so neither does the result."""

Choice = Literal["fitness", "held_out"]
"""What makes a champion: its own fitness (where every generation is scored on the same notes), or notes not seen."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What happened in one generation.

    :param generation: its number, from 1.
    :param best: the best fitness in it; NaN if none could be scored.
    :param mean: the mean of all that could be scored.
    :param held_out: the fitness, on notes training never sees, of the champion or the candidate for it; or NaN.
    :param evaluations: how many networks have been scored up to now.
    :param seconds: the wall time of this generation alone; where several members are bred at a time, its part of it.
    :param champion: whether it brought a new champion.
    """

    generation: int
    best: float
    mean: float
    held_out: float
    evaluations: int
    seconds: float
    champion: bool

    def values(self) -> dict[str, float | int | bool | None]:
        """Return it as JSON values: null where a number is missing."""
        return {
            "generation": self.generation,
            "best": _number(self.best),
            "mean": _number(self.mean),
            "held_out": _number(self.held_out),
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "champion": self.champion,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """The best genome so far, its scores and the generation it comes from."""

    genome: Float32Array
    fitness: float
    held_out: float
    generation: int


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: after so many generations, minutes of training, or generations without a new champion."""

    generations: int | None = None
    minutes: float | None = None
    patience: int | None = None

    def reached(self, evolution: "Evolution") -> bool:
        """Whether `evolution` has come to one of them."""
        champion = evolution.champion.generation if evolution.champion else 0
        return (
            (self.generations is not None and evolution.generation >= self.generations)
            or (self.minutes is not None and evolution.seconds >= 60 * self.minutes)
            or (self.patience is not None and evolution.looked - champion >= self.patience)
        )


Scored = Callable[[], NDArray[np.float64]]
"""Waits until a population is scored, and returns the fitness of each genome."""

Score = Callable[[Float32Array, Any], Scored]
"""Begins to score a population on a batch: in this process (where that waits to be asked for), or in others."""


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A generation that is being scored."""

    population: Float32Array
    scored: Scored
    started: float
    beside: int


class Evolution:
    """One run, a generation at a time; its `state` is all it takes to go on bit for bit.

    :param task: scores genomes.
    :param strategy: breeds them.
    :param seed: decides each generation's batch; the strategy has randomness of its own.
    :param choice: what makes a champion.
    :param check_every: generations between looks at the held-out notes, where these choose the champion.
    :param score: scores a population in chunks; by default in this process.
    :param accept: whether a genome may be champion at all, where held-out notes choose it.
    """

    def __init__(
        self,
        task: Task,
        strategy: Strategy,
        *,
        seed: int,
        choice: Choice = "fitness",
        check_every: int = 1,
        score: Score | None = None,
        accept: Callable[[Float32Array], bool] = lambda _: True,
    ) -> None:
        self.generation = 0
        self.evaluations = 0
        self.seconds = 0.0
        self.champion: Champion | None = None
        self.looked = 0
        """The last generation in which there could have been a new champion."""
        self.population: Float32Array | None = None
        """The networks of the last generation."""
        self._task = task
        self._strategy = strategy
        self._seed = seed
        self._choice = choice
        self._check_every = check_every
        self._score = score or in_process(task)
        self._accept = accept
        self._held_out = self._best = math.nan
        self._begun: _Begun | None = None

    def step(self) -> Generation:
        """Breed and score one generation."""
        self.begin()
        return self.finish()

    @property
    def begun(self) -> bool:
        """Whether there is a generation to finish."""
        return self._begun is not None

    def begin(self, beside: int = 1) -> None:
        """Breed a generation and begin to score it; `finish` it before anything else is asked of this run.

        :param beside: how many runs are at work at a time, this one included: each takes its part of the wall time.
        """
        started = time.perf_counter()
        batch = self._task.batch(generator(self._seed, self.generation + 1))
        population = self.population = self._strategy.ask()
        self._begun = _Begun(population, self._score(population, batch), started, beside)

    def finish(self) -> Generation:
        """Score the generation that was begun, and learn from it.

        :raises RuntimeError: if none was.
        """
        if self._begun is None:
            raise RuntimeError("there is no generation to finish")
        begun, self._begun = self._begun, None
        number, population = self.generation + 1, begun.population
        fitness = begun.scored()
        scored = fitness[~np.isnan(fitness)]
        best = float(scored.max()) if len(scored) else math.nan
        fittest = population[int(np.nanargmax(fitness))].copy() if len(scored) else None
        self._strategy.tell(fitness)
        self._best = best
        looks = self._choice == "fitness" or self.champion is None or number % self._check_every == 0
        crowned = looks and fittest is not None and self._judge(fittest, best, number)
        self.looked = number if looks else self.looked
        self.generation = number
        self.evaluations += len(population)
        seconds = (time.perf_counter() - begun.started) / begun.beside
        self.seconds += seconds
        mean = float(scored.mean()) if len(scored) else math.nan
        return Generation(number, best, mean, self._held_out, self.evaluations, seconds, crowned)

    def _judge(self, fittest: Float32Array, fitness: float, number: int) -> bool:
        """Compare with the champion; return whether there is a new one."""
        if self._choice == "fitness":
            if self.champion is not None and not fitness > self.champion.fitness:
                return False
            self._held_out = self._task.held_out(fittest)
            self.champion = Champion(fittest, fitness, self._held_out, number)
            return True
        return self._look(fitness, number)

    def conclude(self) -> None:
        """Look at what the last generation has come to, if that was not its turn: no other follows."""
        if self.looked < self.generation:
            self._look(self._best, self.generation)
            self.looked = self.generation

    def _look(self, fitness: float, number: int) -> bool:
        """Compare the strategy's candidate with the champion, on the held-out notes."""
        candidate = self._strategy.champion.copy()
        self._held_out = self._task.held_out(candidate)
        if self.champion is not None and not self._held_out > _worst_if_nan(self.champion.held_out):
            return False
        if not self._accept(candidate):
            return False
        self.champion = Champion(candidate, fitness, self._held_out, number)
        return True

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit: arrays and JSON values."""
        champion = self.champion
        return {
            "generation": self.generation,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "best": _number(self._best),
            "looked": self.looked,
            "held_out": _number(self._held_out),
            "champion": champion
            and {
                "genome": champion.genome,
                "fitness": champion.fitness,
                "held_out": _number(champion.held_out),
                "generation": champion.generation,
            },
            "strategy": self._strategy.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.generation = state["generation"]
        self.evaluations = state["evaluations"]
        self.seconds = state["seconds"]
        self._best, self.looked = _from_number(state["best"]), state["looked"]
        self._held_out = _from_number(state["held_out"])
        champion = state["champion"]
        self.champion = champion and Champion(
            champion["genome"], champion["fitness"], _from_number(champion["held_out"]), champion["generation"]
        )
        self._strategy.restore(state["strategy"])


def run(
    evolution: Evolution,
    limits: Limits,
    report: Callable[[Generation], None],
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Breed generations until a limit is reached or `stopped()`; `report` each."""
    while not (limits.reached(evolution) or stopped()):
        report(evolution.step())


def in_process(task: Task) -> Score:
    """Return what scores a population here."""
    return lambda population, batch: lambda: fitness_of(task, population, batch)


def fitness_of(task: Task, population: Float32Array, batch: Any) -> NDArray[np.float64]:
    """Return the fitness of each genome, scored `CHUNK` genomes at a time."""
    return np.concatenate([task.fitness(chunk, batch) for chunk in chunks(population)])


def chunks(population: Float32Array) -> list[Float32Array]:
    """Cut a population into the parts that are scored together."""
    return [population[start : start + CHUNK] for start in range(0, len(population), CHUNK)]


def _worst_if_nan(fitness: float) -> float:
    return -math.inf if math.isnan(fitness) else fitness


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _from_number(value: float | None) -> float:
    return math.nan if value is None else value
