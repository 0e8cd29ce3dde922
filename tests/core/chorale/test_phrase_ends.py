"""The end of a phrase is expected where phrases have ended before: after so many beats, and on such notes."""

import math

import numpy as np

from improviser.core.chorale.phrase_ends import (
    AGAIN,
    LENGTHS,
    PhraseEnds,
    PhraseNote,
    again_classes,
    count_ends,
)
from improviser.core.music.rhythm import RhythmTracker

LINE = ((0, 0), (2, 2), (4, 2), (5, 1), (4, -1), (2, -2), (2, 0), (0, -2))


def tune(lines: int, pulse: float) -> list[PhraseNote]:
    """Return a tune of lines of eight notes, the last of each twice as long."""
    notes: list[PhraseNote] = []
    now = 0.0
    for _ in range(lines):
        for number, (degree, step) in enumerate(LINE):
            notes.append((degree, step, now, number == len(LINE) - 1))
            now += pulse * (2 if number == len(LINE) - 1 else 1)
    return notes


def chances(ends: PhraseEnds, notes: list[PhraseNote]) -> np.ndarray:
    """Return how likely each note is to end a phrase as it begins."""
    found, rhythm = [], RhythmTracker()
    for degree, step, onset, _ in notes:
        moment = rhythm.look(onset)
        found.append(ends.look(degree, step, onset, moment))
        ends.hear(degree, step, onset, moment)
        rhythm.hear(onset)
    return np.array(found)


def test_ends_are_foreseen_in_any_tempo() -> None:
    tables = count_ends([tune(6, 0.5)])
    slow, fast = (chances(PhraseEnds(tables), tune(4, pulse)) for pulse in (0.5, 0.2))
    np.testing.assert_allclose(slow, fast)
    last = np.arange(1, len(slow) + 1) % len(LINE) == 0
    assert slow[last].min() > 2 * slow[~last].max()


def test_a_look_changes_nothing() -> None:
    ends = PhraseEnds(count_ends([tune(6, 0.5)]))
    heard, rhythm = tune(2, 0.5), RhythmTracker()
    for degree, step, onset, _ in heard:
        for other in range(12):
            ends.look(other, 3, onset + 0.1, rhythm.look(onset + 0.1))
        ends.hear(degree, step, onset, rhythm.look(onset))
        rhythm.hear(onset)
    last = rhythm.look(99.0)
    again = PhraseEnds(count_ends([tune(6, 0.5)]))
    chances(again, heard)
    assert ends.look(0, 0, 99.0, last) == again.look(0, 0, 99.0, last)


def test_any_times_give_chances() -> None:
    ends = PhraseEnds(count_ends([tune(6, 0.5)]))
    rhythm = RhythmTracker()
    for onset in (0.0, 0.0, 1e-9, 5.0, 5.0, 4.0, 1e6, 1e6 + 1e-5):
        moment = rhythm.look(onset)
        assert 0 <= ends.look(0, 20, onset, moment) <= 1
        ends.hear(0, -20, onset, moment)
        rhythm.hear(onset)
    assert math.isfinite(ends.look(0, 0, 2e6, rhythm.look(2e6)))


def test_phrases_as_long_as_those_before_are_foreseen() -> None:
    lengths = np.zeros(LENGTHS)
    assert not again_classes(lengths).any()
    lengths[14], lengths[6] = 2.0, 1.0
    classes = again_classes(lengths)
    assert classes[14] > classes[6] > classes[10] > 0
    assert classes.max() < AGAIN
    lengths[14] = 30.0
    assert again_classes(lengths).max() < AGAIN
