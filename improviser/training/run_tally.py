"""How far a run is: what was heard of each member's generations, the share that is done, and the time that is left."""

import math
from collections.abc import Sequence

from improviser.training.generations import Generation, Limits

POINTS = 400
"""Generations that a curve shows at most."""


class RunTally:
    """Takes in what every generation brought. Shares and times are of the whole run, whatever its members do."""

    def __init__(self, limits: Limits, members: int) -> None:
        self.members = members
        self._limits = limits
        self._history: dict[int, list[Generation]] = {}
        self._seconds: dict[int, float] = {}
        self._done: dict[int, float] = {}
        self._done_before: float | None = None

    def take(self, member: int, generation: Generation) -> None:
        """Take in a generation of a member, from 0."""
        self._history.setdefault(member, []).append(generation)
        if self._done_before is None:  # resumed, it may begin far on the way
            self._done[member] = self._share_done(generation.generation - 1, 0.0)
            self._done_before = self.done()
        self._seconds[member] = self._seconds.get(member, 0.0) + generation.seconds
        self._done[member] = self._share_done(generation.generation, self._seconds[member])

    def last(self, member: int) -> Generation:
        """Return the generation that was heard of last."""
        return self._history[member][-1]

    def best(self, member: int) -> list[float]:
        """Return the best fitness of each generation that was heard of."""
        return [generation.best for generation in self._history[member]]

    def curve(self, member: int) -> Sequence[Generation]:
        """Return some generations from the first to the last, `POINTS` at most."""
        history = self._history[member]
        step = math.ceil(len(history) / POINTS)
        return history[::-1][::step][::-1]

    def speed(self, member: int) -> float:
        """Return how many networks of a member are scored a second."""
        last = self.last(member)
        scored = last.evaluations / last.generation * len(self._history[member])
        return scored / max(self._seconds[member], 1e-9)

    def done(self) -> float:
        """Return how much of the way of all members is done, 0–1; those before the first heard of are at its end."""
        return (min(self._done) + sum(self._done.values())) / self.members

    def seconds_left(self) -> float:
        """Return how long the rest takes if it goes on as since this process began; 0 before that can be said."""
        done = self.done()
        gone = done - (self._done_before or 0.0)
        return sum(self._seconds.values()) * (1 - done) / gone if gone > 0 else 0.0

    def _share_done(self, generations: int, seconds: float) -> float:
        """Return how much of a member's way to the nearest limit that is, 0–1."""
        shares = [0.0]
        if self._limits.generations:
            shares.append(generations / self._limits.generations)
        if self._limits.minutes:
            shares.append(seconds / 60 / self._limits.minutes)
        return min(1.0, max(shares))
