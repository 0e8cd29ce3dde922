"""Notes as numbers by their first appearance, and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.echo.encoding import EncodedNotes, by_frequency

pieces = st.lists(st.lists(st.integers(0, 127), max_size=30), min_size=1, max_size=4)


def test_numbers_follow_the_first_appearance() -> None:
    notes = EncodedNotes.of([67, 60, 67, 72, 60])
    assert notes.pitches == (67, 60, 72)
    assert notes.numbers.tolist() == [0, 1, 0, 2, 1]
    assert notes.counts.tolist() == [2, 2, 1]
    assert notes.ranked.tolist() == [0, 1, 2]


def test_the_most_frequent_comes_first_and_ties_keep_their_order() -> None:
    assert by_frequency(np.array([1, 3, 2, 3])).tolist() == [1, 3, 2, 0]


@given(pieces)
def test_decoding_undoes_encoding(pieces: list[list[int]]) -> None:
    notes = EncodedNotes.of(*pieces)
    assert notes.decode(notes.numbers) == [pitch for piece in pieces for pitch in piece]


@given(pieces, st.integers(1, 12))
def test_a_window_holds_the_piece_so_far(pieces: list[list[int]], lookback: int) -> None:
    notes = EncodedNotes.of(*pieces)
    windows = notes.windows(lookback)
    rows = iter(windows.tolist())
    numbers = iter(notes.numbers.tolist())
    for piece in pieces:
        heard: list[int] = []
        for _ in piece:
            heard.append(next(numbers))
            last = heard[-lookback:]
            assert next(rows) == last + [0] * (lookback - len(last))
    assert next(rows, None) is None
