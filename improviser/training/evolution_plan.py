"""A plan for evolving the members of a choir, wherever that happens: here, or each in a worker of its own.

All of it can be sent to another process; what a member has come to is its evolution's `state`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from improviser.core.arrays import Float32Array
from improviser.core.evolution.strategy import Strategy, Task
from improviser.training.generations import Choice, Evolution, Generation, Limits, Score
from improviser.training.recipe import Recipe

SEEN = 8
"""Networks of a population that are sent back to be looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class EvolutionPlan:
    """What all members share; see `Recipe`. The seed is the first member's, the others count up from it."""

    task: Task
    strategy: Callable[[int], Strategy]
    seed: int
    limits: Limits
    choose_by: Choice
    check_every: int
    accept: Callable[[Float32Array], bool]
    members: int

    @classmethod
    def of(cls, recipe: Recipe, seed: int) -> "EvolutionPlan":
        """Return that of a recipe's members."""
        how = recipe.limits, recipe.choose_by, recipe.check_every, recipe.accept
        return cls(recipe.task, recipe.strategy, seed, *how, recipe.members)

    def evolution(self, member: int, score: Score | None = None) -> Evolution:
        """Return the evolution of a member, from 0, at its beginning.

        :param score: scores its populations; by default in this process.
        """
        return Evolution(
            self.task,
            self.strategy(member),
            seed=self.seed + member,
            choice=self.choose_by,
            check_every=self.check_every,
            score=score,
            accept=self.accept,
        )

    def advance(self, member: int, state: Mapping[str, Any] | None, generations: int, beside: int) -> "Advanced":
        """Breed a member on from a state (None: from its beginning) by so many generations, or to its limits.

        :param beside: how many members are at work at a time, see `Evolution.begin`.
        """
        evolution = self.evolution(member)
        if state is not None:
            evolution.restore(state)
        bred: list[Generation] = []
        while len(bred) < generations and not self.limits.reached(evolution):
            evolution.begin(beside)
            bred.append(evolution.finish())
        population = evolution.population
        some = None if population is None else population[:: max(1, len(population) // SEEN)].copy()
        return Advanced(tuple(bred), evolution.state(), some)


@dataclass(frozen=True, slots=True, eq=False)
class Advanced:
    """What a member came to: its generations, its state, and some networks of the last population."""

    generations: tuple[Generation, ...]
    state: Mapping[str, Any]
    population: Float32Array | None
