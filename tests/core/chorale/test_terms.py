"""What is read fast while somebody plays is what the tables were fitted by."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.session import ChoraleSession, combine, likeliest, normalised
from improviser.core.chorale.terms import (
    BEATS,
    END_CLASSES,
    ENDS,
    GAPS,
    LOWER,
    PAIRS,
    UPPER,
    Place,
    Terms,
    end_class,
)
from improviser.core.chorale.voices import ChoraleVoices
from improviser.library.catalogue import load_model

PLAYED = st.lists(
    st.tuples(st.integers(0, 127), st.sampled_from((0.02, 0.25, 0.5, 0.5, 1.0, 3.0)), st.integers(0, 215)),
    min_size=1,
    max_size=12,
)
PITCH = st.integers(30, 90)
PLACES = st.builds(
    Place,
    tonic=st.integers(0, 11),
    minor=st.booleans(),
    beat=st.integers(0, BEATS - 1),
    gap=st.integers(0, GAPS - 1),
    end=st.integers(0, END_CLASSES - 1),
    before=st.none() | st.tuples(PITCH, PITCH, PITCH, PITCH),
)


@cache
def chorale() -> ChoraleModel:
    """Return the bundled model."""
    model = load_model("bach-chorale")
    assert isinstance(model, ChoraleModel)
    return model


def scored_by_places(
    model: ChoraleVoices, given: int, pitches: np.ndarray, place: Place, own: np.ndarray
) -> np.ndarray:
    """Return the scores as fitting has them: each number looked up where its term lies."""
    terms, count = model.terms, pitches.shape[1]
    four = np.insert(pitches, model.given, given, axis=0)
    pairs = np.empty((len(terms.pair_kinds), len(PAIRS), count, count), np.int64)
    chords = np.empty((len(terms.chord_kinds), count, count, count), np.int64)
    terms.of_pairs(four[UPPER], four[LOWER], place, pairs)
    terms.of_chords(four, place, chords)
    numbers = model.numbers.astype(np.float64)
    of_pairs, scores = numbers[pairs].sum(axis=0), numbers[chords].sum(axis=0)
    alone = model.weights[:, None] * own + of_pairs[:3, 0]
    scores += (alone[0][:, None] + of_pairs[3])[:, :, None]
    scores += (alone[1][:, None] + of_pairs[5])[None]
    scores += (alone[2] + of_pairs[4])[:, None, :]
    flat: np.ndarray = scores.reshape(-1)
    return flat


@settings(max_examples=25, deadline=None)
@given(PLAYED)
def test_the_fast_scores_are_the_sums_of_their_terms(played: list[tuple[int, float, int]]) -> None:
    model = chorale()
    session, now = ChoraleSession(model), 0.0
    for pitch, gap, number in played:
        now += gap
        opinions = session.look(pitch, now)
        found = combine(model, opinions, likeliest(model, opinions.logs, model.candidates))
        own = np.take_along_axis(opinions.logs, found.pitches, axis=1)
        slow = scored_by_places(model, opinions.given, found.pitches, opinions.place, own)
        np.testing.assert_allclose(found.scores, slow, atol=1e-4)
        assert np.exp(normalised(found.scores)).sum() == pytest.approx(1)
        session.learn(pitch, now, found.pitches_of(number))


@settings(max_examples=60, deadline=None)
@given(PLACES, st.lists(st.lists(PITCH, min_size=3, max_size=3), min_size=3, max_size=3), PITCH)
def test_each_kind_has_its_own_numbers(place: Place, parts: list[list[int]], tune: int) -> None:
    terms = Terms((145, 137, 265))
    four = np.array([[tune] * 3, *parts])
    pairs = np.empty((len(terms.pair_kinds), len(PAIRS), 3, 3), np.int64)
    chords = np.empty((len(terms.chord_kinds), 3, 3, 3), np.int64)
    terms.of_pairs(four[UPPER], four[LOWER], place, pairs)
    terms.of_chords(four, place, chords)
    for name, places in zip((*terms.pair_kinds, *terms.chord_kinds), (*pairs, *chords), strict=True):
        assert terms.slices[name].start <= places.min() <= places.max() < terms.slices[name].stop, name


@settings(max_examples=60, deadline=None)
@given(PLACES, st.lists(PITCH, min_size=4, max_size=4), st.integers(-12, 12))
def test_most_terms_are_alike_in_every_key(place: Place, chord: list[int], shift: int) -> None:
    terms = Terms((145, 137, 265))
    found = []
    for moved in (0, shift):
        before = None if place.before is None else tuple(pitch + moved for pitch in place.before)
        there = Place((place.tonic + moved) % 12, place.minor, place.beat, place.gap, place.end, before)
        four = np.array(chord)[:, None] + moved
        places = np.empty((len(terms.pair_kinds), len(PAIRS), 1, 1), np.int64)
        chords = np.empty((len(terms.chord_kinds), 1, 1, 1), np.int64)
        terms.of_pairs(four[UPPER], four[LOWER], there, places)
        terms.of_chords(four, there, chords)
        found.append((places.tolist(), chords.tolist()))
    assert found[0] == found[1]


def test_the_classes_of_ends_are_in_order() -> None:
    assert [end_class(chance) for chance in (0.0, *ENDS, 1.0)] == [0, *range(1, END_CLASSES), END_CLASSES - 1]
