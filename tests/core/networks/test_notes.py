"""Notes to score: what the network sees of them, and what is hidden from it."""

import numpy as np

from tests.core.networks.populations import SHAPES, some_notes


def test_choices_are_ones_and_numbers_are_in_their_columns() -> None:
    notes = some_notes(SHAPES[0], 50)
    inputs = notes.inputs()
    assert inputs.shape == (50, 9)
    for row, (choices, numbers) in zip(inputs, zip(notes.choices, notes.numbers, strict=True), strict=True):
        wanted = np.zeros(9, dtype=np.float32)
        wanted[[choice for choice in choices if choice >= 0]] = 1
        wanted[4:7] = numbers
        wanted[8] = 1
        np.testing.assert_array_equal(row, wanted)


def test_taken_notes_keep_all_they_have() -> None:
    notes = some_notes(SHAPES[2], 50)
    chosen = np.array([7, 7, 3])
    taken = notes.take(chosen)
    assert len(taken) == 3
    np.testing.assert_array_equal(taken.inputs(), notes.inputs()[chosen])
    assert taken.experts is not None
    assert notes.experts is not None
    np.testing.assert_array_equal(taken.experts, notes.experts[chosen])
    np.testing.assert_array_equal(taken.target, notes.target[chosen])


def test_the_blinded_see_less_but_always_the_constant() -> None:
    notes = some_notes(SHAPES[0], 2000)
    blinded = notes.blinded(np.random.default_rng(0), 0.25).inputs()
    seen = notes.inputs()
    assert (blinded[:, -1] == 1).all()
    hidden = (blinded != seen)[:, :-1]
    assert (blinded[:, :-1][hidden] == 0).all()
    assert abs(hidden.sum() / np.count_nonzero(seen[:, :-1]) - 0.25) < 0.02
    np.testing.assert_array_equal(notes.blinded(np.random.default_rng(0), 0.0).inputs(), seen)
