"""Briefs for the tests of replies: of any phrase, and of a tune."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from improviser.core.replies.brief import Brief, Ladder
from improviser.core.replies.dice import Dice
from improviser.core.replies.line import Line, Touch
from improviser.core.replies.vocabulary import Known, Vocabulary, weights_of

MAJOR = frozenset((0, 2, 4, 5, 7, 9, 11))
TUNE = (60, 64, 62, 65, 64, 67, 65, 69, 67, 64, 60)


def line(pitches: Sequence[int], gap: float = 0.4) -> Line:
    return Line(tuple(pitches), tuple(Touch(gap, 0.9 * gap, 70 + place % 20) for place in range(len(pitches))))


LINES = st.lists(
    st.tuples(st.integers(0, 127), st.floats(0.07, 4.0), st.floats(0.03, 6.0), st.integers(1, 127)),
    min_size=1,
    max_size=32,
).map(lambda notes: Line(tuple(note[0] for note in notes), tuple(Touch(*note[1:]) for note in notes)))


def brief_of(phrase: Line, *earlier: Line, replies: Sequence[Line] = (), **changes: Any) -> Brief:
    """Return a brief for a reply to a phrase in C major, or near to that."""
    vocabulary = Vocabulary((*earlier, phrase), tuple(replies))
    known = Known(vocabulary)
    said = [pitch for each in vocabulary.phrases for pitch in each.pitches]
    classes = MAJOR | {pitch % 12 for pitch in said}
    low, high = max(0, known.lowest - 7), min(127, known.highest + 7)
    ladder = Ladder(tuple(pitch for pitch in range(low, high + 1) if pitch % 12 in classes) or (low,))
    fields: dict[str, Any] = {
        "phrase": phrase,
        "known": known,
        "ladder": ladder,
        "before": phrase.pitches[-8:],
        "weights": weights_of(said, MAJOR),
        "stable": [1.0 if pitch in (0, 4, 7) else 0.01 for pitch in range(12)],
        "goal": min(ladder.pitches, key=lambda pitch: (pitch % 12 not in (0, 4, 7), abs(pitch - known.middle))),
        "centre": sum(phrase.pitches) / len(phrase),
        "span": float(known.usual_span),
        "fewest": max(1, round(0.75 * len(phrase))),
        "most": min(32, round(1.3 * len(phrase)) + 1),
        "seconds": max(0.1, phrase.seconds),
    }
    return Brief(**{**fields, **changes})


def dice(seed: int = 1) -> Dice:
    return Dice(np.random.default_rng(seed))
