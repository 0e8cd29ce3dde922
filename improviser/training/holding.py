"""Breeds the weights by which a voice holds its notes over (`core.harmony.holding`), on the corpus it learns from."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from improviser.core.arrays import Float64Array
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.corpus import TOLERANCE_SECONDS, Duet
from improviser.core.harmony.holding import WEIGHTS, seen
from improviser.core.harmony.session import Accompaniment
from improviser.core.music.note import Note
from improviser.core.music.piece import sounding_at
from improviser.core.networks.choir import ChoirSettings

GENERATIONS, POPULATION, STEP_SIZE = 150, 24, 0.3
DECAY = 0.004
"""What a weight costs, times its square, in bits: what hardly ever occurs stays near 0."""
MOST_NOTES = 12_000
FEWEST = 30
"""With fewer cases than this there is nothing to learn."""

Case = tuple[list[int], bool]
"""What is seen where a voice stays on its pitch, and whether it holds the note over."""


def cases_of(duets: Iterable[Duet], settings: ChoirSettings) -> Iterator[list[Case]]:
    """Yield the cases of each piece, played through the session that also plays live."""
    for player, own in duets:
        session = Accompaniment((settings.low, settings.high), settings.player)
        answers = sounding_at(own, [note.onset_seconds for note in player], tolerance_seconds=TOLERANCE_SECONDS)
        before: int | None = None
        cases = []
        for (note, answer), held in zip(zip(player, answers, strict=True), held_over(player, own), strict=True):
            if answer is not None and answer == before:
                cases.append((seen(session.look(note.pitch, note.onset_seconds)), held))
            target = None if answer is None else min(max(answer, settings.low), settings.high)
            session.learn(note.pitch, note.onset_seconds, target)
            before = answer
        yield cases


def cases_within(duets: Iterable[Duet], settings: ChoirSettings) -> list[Case]:
    """Return the cases of the first pieces, so many that MOST_NOTES of the player's are heard."""
    notes, some = 0, []
    for duet in duets:
        if notes < MOST_NOTES:
            some.append(duet)
            notes += len(duet[0])
    return [case for cases in cases_of(some, settings) for case in cases]


def held_over(player: Sequence[Note], own: Sequence[Note]) -> list[bool]:
    """Return, for each note of the player, whether a note of the voice's sounds that has begun with an earlier one."""
    onsets = [note.onset_seconds for note in player]
    struck = [False] * len(onsets)
    for number, (begins, ends) in enumerate(pairwise([-np.inf, *onsets])):
        struck[number] = any(
            begins + TOLERANCE_SECONDS < note.onset_seconds <= ends + TOLERANCE_SECONDS for note in own
        )
    sounds = sounding_at(own, onsets, tolerance_seconds=TOLERANCE_SECONDS)
    return [pitch is not None and not begins for pitch, begins in zip(sounds, struck, strict=True)]


def bits(weights: Float64Array, inputs: Float64Array, held: Float64Array) -> float:
    """Return bits per case; `inputs` are shape (cases, WEIGHTS), `held` is shape (cases,), 0 or 1."""
    scores = inputs @ weights
    return float(np.mean(np.logaddexp(0.0, np.where(held > 0, -scores, scores))) / np.log(2))


def table(cases: Sequence[Case]) -> tuple[Float64Array, Float64Array]:
    """Return cases as arrays: what is seen, shape (cases, WEIGHTS), and what was held, shape (cases,)."""
    inputs = np.zeros((len(cases), WEIGHTS))
    for row, (numbers, _) in zip(inputs, cases, strict=True):
        row[numbers] = 1.0
    return inputs, np.array([held for _, held in cases], np.float64)


def breed(cases: Sequence[Case], seed: int) -> tuple[float, ...]:
    """Return the weights, by sep-CMA-ES; none if there is too little to learn from."""
    if len(cases) < FEWEST:
        return ()
    inputs, held = table(cases)
    strategy = SepCma(np.zeros(WEIGHTS, np.float32), POPULATION, generator(seed, 4), step_size=STEP_SIZE, averaging=0.9)
    for _ in range(GENERATIONS):
        population = strategy.ask().astype(np.float64)
        strategy.tell(-np.array([bits(each, inputs, held) + DECAY * float(each @ each) for each in population]))
    return tuple(round(float(weight), 3) for weight in strategy.champion)
