"""Evolution of one reply: a steady-state genetic algorithm, piece by piece, with a best reply at any time.

How many lines are tried is fixed, so that a brief and its dice decide the reply, and not how fast the machine is. Who
cannot wait takes the best so far, and says after how many pieces: so many pieces again make the same reply again.
"""

import math
from collections.abc import Iterator

from improviser.core.replies.brief import Brief
from improviser.core.replies.candidates import candidates
from improviser.core.replies.dice import Dice
from improviser.core.replies.fitness import Fitness
from improviser.core.replies.foresight import Foresight, Imagine
from improviser.core.replies.line import Line
from improviser.core.replies.operators import PITCHES, RHYTHMS, crossed, mended

POPULATION = 24
CHILDREN = 240
"""How many lines are bred."""
IMAGININGS = 80
"""How often the models are asked, at most."""
TOURNAMENT = 3
CROSSED, RHYTHMIC, TWICE = 0.3, 0.25, 0.35
"""How often a child has two parents, its rhythm is changed, and it is changed once more."""


class Evolution:
    """The evolution of a reply to a brief.

    Nothing in it leads back to itself: the engine frees what is not used any more by counting references.

    :param imagine: what the models make of the next note, see `Foresight`; None if there is nobody to ask.
    :param dice: the only source of chance.
    """

    def __init__(self, brief: Brief, imagine: Imagine | None, dice: Dice) -> None:
        self._breeding = _Breeding(brief, imagine, dice)
        self._work = self._breeding.evolve()
        self.pieces = 0
        """How many pieces of the work are done."""
        self.done = False

    @property
    def best(self) -> Line:
        """The best reply so far."""
        return self._breeding.best

    def think(self) -> bool:
        """Do one piece of the work, well below a millisecond; return whether there is more."""
        if not self.done:
            self.done = next(self._work, self) is self
            self.pieces += not self.done
        return not self.done

    def finish(self, pieces: int | None = None) -> Line:
        """Do the rest of the work, or as much as makes so many pieces in all; return the best reply."""
        while (pieces is None or self.pieces < pieces) and self.think():
            pass
        return self.best


class _Breeding:
    """The population, and what it is bred with."""

    def __init__(self, brief: Brief, imagine: Imagine | None, dice: Dice) -> None:
        self._brief = brief
        self._dice = dice
        self._foresight = None if imagine is None else Foresight(imagine, IMAGININGS)
        self._fitness = Fitness(brief, self._foresight)
        self._population: list[tuple[float, Line]] = []
        self.best = mended(brief.phrase, brief)
        self._best_points = -math.inf

    def evolve(self) -> Iterator[None]:
        """Breed; yield after each piece of work."""
        brief, dice = self._brief, self._dice
        yield from self._ask_about(brief.phrase)
        self._fitness.expect(brief.phrase)
        for line in candidates(brief, self._foresight, dice):
            if line is not None:
                yield from self._consider(line)
            yield
        for _ in range(CHILDREN):
            yield from self._consider(self._child())
            yield

    def _child(self) -> Line:
        brief, dice = self._brief, self._dice
        line = self._chosen()
        if dice.random() < CROSSED:
            line = mended(crossed(line, self._chosen(), brief, dice), brief)
            if dice.random() < 0.5:
                return line
        for _ in range(1 + (dice.random() < TWICE)):
            operators = RHYTHMS if not brief.keeps_rhythm and dice.random() < RHYTHMIC else PITCHES
            line = mended(dice.choice(operators)(line, brief, dice), brief)
        return line

    def _chosen(self) -> Line:
        """Return the best of a few."""
        dice, size = self._dice, len(self._population)
        return self._population[min(dice.below(size) for _ in range(TOURNAMENT))][1]

    def _ask_about(self, line: Line) -> Iterator[None]:
        """Ask the models what they have not been asked about a line, one note a piece."""
        if self._foresight is not None:
            while (place := self._foresight.lacks(line)) is not None:
                self._foresight.ask(line.pitches[:place])
                yield

    def _consider(self, line: Line) -> Iterator[None]:
        """Take a line into the population, where it is good enough and not there yet; the best comes first."""
        population = self._population
        least = population[-1][0] if len(population) == POPULATION else -math.inf
        points = self._fitness.rate(line, least)
        if points <= least or any(line.pitches == other.pitches and line == other for _, other in population):
            return
        yield from self._ask_about(line)
        points -= self._fitness.unforeseen(line)
        if points <= least:
            return
        place = next((place for place, (other, _) in enumerate(population) if points > other), len(population))
        population.insert(place, (points, line))
        del population[POPULATION:]
        if points > self._best_points:
            self._best_points, self.best = points, line
