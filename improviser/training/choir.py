"""Breeds the members of a choir: as many at a time as there are lanes to score in, each as if it were alone.

While the population of one is scored, the next of another is bred: so nobody waits for anybody, as the workers would if
they shared each population, and the process that breeds.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from improviser.errors import CorpusError
from improviser.training.generations import Champion, Evolution, Generation
from improviser.training.recipe import Recipe
from improviser.training.workers import Lanes


class Choir:
    """The members of one run: those that are done, those at work, and those that wait for a lane.

    :param seed: of the first member; the others count up from it.
    :param watch: gets each member's number, from 0, and evolution as it begins.
    """

    def __init__(self, recipe: Recipe, seed: int, lanes: Lanes, watch: Callable[[int, Evolution], None]) -> None:
        self.at_work: dict[int, Evolution] = {}
        self._done: dict[int, Champion] = {}
        self._put_down: dict[int, Mapping[str, Any]] = {}
        self._recipe = recipe
        self._seed = seed
        self._lanes = lanes
        self._free = list(range(lanes.workers))
        self._lane_of: dict[int, int] = {}
        self._watch = watch

    @property
    def complete(self) -> bool:
        """Whether all members came to their limits."""
        return len(self._done) == self._recipe.members

    def begin(self) -> None:
        """Let members at their limits go, others to work where lanes are free, and begin a generation of each."""
        for member, evolution in list(self.at_work.items()):
            if self._recipe.limits.reached(evolution):
                self._retire(member, evolution)
        self._fill()
        for evolution in self.at_work.values():
            evolution.begin(len(self.at_work))

    def finish(self, go_on: Callable[[], bool]) -> Iterator[tuple[int, Generation]]:
        """Finish each generation that was begun; whether the next is begun at once is asked for each.

        :raises CorpusError: if none of a member's networks could be scored.
        """
        for member, evolution in [(member, one) for member, one in self.at_work.items() if one.begun]:
            yield member, evolution.finish()
            if not go_on():  # not even to its end: who is put down there may go further when taken up
                continue
            following = [evolution]
            if self._recipe.limits.reached(evolution):
                self._retire(member, evolution)
                following = self._fill()
            for each in following:
                each.begin(len(self.at_work))

    @property
    def resting(self) -> bool:
        """Whether nobody is in the middle of a generation: the choir can be put down, or begin another."""
        return not any(evolution.begun for evolution in self.at_work.values())

    def comes_to(self, every: int) -> bool:
        """Whether the generation of any member at work is one of every so many; of none if that is 0."""
        return every > 0 and any((evolution.generation + 1) % every == 0 for evolution in self.at_work.values())

    def champions(self) -> list[Champion]:
        """Return the champions of the members that are done, and of those at work, in the members' order."""
        found = {member: one.champion for member, one in self.at_work.items() if one.champion is not None}
        return [champion for _, champion in sorted({**self._done, **found}.items())]

    def _fill(self) -> list[Evolution]:
        """Let members go to work where lanes are free; return theirs."""
        fresh = []
        for member in range(self._recipe.members):
            if self._free and member not in self._done and member not in self.at_work:
                fresh.append(self._start(member))
                if self._recipe.limits.reached(fresh[-1]):  # it was put down at its end, or may go no further
                    self._retire(member, fresh.pop())
        if self.at_work:
            self._lanes.divide(len(self.at_work))
        return fresh

    def _start(self, member: int) -> Evolution:
        recipe = self._recipe
        self._lane_of[member] = self._free.pop(0)
        evolution = self.at_work[member] = Evolution(
            recipe.task,
            recipe.strategy(member),
            seed=self._seed + member,
            choice=recipe.choose_by,
            check_every=recipe.check_every,
            score=self._lanes.lane(self._lane_of[member]),
            accept=recipe.accept,
        )
        if member in self._put_down:
            evolution.restore(self._put_down.pop(member))
        self._watch(member, evolution)
        return evolution

    def _retire(self, member: int, evolution: Evolution) -> None:
        """Take a member that has come to its limits from its work."""
        evolution.conclude()
        if evolution.champion is None:
            raise CorpusError("no network could be scored on these notes; train on a livelier piece")
        self._done[member] = evolution.champion
        del self.at_work[member]
        self._free.append(self._lane_of.pop(member))

    def conclude(self) -> None:
        """Let those at work, who are not put down any more, be what they have come to."""
        for evolution in self.at_work.values():
            evolution.conclude()

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit, between two generations: arrays and JSON values."""
        evolutions = {member: evolution.state() for member, evolution in self.at_work.items()}
        return {
            "done": {str(member): _values(champion) for member, champion in self._done.items()},
            "at work": {str(member): state for member, state in {**self._put_down, **evolutions}.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`, with as many lanes as there are now."""
        self._done = {int(member): _champion(values) for member, values in state["done"].items()}
        self._put_down = {int(member): values for member, values in state["at work"].items()}


def _values(champion: Champion) -> dict[str, Any]:
    return {
        "genome": champion.genome,
        "scores": np.array([champion.fitness, champion.held_out]),
        "generation": champion.generation,
    }


def _champion(values: Mapping[str, Any]) -> Champion:
    fitness, held_out = values["scores"].tolist()
    return Champion(values["genome"], fitness, held_out, values["generation"])
