"""The first candidates: the player's phrase, the models' continuations, and what the session remembers."""

from collections.abc import Iterator

import numpy as np

from improviser.core.replies.brief import Brief
from improviser.core.replies.dice import Dice
from improviser.core.replies.foresight import Foresight
from improviser.core.replies.line import Line
from improviser.core.replies.operators import extended, fitted, go_on, homed, inverted, mended, some_motif, transposed

SUNG = 2
"""How many continuations the models sing."""
COUNTED = 4
"""How many come of what followed the same notes earlier in the session."""
EARLIER = 3
COLDEST = 0.05


def candidates(brief: Brief, foresight: Foresight | None, dice: Dice) -> Iterator[Line | None]:
    """Yield lines to begin with, the phrase itself first, and None where time has passed and there is none yet."""
    yield mended(brief.phrase, brief)
    rhythm = _rhythm(brief, dice)
    for place in range(COUNTED):
        pitches = _opening(brief, dice)
        go_on(pitches, len(rhythm) - len(pitches), brief, dice)
        line = rhythm.sung(pitches[: len(rhythm)])
        yield mended(homed(line, brief, dice) if place % 2 else line, brief)
    for operator in (transposed, inverted):
        yield mended(homed(operator(rhythm, brief, dice), brief, dice), brief)
    for phrase in brief.known.vocabulary.phrases[-EARLIER - 1 : -1]:
        yield mended(phrase, brief)
    if foresight is not None:
        for _ in range(SUNG):
            yield from _sung(brief, rhythm, foresight, dice)


def _rhythm(brief: Brief, dice: Dice) -> Line:
    """Return the phrase, longer where the reply is to have more notes."""
    line = brief.phrase
    for _ in range(brief.most):
        if brief.keeps_rhythm or len(line) >= brief.fewest:
            break
        line = extended(line, brief, dice)
    return line


def _opening(brief: Brief, dice: Dice) -> list[int]:
    """Return how a line begins: with a motif of the player's, or near where it is to move."""
    before = brief.before[-1] if brief.before else round(brief.centre)
    motif = some_motif(brief, dice)
    return fitted(motif, before, brief, dice) if dice.random() < 0.7 else [brief.ladder.near(round(brief.centre))]


def _sung(brief: Brief, rhythm: Line, foresight: Foresight, dice: Dice) -> Iterator[Line | None]:
    """Yield what the models sing in a rhythm, note by note; None where time has passed."""
    pitches: list[int] = []
    heat = max(COLDEST, brief.temperature)
    ladder = np.array(brief.ladder.pitches)
    for _ in range(len(rhythm)):
        opinion = np.array(foresight.ask(pitches))[ladder] / heat
        chances = np.exp(opinion - opinion.max()).cumsum()
        place = int(np.searchsorted(chances, dice.random() * chances[-1], side="right"))
        pitches.append(int(ladder[min(place, len(ladder) - 1)]))
        yield None
    yield mended(homed(rhythm.sung(pitches), brief, dice), brief)
