"""The figures count what their names say."""

import math

import numpy as np
import pytest

from improviser.core.chorale.figures import CHORDS, ChoralFigures, distance, key_by_end, sets_above

# Soprano, alto, tenor, bass in C: I, V6, I, IV, V7, I.
CADENCE = np.array(
    [
        [72, 67, 64, 48],
        [74, 67, 62, 47],
        [72, 67, 64, 48],
        [72, 69, 65, 53],
        [71, 67, 65, 43],
        [72, 67, 64, 48],
    ]
)
ENDS = np.array([False] * 5 + [True])


def figures(chords: np.ndarray, ends: np.ndarray | None = None, *, minor: bool = False) -> dict[str, float]:
    """Return the figures of one piece in C."""
    counted = ChoralFigures()
    counted.add(chords, 0, minor=minor, ends=ends)
    return counted.figures()


def test_a_cadence_as_in_the_book() -> None:
    found = figures(CADENCE, ENDS)
    assert found["triads and sevenths"] == 1
    assert found["no chord"] == found["crossings"] == found["parallels"] == found["wide spacing"] == 0
    assert found["end on I or V"] == found["end in root position"] == found["last chord is I"] == 1
    assert found["leading tone unresolved"] == found["leading tone doubled"] == 0
    assert found["seventh unresolved"] == 0
    assert found["in scale A"] == found["in scale T"] == found["in scale B"] == 1
    assert found["repeats A"] == pytest.approx(3 / 5)


def test_every_figure_but_those_of_ends_is_there_without_them() -> None:
    assert set(figures(CADENCE, ENDS)) - set(figures(CADENCE)) == {"end on I or V", "end in root position"}
    assert len(figures(CADENCE, ENDS)) == 35


def test_faults_are_found() -> None:
    assert figures(np.array([[72, 67, 64, 48], [74, 69, 66, 50]]))["parallels"] == pytest.approx(2 / 4)
    assert figures(np.array([[60, 67, 64, 48]]))["crossings"] == 1
    assert figures(np.array([[84, 67, 64, 48]]))["wide spacing"] == 1
    assert figures(np.array([[72, 67, 60, 48], [76, 73, 69, 57]]))["overlaps"] == 1
    assert figures(np.array([[72, 71, 61, 48]]))["no chord"] == 1
    assert figures(np.array([[72, 67, 64, 55]]))["6/4 among triads"] == 1
    assert figures(np.array([[71, 67, 59, 55], [69, 67, 60, 52]]))["leading tone doubled"] == 1
    assert figures(np.array([[71, 62, 59, 59]]))["unison of parts"] == 1


def test_a_set_of_pitch_classes_is_one_kind_of_chord() -> None:
    known = [bits for bits, chord in enumerate(CHORDS) if chord.known]
    assert all(bits & 1 for bits in known)
    assert CHORDS[sets_above(CADENCE)[1]].root == 8  # G above B
    assert not CHORDS[0b11].known


def test_the_distance_is_a_mean_over_what_both_have() -> None:
    assert distance({"a": 0.5, "b": 1.0, "d": 3.0}, {"a": 0.0, "b": 0.9, "c": 7.0}) == pytest.approx(0.3)
    assert math.isnan(distance({}, {"a": 1.0}))


def test_the_last_bass_note_is_the_tonic() -> None:
    assert key_by_end([57, 59, 60, 62, 64, 65, 68, 69], 45) == (9, True)
    assert key_by_end([60, 62, 64, 65, 67, 69, 71], 48) == (0, False)
