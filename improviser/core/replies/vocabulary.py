"""The vocabulary of a session: what the player has said, phrase by phrase, and what was replied.

It is a value: speaking with another makes a new one, so that a reply can be thought about before its time has come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from improviser.core.replies.line import Line, steps_of

PHRASES, NOTES = 48, 512
"""The player's last phrases that are remembered, at most so many notes."""
REPLIES, OWN_NOTES = 64, 512
FADE = 0.985
"""What is left of a pitch class's weight a note later."""
EXPECTED = 0.4
"""How much a pitch class of the key counts before it is heard."""
FIGURE, QUOTE, OWN = 3, 5, 6
"""Intervals of a figure of the player's, and of what is a quotation; notes of a figure of its own."""
CONTEXT = 3
"""Intervals that a context has at most."""
CONTOUR = 4
BALANCED = 64
"""Of so many notes of the last replies, pitch classes are to have about the shares that they have of the player's."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The player's phrases and the replies, each the latest last."""

    phrases: tuple[Line, ...] = ()
    replies: tuple[Line, ...] = ()

    def heard(self, phrase: Line) -> "Vocabulary":
        """Return the vocabulary with one more phrase of the player's."""
        return Vocabulary(_latest((*self.phrases, phrase), PHRASES, NOTES), self.replies)

    def played(self, reply: Line) -> "Vocabulary":
        """Return the vocabulary with one more reply."""
        return Vocabulary(self.phrases, _latest((*self.replies, reply), REPLIES, OWN_NOTES))


def _latest(lines: tuple[Line, ...], most: int, notes: int) -> tuple[Line, ...]:
    lines = lines[-most:]
    while len(lines) > 1 and sum(map(len, lines)) > notes:
        lines = lines[1:]
    return lines


class Known:
    """What there is in a vocabulary, to be looked up.

    `figures` and `pairs` are the player's figures of three and of two intervals, `quotes` those of five; `contours` are
    its ups and downs; `ratios` the pairs of lengths. `own` counts its own figures, `lately` those of the last replies;
    `shares` are those of the pitch classes in them, shape (12,).
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        # Two phrases are one line, too: who hears them hears the step between.
        said = [pitch for phrase in vocabulary.phrases for pitch in phrase.pitches]
        steps = steps_of(said)
        self.figures = set(grams(steps, FIGURE))
        self.pairs = set(grams(steps, 2))
        self.steps = set(steps)
        self.quotes = set(grams(steps, QUOTE))
        self.contours = set(grams(signs(steps), CONTOUR))
        self.ratios = {ratio for phrase in vocabulary.phrases for ratio in ratios_of(phrase)}
        self.following: dict[tuple[int, ...], list[int]] = {}
        for length in range(1, CONTEXT + 1):
            for gram in grams(steps, length + 1):
                self.following.setdefault(gram[:-1], []).append(gram[-1])
        played = [pitch for reply in vocabulary.replies for pitch in reply.pitches]
        self.own = Counter(grams(played, OWN))
        latest = [pitch % 12 for pitch in played[-BALANCED:]]
        self.shares = [latest.count(each) / max(len(latest), BALANCED / 4) for each in range(12)]
        self.lately = {gram for reply in vocabulary.replies[-4:] for gram in grams(steps_of(reply.pitches), 4)}
        self.usual_step = sum(map(abs, steps)) / len(steps) if steps else 2.0
        # Who plays one note at a time has phrases that span nothing: then what counts is the way between them.
        lines = [phrase.pitches for phrase in vocabulary.phrases if len(phrase) > 2] or [tuple(said[-8:])]
        spans = sorted(max(pitches) - min(pitches) for pitches in lines if pitches)
        self.usual_span = spans[len(spans) // 2] if spans else 7
        gaps = [touch.gap_seconds for phrase in vocabulary.phrases for touch in phrase.touches]
        self.longest_gap = 1.2 * max(gaps, default=1.0)
        self.lowest, self.middle, self.highest = _register(said)


def _register(said: Sequence[int]) -> tuple[int, int, int]:
    """Return the lowest, the middle and the highest of the player's pitches, but for a few."""
    if not said:
        return 55, 65, 79
    ordered = sorted(said)
    few = len(ordered) // 40
    return ordered[few], ordered[len(ordered) // 2], ordered[-1 - few]


def grams(items: Sequence[int], length: int) -> list[tuple[int, ...]]:
    """Return all that stands in a row of so many."""
    return list(zip(*(items[start:] for start in range(length)), strict=False))


def signs(steps: Iterable[int]) -> list[int]:
    """Return 1 for each step up, -1 for each step down, 0 for each repetition."""
    return [(step > 0) - (step < 0) for step in steps]


def ratios_of(line: Line) -> list[int]:
    """Return how much longer each gap is than the one before: eightfold the binary logarithm, in halves of it."""
    gaps = [touch.gap_seconds for touch in line.touches[:-1]]
    return [_class(after / before) for before, after in pairwise(gaps)]


def _class(ratio: float) -> int:
    """Return the class of a ratio of lengths: nearly the same, half again as much, double, ..., and the inverses."""
    bounds = (1.19, 1.68, 2.38, 3.36)
    large = ratio if ratio >= 1 else 1 / ratio
    size = sum(large > bound for bound in bounds)
    return size if ratio >= 1 else -size


def weights_of(said: Sequence[int], home: frozenset[int]) -> list[float]:
    """Return how much the player uses each pitch class lately, shape (12,), summing to 1.

    :param said: the player's pitches, the latest last.
    :param home: the pitch classes of the key; others are counted for less: they may be those of a key that was left.
    """
    weights = [EXPECTED if pitch_class in home else 1e-3 for pitch_class in range(12)]
    weight = 1.0
    for pitch in reversed(said):
        weights[pitch % 12] += weight if pitch % 12 in home else weight / 4
        weight *= FADE
    whole = sum(weights)
    return [each / whole for each in weights]
