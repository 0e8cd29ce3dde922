"""The end of a phrase is expected where phrases have ended before: after so many beats, and on such notes."""

import math

import numpy as np

from improviser.core.chorale.phrase_ends import PhraseEnds, PhraseNote, count_ends

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
    found = []
    for degree, step, onset, _ in notes:
        found.append(ends.look(degree, step, onset))
        ends.hear(degree, step, onset)
    return np.array(found)


def test_ends_are_foreseen_in_any_tempo() -> None:
    tables = count_ends([tune(6, 0.5)])
    slow, fast = (chances(PhraseEnds(tables), tune(4, pulse)) for pulse in (0.5, 0.2))
    np.testing.assert_allclose(slow, fast)
    last = np.arange(1, len(slow) + 1) % len(LINE) == 0
    assert slow[last].min() > 2 * slow[~last].max()


def test_a_look_changes_nothing() -> None:
    ends = PhraseEnds(count_ends([tune(6, 0.5)]))
    heard = tune(2, 0.5)
    for degree, step, onset, _ in heard:
        for other in range(12):
            ends.look(other, 3, onset + 0.1)
        ends.hear(degree, step, onset)
    again = PhraseEnds(count_ends([tune(6, 0.5)]))
    chances(again, heard)
    assert ends.look(0, 0, 99.0) == again.look(0, 0, 99.0)


def test_any_times_give_chances() -> None:
    ends = PhraseEnds(count_ends([tune(6, 0.5)]))
    for onset in (0.0, 0.0, 1e-9, 5.0, 5.0, 4.0, 1e6, 1e6 + 1e-5):
        assert 0 <= ends.look(0, 20, onset) <= 1
        ends.hear(0, -20, onset)
    assert math.isfinite(ends.look(0, 0, 2e6))
