"""Breeds the members of a choir: as many at a time as there are places, each as if it were alone.

Of several members each is bred in a worker of its own, some generations at a time. So no worker waits for another, as
it would if all shared each population with the process that breeds.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import numpy as np

from improviser.errors import CorpusError
from improviser.training.evolution_plan import Advanced, EvolutionPlan
from improviser.training.generations import Champion, Evolution, Generation
from improviser.training.mapping import result_of
from improviser.training.recipe import Recipe
from improviser.training.workers import Elsewhere, Workers

STRETCH, STRETCH_SECONDS = 10, 0.6
"""Generations that a worker breeds before it says what came of them: so many, or more that together take no longer.

What that costs it is some 20 ms where client and worker are in one network; and whoever watches sees more of it."""
FEW_HANDS = 20
"""Of more workers than so many each breeds the longer, or whoever hands out the work would not keep up."""


class Member:
    """A member at work here."""

    def __init__(self, evolution: Evolution) -> None:
        self.evolution = evolution
        self.pace = math.inf
        """Seconds of a worker that a generation takes; infinite while nobody knows."""

    @property
    def begun(self) -> int:
        """How many generations are to be finished."""
        return int(self.evolution.begun)

    def begin(self, _generations: int, beside: int) -> int:
        """Begin the next generation; return how many were begun."""
        self.evolution.begin(beside)
        return 1

    def finish(self) -> Sequence[Generation]:
        """Finish what was begun."""
        return [self.evolution.finish()]


class MemberElsewhere(Member):
    """A member that is bred in a worker; its evolution is what it has come to when the worker last said so."""

    def __init__(self, member: int, evolution: Evolution, elsewhere: Elsewhere) -> None:
        super().__init__(evolution)
        self._member = member
        self._elsewhere = elsewhere
        self.advanced: Future[Advanced] | None = None
        self._begun, self._beside = 0, 1

    @property
    def begun(self) -> int:
        """How many generations are to be finished."""
        return self._begun

    def begin(self, generations: int, beside: int) -> int:
        """Begin so many generations; return how many."""
        state = self.evolution.state() if self.evolution.generation else None
        self._begun, self._beside = generations, beside
        self.advanced = self._elsewhere(self._member, state, generations, beside)
        return generations

    def finish(self) -> Sequence[Generation]:
        """Finish what was begun."""
        if self.advanced is None:
            raise RuntimeError("there is nothing to finish")
        advanced: Advanced = result_of(self.advanced)
        self.advanced, self._begun = None, 0
        self.evolution.restore(advanced.state)
        self.evolution.population = advanced.population
        if advanced.generations:
            self.pace = self._beside * sum(each.seconds for each in advanced.generations) / len(advanced.generations)
        return advanced.generations


class Choir:
    """The members of one run: those that are done, those at work, and those that wait for a place.

    :param seed: of the first member; the others count up from it.
    :param watch: gets each member's number, from 0, and evolution as it begins.
    :param every: generations of each, on the average, after which all are to rest, to be put down; 0 for never.
    """

    def __init__(
        self, recipe: Recipe, seed: int, workers: Workers, watch: Callable[[int, Evolution], None], every: int = 0
    ) -> None:
        self.at_work: dict[int, Member] = {}
        self._every = every
        self._room = math.inf
        """Generations of all that may be begun before they rest."""
        self._plan = EvolutionPlan.of(recipe, seed)
        self._done: dict[int, Champion] = {}
        self._put_down: dict[int, Mapping[str, Any]] = {}
        self._recipe = recipe
        self._workers = workers
        self._watch = watch

    @property
    def complete(self) -> bool:
        """Whether all members came to their limits."""
        return len(self._done) == self._recipe.members

    def begin(self) -> None:
        """Let members at their limits go, others to work in their places, and begin a generation of each."""
        for number, member in list(self.at_work.items()):
            if self._recipe.limits.reached(member.evolution):
                self._retire(number, member)
        self._fill()
        self._room = self._every * len(self.at_work) or math.inf
        for member in self.at_work.values():
            self._begin(member)

    def _begin(self, member: Member) -> None:
        """Begin a generation of a member; elsewhere some, but not beyond where all are to rest."""
        hands = self._workers.hands
        stretch = int(min(stretch_for(hands, member.pace, self._room), self._every or math.inf, self._room))
        if (limit := self._recipe.limits.generations) is not None:
            stretch = max(1, min(stretch, limit - member.evolution.generation))
        self._room -= member.begin(stretch, min(len(self.at_work), hands))

    def finish(self, go_on: Callable[[], bool]) -> Iterator[tuple[int, Generation]]:
        """Finish what was begun of the member that is first; begin its next, if that is wanted then.

        So who has a fast worker does more until all rest, and nobody waits for another.

        :raises CorpusError: if none of a member's networks could be scored.
        """
        number = _first_done({number: one for number, one in self.at_work.items() if one.begun})
        member = self.at_work[number]
        for generation in member.finish():
            yield number, generation
        if not go_on() or self._room <= 0:  # not even to its end: who is put down there may go further when taken up
            return
        following = [member]
        if self._recipe.limits.reached(member.evolution):
            self._retire(number, member)
            following = self._fill()
        for each in following:
            if self._room > 0:
                self._begin(each)

    @property
    def resting(self) -> bool:
        """Whether nobody is in the middle of a generation: the choir can be put down, or begin another."""
        return not any(member.begun for member in self.at_work.values())

    def champions(self) -> list[Champion]:
        """Return the champions of the members that are done, and of those at work, in the members' order."""
        at_work = {number: member.evolution.champion for number, member in self.at_work.items()}
        found = {number: champion for number, champion in at_work.items() if champion is not None}
        return [champion for _, champion in sorted({**self._done, **found}.items())]

    def _fill(self) -> list[Member]:
        """Let members go to work where places are free; return them."""
        fresh = []
        for number in range(self._recipe.members):
            if len(self.at_work) < self._workers.places and number not in self._done and number not in self.at_work:
                fresh.append(self._start(number))
                if self._recipe.limits.reached(fresh[-1].evolution):  # put down at its end, or it may go no further
                    self._retire(number, fresh.pop())
        return fresh

    def _start(self, number: int) -> Member:
        evolution = self._plan.evolution(number, self._workers.score)
        if number in self._put_down:
            evolution.restore(self._put_down.pop(number))
        self._watch(number, evolution)
        elsewhere = self._workers.elsewhere
        member = Member(evolution) if elsewhere is None else MemberElsewhere(number, evolution, elsewhere)
        self.at_work[number] = member
        return member

    def _retire(self, number: int, member: Member) -> None:
        """Take a member that has come to its limits from its work."""
        evolution = member.evolution
        evolution.conclude()
        if evolution.champion is None:
            raise CorpusError("no network could be scored on these notes; train on a livelier piece")
        self._done[number] = evolution.champion
        del self.at_work[number]

    def conclude(self) -> None:
        """Let those at work, who are not put down any more, be what they have come to."""
        for member in self.at_work.values():
            member.evolution.conclude()

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit, between two generations: arrays and JSON values."""
        evolutions = {number: member.evolution.state() for number, member in self.at_work.items()}
        return {
            "done": {str(member): _values(champion) for member, champion in self._done.items()},
            "at work": {str(member): state for member, state in {**self._put_down, **evolutions}.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`, with as many places as there are now."""
        self._done = {int(member): _champion(values) for member, values in state["done"].items()}
        self._put_down = {int(member): values for member, values in state["at work"].items()}


