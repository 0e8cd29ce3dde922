"""Decoding a whole piece by frequency rank, exactly as the original did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.echo.decoding import decode_whole, levels_of, rate_population
from improviser.core.echo.encoding import EncodedNotes
from tests.core.echo.original import Echo, plain_decode, plain_levels, recorded

# Few different values, so that ties and exact halves are common; and all others.
outputs = st.one_of(
    st.integers(-6, 6).map(float),
    st.integers(-40, 40).map(lambda number: number / 10),
    st.floats(-1e6, 1e6, allow_subnormal=False),
)


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[int], list[list[float]]]:
    """Draw the pitches of a piece, and the outputs of some networks for it."""
    pitches = draw(st.lists(st.integers(55, 70), min_size=1, max_size=40))
    rows = st.lists(outputs, min_size=len(pitches), max_size=len(pitches))
    return pitches, draw(st.lists(rows, min_size=1, max_size=4))


@pytest.mark.parametrize("echo", recorded())
def test_decoded_notes_and_ratings_are_the_originals(echo: Echo) -> None:
    notes = EncodedNotes.of(echo.pitches)
    raw = np.array(echo.raw)
    assert notes.decode(decode_whole(raw, notes.ranked)) == echo.played
    rating = rate_population(raw[None], notes.numbers, notes.ranked)
    assert rating.tolist() == pytest.approx([echo.rating], abs=1e-12)


@given(runs())
def test_decoding_is_counting(run: tuple[list[int], list[list[float]]]) -> None:
    pitches, rows = run
    notes = EncodedNotes.of(pitches)
    for row in rows:
        decoded = decode_whole(np.array(row), notes.ranked)
        assert decoded.tolist() == plain_decode(row, notes.numbers.tolist())


@given(runs())
def test_the_levels_of_a_population_are_those_of_each(run: tuple[list[int], list[list[float]]]) -> None:
    _, rows = run
    together = levels_of(np.array(rows), 7)
    assert together.tolist() == [plain_levels(row, 7) for row in rows]


@given(runs())
def test_the_rating_is_the_correlation_of_what_was_decoded(run: tuple[list[int], list[list[float]]]) -> None:
    pitches, rows = run
    notes = EncodedNotes.of(pitches)
    ratings = rate_population(np.array(rows), notes.numbers, notes.ranked)
    for row, rating in zip(rows, ratings, strict=True):
        decoded = np.array(plain_decode(row, notes.numbers.tolist()))
        if len(set(decoded)) < 2 or len(notes.pitches) < 2:
            assert np.isnan(rating)
        else:
            assert rating == pytest.approx(np.corrcoef(notes.numbers, decoded)[0, 1], abs=1e-12)


def test_halves_round_to_even() -> None:
    # Seven steps over 0 … 7: 0.5, 1.5, 2.5 lie exactly between.
    assert levels_of(np.array([0.0, 0.5, 1.5, 2.5, 7.0]), 7).tolist() == [0, 0, 2, 2, 7]


def test_a_level_without_a_note_becomes_number_0() -> None:
    # Two different notes have three levels; the last to appear, and not more frequent, is left over.
    notes = EncodedNotes.of([60, 62, 62])
    assert decode_whole(np.array([0.0, 1.0, 2.0]), notes.ranked).tolist() == [1, 0, 0]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_no_numbers_have_no_rating_and_spoil_no_other(broken: float) -> None:
    notes = EncodedNotes.of([60, 62, 64, 62])
    good = notes.numbers.astype(float)
    ratings = rate_population(np.array([good, [0.0, broken, 1.0, 2.0], good]), notes.numbers, notes.ranked)
    assert np.isnan(ratings).tolist() == [False, True, False]
    assert ratings[0] == ratings[2]


def test_nothing_decodes_to_nothing() -> None:
    assert decode_whole(np.zeros(0), np.zeros(0, np.int64)).tolist() == []
