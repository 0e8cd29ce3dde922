"""The causal decoder: what a live echo plays, from what it has heard so far."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.echo.causal import BORROWED, MEMORY, OTHERS, CausalDecoder, Tables
from improviser.core.echo.decoding import decode_whole
from improviser.core.echo.encoding import EncodedNotes
from improviser.errors import ModelError

heard = st.lists(st.tuples(st.integers(0, 127), st.floats(-100, 100, allow_subnormal=False)), min_size=1, max_size=60)


def tables_of(pitches: list[int]) -> Tables:
    notes = EncodedNotes.of(pitches)
    return Tables.of(notes, notes.numbers.astype(float))


@given(heard)
def test_an_empty_memory_decodes_what_was_heard_as_a_whole(heard: list[tuple[int, float]]) -> None:
    decoder = CausalDecoder(Tables())
    for count, (pitch, raw) in enumerate(heard, 1):
        preferences = decoder.log_preferences(pitch, raw)
        notes = EncodedNotes.of([pitch for pitch, _ in heard[:count]])
        whole = notes.decode(decode_whole(np.array([raw for _, raw in heard[:count]]), notes.ranked))
        assert preferences.argmax() == whole[-1]
        decoder.hear(pitch, raw)


@given(heard, st.booleans())
def test_preferences_are_probabilities_nearly_all_on_one_pitch(heard: list[tuple[int, float]], tuned: bool) -> None:
    decoder = CausalDecoder(tables_of([60, 62, 64, 60]) if tuned else Tables())
    for pitch, raw in heard:
        probabilities = np.exp(decoder.log_preferences(pitch, raw))
        assert probabilities.shape == (128,)
        assert probabilities.sum() == pytest.approx(1.0)
        assert (probabilities > 0).all()
        assert probabilities.max() == pytest.approx(1 - OTHERS)
        decoder.hear(pitch, raw)


def test_looking_changes_nothing() -> None:
    decoder = CausalDecoder(tables_of([60, 62, 64, 60]))
    first = decoder.log_preferences(70, 1.5)
    decoder.log_preferences(71, -5.0)
    assert (decoder.log_preferences(70, 1.5) == first).all()


def test_the_second_choice_is_a_note_of_the_tune() -> None:
    decoder = CausalDecoder(tables_of([60, 60, 60, 67, 67, 72]))
    preferences = decoder.log_preferences(67, 1.0)
    first, second, third = np.argsort(-preferences)[:3]
    assert {int(first), int(second), int(third)} == {60, 67, 72}


def test_the_tables_give_way_to_what_is_heard() -> None:
    decoder = CausalDecoder(tables_of([60, 62] * 200))
    for turn in range(BORROWED):
        assert int(decoder.log_preferences(60, 0.0).argmax()) in {60, 62, 70, 74}
        decoder.hear((70, 74)[turn % 2], float(turn % 2))
    assert int(decoder.log_preferences(70, 0.0).argmax()) in {70, 74}
    assert int(decoder.log_preferences(74, 1.0).argmax()) in {70, 74}


def test_the_first_note_heard_pushes_out_a_mixture() -> None:
    # If the memory were sorted, a few notes would push out all of one pitch.
    numbers, _ = tables_of([60, 62] * 200).memory()
    assert len(numbers) == BORROWED
    assert set(numbers[:8].tolist()) == {0, 1}


def test_numbers_of_new_pitches_are_bounded() -> None:
    decoder = CausalDecoder(tables_of([60, 62]))
    for turn in range(1000):
        decoder.hear(turn % 128, float(turn))
    assert sorted(decoder.number_of(pitch) for pitch in range(128)) == list(range(128))


def test_memory_keeps_the_proportions() -> None:
    numbers, outputs = tables_of([60] * 900 + [62] * 90 + [64] * 10).memory()
    assert len(numbers) == len(outputs) == BORROWED
    counts = np.bincount(numbers)
    assert abs(counts - np.array([900, 90, 10]) * BORROWED / 1000).max() <= 1


@given(heard, st.integers(0, 2 * MEMORY))
def test_ranks_are_taken_from_the_last_notes_alone(heard: list[tuple[int, float]], before: int) -> None:
    decoder = CausalDecoder(tables_of([60, 62, 64, 60] * 40))
    notes = [(40 + turn % 7, float(turn % 5)) for turn in range(before)] + heard
    for pitch, raw in notes:
        decoder.hear(pitch, raw)
    expected = notes[-MEMORY:]
    if len(notes) >= BORROWED:
        assert decoder._chronological(decoder._raw).tolist() == [raw for _, raw in expected]
    else:
        assert decoder._chronological(decoder._raw).tolist()[BORROWED - len(notes) :] == [raw for _, raw in expected]
        assert len(decoder._chronological(decoder._raw)) == BORROWED


@given(st.lists(st.integers(0, 127), min_size=1, max_size=50))
def test_tables_survive_settings(pitches: list[int]) -> None:
    tables = tables_of(pitches)
    assert Tables.of_settings(tables.settings()) == tables


@pytest.mark.parametrize(
    "change",
    [
        {"pitches": None},
        {"pitches": [60, 60, 64]},
        {"pitches": [60, 62, 128]},
        {"pitches": [60, 62, -1]},
        {"pitches": [60, 62, "64"]},
        {"pitches": [60, 62, True]},
        {"pitch_counts": [1, 1]},
        {"pitch_counts": [2, 1, 0]},
        {"pitch_counts": [1, 1, 10**12]},
        {"level_counts": [1, 1, 1]},
        {"level_counts": [1, 1, 1, 1]},
        {"level_counts": [2, 2, 0, -1]},
        {"output_range": [1.0, 0.0]},
        {"output_range": [0.0]},
        {"output_range": [0.0, 1e999]},
        {"output_range": [-1e308, 1e308]},
        {"output_range": "ab"},
    ],
)
def test_tables_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="damaged"):
        Tables.of_settings(tables_of([60, 62, 64]).settings() | change)
