"""The form of a solo: phrases and rests, in arches that open and close.

An arch is a few phrases. In its middle they are longer, lie higher and span more; its last ends low, and a longer rest
follows. Phrases state a motif of the player's, develop what was said last, or go on from the player's last phrase.
"""

import math
from dataclasses import dataclass

from improviser.core.replies.dice import Dice

ARCHES = (5, 8)
"""Phrases of an arch."""
NOTES = ((4, 8), (7, 14))
"""Notes of its phrases, at its ends and in its middle."""
RISE, OPENING = 7.0, (0.8, 1.7)
"""Semitones by which it rises, and how much of the usual span phrases have at its ends and in its middle."""
DEPTH = 2.0
"""Semitones below the middle at which it begins and ends."""
RESTS, LONG_REST = (1, 2), 4
"""Pulses between phrases, and after an arch."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the next phrase of a solo is to be like.

    :param fewest, most: notes.
    :param rise: semitones above the middle of the player's register.
    :param opening: how many times the usual span.
    :param back: which phrase it begins from: the player's so many phrases before the last, 0 for that itself.
    :param rest: pulses that follow it.
    """

    fewest: int
    most: int
    rise: float
    opening: float
    back: int
    rest: int


class Form:
    """Where a solo is in its form; one step for each phrase.

    :param phrase: how many phrases of this arch are over.
    :param phrases: how many it has.
    """

    def __init__(self, phrase: int = 0, phrases: int = ARCHES[0]) -> None:
        self._phrase = phrase
        self._phrases = phrases

    def turn(self, dice: Dice, known: int) -> tuple[Turn, "Form"]:
        """Return what comes next, and the form after it.

        :param known: how many phrases of the player's there are, at least one.
        """
        place = self._phrase / max(1, self._phrases - 1)
        height = math.sin(math.pi * place)
        fewest, most = (round(ends + (middle - ends) * height) for ends, middle in zip(*NOTES, strict=True))
        last = self._phrase + 1 >= self._phrases
        turn = Turn(
            fewest=fewest,
            most=most,
            rise=RISE * height - DEPTH * (1 - height),
            opening=OPENING[0] + (OPENING[1] - OPENING[0]) * height,
            back=dice.below(known) if dice.random() < 0.7 else 0,
            rest=LONG_REST if last else dice.within(*RESTS),
        )
        following = Form(0, dice.within(*ARCHES)) if last else Form(self._phrase + 1, self._phrases)
        return turn, following
