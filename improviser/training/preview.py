"""A preview of a run while it evolves: how diverse its networks are, and what the best one plays by now."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.live.answering.decoding import choose
from improviser.core.music.player import QUARTER_SECONDS, demo_tune
from improviser.core.networks.responder import Model
from improviser.core.tasks.registry import describe, singer_of
from improviser.errors import ImproviserError
from improviser.training.generations import Evolution

PHRASE_NOTES = 15
"""The first line of the demo's tune has so many."""
SAMPLE = 32
TEMPERATURE = 0.5
SECONDS_BETWEEN_PHRASES = 1.0


class Preview:
    """Looks at one of the evolutions that it was told to `watch`; it takes milliseconds, and changes nothing.

    :param build: makes the model of one genome, or several.
    """

    def __init__(self, build: Callable[[Sequence[Float32Array]], Model]) -> None:
        self._build = build
        self._evolutions: dict[int, Evolution] = {}
        self._evolution: Evolution | None = None
        self._phrase: tuple[int, ...] = ()
        self._tune: tuple[int, ...] = ()
        self._of: tuple[int, int] | None = None
        self._played_at = -SECONDS_BETWEEN_PHRASES

    def watch(self, member: int, evolution: Evolution) -> None:
        """Take in the evolution of a member, and look at the first of them until told to `turn_to` another."""
        self._evolutions[member] = evolution
        self._evolution = self._evolution or evolution

    def turn_to(self, member: int) -> None:
        """Look at this member from now on, if it is watched; those before it are done."""
        self._evolution = self._evolutions.get(member, self._evolution)
        for earlier in [number for number in self._evolutions if number < member]:
            del self._evolutions[earlier]

    def diversity(self) -> float:
        """Return how far apart the networks of the last generation are; NaN before there is one. See `diversity_of`."""
        population = self._evolution.population if self._evolution is not None else None
        return diversity_of(population) if population is not None else float("nan")

    def phrase(self) -> tuple[int, ...]:
        """Return the pitches that the champion plays; the same chance each time, so that it alone changes them."""
        champion = self._evolution.champion if self._evolution is not None else None
        if champion is None or time.monotonic() - self._played_at < SECONDS_BETWEEN_PHRASES:
            return self._phrase
        which = (id(self._evolution), champion.generation)
        if which != self._of:
            self._of, self._played_at = which, time.monotonic()
            try:
                model = self._build([champion.genome])
                self._phrase, self._tune = phrase_of(model), tune_for(model)
            except ImproviserError:  # a network that cannot be played yet: its weights may be anything
                self._phrase = self._tune = ()
        return self._phrase

    def tune(self) -> tuple[int, ...]:
        """Return the pitches that the last `phrase` answers, one each; none if it is sung alone."""
        return self._tune


def diversity_of(population: Float32Array) -> float:
    """Return the standard deviation of a gene over a population, relative to how large genes are: 0 for clones."""
    some = population[:: max(1, len(population) // SAMPLE)].astype(np.float64)
    size = float(np.sqrt(np.mean(some**2)))
    return float(np.sqrt(np.mean(some.var(axis=0)))) / size if size > 0 else 0.0


def tune_for(model: Model) -> tuple[int, ...]:
    """Return the pitches of the tune that a model's phrase answers: of none of the chorales that models learn from."""
    return () if describe(model.task).alone else tuple(note.pitch for note in demo_tune()[:PHRASE_NOTES])


def phrase_of(model: Model) -> tuple[int, ...]:
    """Return the pitches that a model plays: on its own, if that is its task, else to the demo's first line."""
    rng = np.random.default_rng(1)
    pitches: list[int] = []
    if (singer := singer_of(model)) is not None:
        for number in range(PHRASE_NOTES):
            onset = number * QUARTER_SECONDS
            pitches.append(choose(singer.proceed(onset), TEMPERATURE, rng))
            singer.follow(pitches[-1], onset, own=True)
        return tuple(pitches)
    responder = model.responder()
    for note in demo_tune()[:PHRASE_NOTES]:
        pitches.append(choose(responder.propose(note.pitch, note.onset_seconds), TEMPERATURE, rng))
        responder.learn(note.pitch, note.onset_seconds, pitches[-1])
    return tuple(pitches)