def stretch_for(hands: int, pace: float = math.inf, room: float = math.inf) -> int:
    """Return how many generations a worker breeds before it says what came of them.

    :param hands: how many workers there are.
    :param pace: seconds that a generation takes one of them.
    :param room: generations that are left to all of them until they rest: none may take so many that others wait.
    """
    least = STRETCH * max(1, hands // FEW_HANDS)
    return max(least, int(min(STRETCH_SECONDS / max(pace, 1e-9), room / max(1, hands))))


def _first_done(members: Mapping[int, Member]) -> int:
    """Return the member that can be finished without waiting, of several the last in the race; wait until one can."""
    elsewhere = {number: one.advanced for number, one in members.items() if isinstance(one, MemberElsewhere)}
    futures = [future for future in elsewhere.values() if future is not None]
    done = wait(futures, return_when=FIRST_COMPLETED).done if futures else set()
    ready = [number for number in members if elsewhere.get(number) is None or elsewhere[number] in done]
    return min(ready, key=lambda number: (members[number].evolution.generation, number))


def _values(champion: Champion) -> dict[str, Any]:
    return {
        "genome": champion.genome,
        "scores": np.array([champion.fitness, champion.held_out]),
        "generation": champion.generation,
    }


def _champion(values: Mapping[str, Any]) -> Champion:
    fitness, held_out = values["scores"].tolist()
    return Champion(values["genome"], fitness, held_out, values["generation"])
