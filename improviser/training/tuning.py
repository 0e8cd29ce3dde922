"""A search for the best recipe by successive halving: many are tried for a little, the better of them for longer.

Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016;
rounds of it one after the other, as in Li et al., "Hyperband", JMLR 18 (2018). From the second round on half of the
candidates are children of the best one so far, with one thing changed; the others are drawn by lot like the first.
The same seed tries the same recipes in the same order, whoever tries them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from improviser.core.evolution.cma import STEP_SIZE
from improviser.core.evolution.randomness import generator
from improviser.training.choir_recipe import HIDDEN, POPULATION

FIRST, KEPT = 9, 3
"""So many recipes begin a round, and one in so many goes on to the next rung."""
RUNGS = 3
GENERATIONS = 100
"""Of the recipe that is the default, on the first rung; on each that follows it has come to `KEPT` times as many."""
UNITS = (6, 8, 12, 16, 24, 32, 48)
POPULATIONS = (50, 100, 200, 400)
STEP_SIZES = (0.05, 0.08, 0.15, 0.3)
GA = 1 / 6
"""The share of recipes, of those drawn by lot, that breed with the genetic algorithm."""
LEFT_OUT = 0.12
"""The chance of each viewpoint to be left out, where some are."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe to try, as options of `train`."""

    hidden: int = HIDDEN
    population: int = POPULATION
    strategy: str = "cma"
    step_size: float = STEP_SIZE
    without: tuple[str, ...] = ()

    def generations(self, rung: int) -> int:
        """Return how many generations it has come to at the end of a rung, from 0; larger networks to fewer.

        So all take about the same time; not by the clock, or another machine would choose other recipes.
        """
        work: int = GENERATIONS * POPULATION * HIDDEN * KEPT**rung
        return max(1, round(work / (self.population * self.hidden)))

    def options(self) -> dict[str, Any]:
        """Return it as fields of `Options`; what is as by default is left out."""
        values: dict[str, Any] = {"layers": (self.hidden,), "population": self.population, "strategy": self.strategy}
        if self.strategy == "cma" and self.step_size != STEP_SIZE:
            values["step_size"] = self.step_size
        return values | ({"without": self.without} if self.without else {})

    def arguments(self) -> list[str]:
        """Return it as arguments of the command."""
        words = ["--layers", str(self.hidden), "--population", str(self.population), "--strategy", self.strategy]
        if self.strategy == "cma" and self.step_size != STEP_SIZE:
            words += ["--step-size", str(self.step_size)]
        return words + (["--without", ",".join(self.without)] if self.without else [])


@dataclass(frozen=True, slots=True)
class Tried:
    """What a recipe came to.

    :param held_out: its champion's fitness on notes that nothing is learned from: minus bits per note; minus infinity
        if none of its networks could be scored.
    :param evaluations: networks that were scored for it.
    :param seconds: the work of a worker on it, all in all; people read it, nothing depends on it.
    """

    round: int
    rung: int
    number: int
    trial: Trial
    held_out: float
    evaluations: int
    seconds: float

    @property
    def key(self) -> str:
        """What it is called where it is kept."""
        return key_of(self.round, self.rung, self.number)


def key_of(number_of_round: int, rung: int, number: int) -> str:
    """Return what a trial on a rung is called where its result is kept."""
    return f"{number_of_round}/{rung}/{number}"


def ranked(tried: Sequence[Tried]) -> list[Tried]:
    """Return each recipe's last result, the best first: those that came to a higher rung go before all others."""
    last = {(one.round, one.number): one for one in sorted(tried, key=lambda one: one.rung)}
    return sorted(last.values(), key=_rank)


def _rank(one: Tried) -> tuple[int, float, int, int]:
    scored = math.isfinite(one.held_out)
    return (-one.rung if scored else 1, -one.held_out, one.round, one.number)


def candidates(number_of_round: int, seed: int, viewpoints: Sequence[str], tried: Sequence[Tried]) -> list[Trial]:
    """Return what a round begins with; the very first recipe is the default.

    :param viewpoints: all that may be left out.
    :param tried: what the rounds before came to.
    """
    rng = generator(seed, 11, number_of_round)
    best = ranked(tried)[0].trial if tried else Trial()
    found = [Trial()] if not number_of_round else []
    known = {one.trial for one in tried}
    while len(found) < FIRST:
        bred = number_of_round > 0 and len(found) % 2 == 0
        trial = changed(best, rng, viewpoints) if bred else drawn(rng, viewpoints)
        if trial not in known and trial not in found:
            found.append(trial)
    return found


def drawn(rng: np.random.Generator, viewpoints: Sequence[str]) -> Trial:
    """Return a recipe drawn by lot."""
    some = rng.random() < 0.5
    without = tuple(name for name in viewpoints if some and rng.random() < LEFT_OUT)
    return Trial(
        hidden=int(rng.choice(UNITS)),
        population=int(rng.choice(POPULATIONS)),
        strategy="ga" if rng.random() < GA else "cma",
        step_size=float(rng.choice(STEP_SIZES)),
        without=without if len(without) < len(viewpoints) else (),
    )


def changed(trial: Trial, rng: np.random.Generator, viewpoints: Sequence[str]) -> Trial:
    """Return a recipe with one thing changed: one of its numbers a step up or down, or a viewpoint more or less."""
    what = int(rng.integers(5 if trial.strategy == "cma" else 4))
    if what == 0:
        return replace(trial, hidden=int(_beside(UNITS, trial.hidden, rng)))
    if what == 1:
        return replace(trial, population=int(_beside(POPULATIONS, trial.population, rng)))
    if what == 4:
        return replace(trial, step_size=_beside(STEP_SIZES, trial.step_size, rng))
    name = viewpoints[int(rng.integers(len(viewpoints)))]
    without = set(trial.without) ^ {name}
    return replace(trial, without=tuple(one for one in viewpoints if one in without))


def _beside(values: Sequence[float], value: float, rng: np.random.Generator) -> float:
    """Return the value above or below, by lot; at the end, the value itself."""
    place = values.index(value) + (1 if rng.random() < 0.5 else -1)
    return values[min(len(values) - 1, max(0, place))]


def survivors(results: Mapping[int, float]) -> list[int]:
    """Return the numbers of those that go on to the next rung: one in `KEPT`, the best held out."""
    best = sorted(results, key=lambda number: (-results[number], number))
    return sorted(best[: max(1, len(results) // KEPT)])
