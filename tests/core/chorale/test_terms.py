"""What is read fast while somebody plays is what the tables were fitted by."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.session import ChoraleSession, Opinions, combine, normalised
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
from improviser.errors import ModelError
from improviser.library.catalogue import load_model
from tests.core.chorale.small import small_chorale, voices

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
    bass_before=st.none() | PITCH,
)


@cache
def chorale() -> ChoraleModel:
    """Return the bundled model."""
    model = load_model("bach-chorale")
    assert isinstance(model, ChoraleModel)
    return model


def voices_alone() -> ChoraleModel:
    """Return a small chorale that answers a soprano."""
    return ChoraleModel.of("alone", {0: voices(0)})


def scored_by_places(model: ChoraleVoices, opinions: Opinions, pitches: np.ndarray) -> float:
    """Return the score of a combination as fitting has it: each number looked up where its term lies."""
    terms, place = model.terms, opinions.place
    four = np.insert(pitches, model.given, opinions.given)[:, None]
    pairs = np.empty((len(terms.pair_kinds), len(PAIRS), 1, 1), np.int64)
    chords = np.empty((len(terms.chord_kinds), 1), np.int64)
    terms.of_pairs(four[UPPER], four[LOWER], place, pairs)
    terms.of_chords(four, place, chords)
    numbers = model.numbers.astype(np.float64)
    own = model.weights * opinions.logs[np.arange(3), pitches]
    return float(own.sum() + numbers[pairs].sum() + numbers[chords].sum())


def check_scores(model: ChoraleVoices, played: list[tuple[int, float, int]]) -> None:
    session, now = ChoraleSession(model), 0.0
    for pitch, gap, number in played:
        now += gap
        opinions = session.look(pitch, now)
        found = combine(model, opinions)
        assert 1 <= found.scores.size <= model.candidates**3
        for some in (0, number % found.scores.size, int(found.scores.argmax())):
            slow = scored_by_places(model, opinions, found.pitches[:, some])
            assert found.scores[some] == pytest.approx(slow, abs=1e-4)
            assert found.number_of(found.pitches_of(some)) == some
        assert np.exp(normalised(found.scores)).sum() == pytest.approx(1)
        session.learn(pitch, now, found.pitches_of(number % found.scores.size))


@settings(max_examples=10, deadline=None)
@given(PLAYED)
def test_the_fast_scores_are_the_sums_of_their_terms(played: list[tuple[int, float, int]]) -> None:
    check_scores(chorale(), played)


@pytest.mark.parametrize("voice", range(4))
@settings(max_examples=4, deadline=None)
@given(played=PLAYED)
def test_they_are_for_every_voice_that_is_given(voice: int, played: list[tuple[int, float, int]]) -> None:
    check_scores(voices(voice), played)


def test_what_sounded_is_known_whichever_voice_is_given() -> None:
    chord = (72, 67, 64, 48)
    for voice in range(4):
        session = ChoraleSession(voices(voice))
        session.learn(chord[voice], 0.0, [pitch for other, pitch in enumerate(chord) if other != voice])
        assert session.before == chord
        session.learn(chord[voice], 0.5, None)
        assert session.before == chord


def test_a_file_holds_what_answers_every_voice() -> None:
    model = small_chorale()
    copy = ChoraleModel.from_parts("copy", *model.to_parts())
    assert [*copy.answered] == [0, 1, 2, 3]
    for mine, theirs in zip(model.answered.values(), copy.answered.values(), strict=True):
        np.testing.assert_array_equal(mine.numbers, theirs.numbers)
        assert mine.ornaments is not None
        assert theirs.ornaments is not None
        np.testing.assert_allclose(mine.ornaments.rates, theirs.ornaments.rates)
    alone = ChoraleModel.of("alone", {0: model})
    assert alone.answering(3) is alone
    assert "around" not in alone.to_parts()[0]
    settings, tensors = model.to_parts()
    for name, wrong in (
        ("around", []),
        ("around", {"horn": {}}),
        ("around", {"bass": 3}),
        ("around", {"bass": {"parts": {}}}),
    ):
        with pytest.raises(ModelError, match="damaged"):
            ChoraleModel.from_parts("x", {**settings, name: wrong}, tensors)
    for name in ("ornaments.rates", "bass/ends.gap"):
        with pytest.raises(ModelError, match="damaged"):
            ChoraleModel.from_parts("x", settings, {**tensors, name: -np.ones(tensors[name].shape)})


def test_a_file_of_before_there_were_the_last_kinds_of_terms_is_read() -> None:
    settings, tensors = voices_alone().to_parts()
    size = voices_alone().terms.slices["bass"].stop
    bits = np.unpackbits(tensors["terms.present"])[:size]
    earlier = tensors | {
        "terms.present": np.packbits(bits),
        "terms.numbers": tensors["terms.numbers"][: int(bits.sum())],
    }
    model = ChoraleModel.from_parts("earlier", settings, earlier)
    np.testing.assert_array_equal(model.numbers[:size], voices_alone().numbers[:size])
    assert not model.numbers[size:].any()
    beyond = np.packbits(np.ones(model.numbers.size + 8, np.uint8))
    too_many = tensors | {"terms.present": beyond, "terms.numbers": np.ones(8 * beyond.size, np.float16)}
    with pytest.raises(ModelError, match="damaged"):
        ChoraleModel.from_parts("x", settings, too_many)


def test_what_the_bass_sang_before_is_known() -> None:
    session = ChoraleSession(voices(0))
    for number, low in enumerate((48, 50, 52)):
        session.learn(72, number / 2, [67, 64, low])
        place = session.place(72, number / 2 + 0.5)
        assert place.before is not None
        assert place.before[3] == low
        assert place.bass_before == (None, 48, 50)[number]


@settings(max_examples=60, deadline=None)
@given(PLACES, st.lists(st.lists(PITCH, min_size=3, max_size=3), min_size=3, max_size=3), PITCH)
def test_each_kind_has_its_own_numbers(place: Place, parts: list[list[int]], tune: int) -> None:
    terms = Terms((145, 137, 265))
    four = np.array([[tune] * 3, *parts])
    pairs = np.empty((len(terms.pair_kinds), len(PAIRS), 3, 3), np.int64)
    chords = np.empty((len(terms.chord_kinds), 3), np.int64)
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
        sung = None if place.bass_before is None else place.bass_before + moved
        there = Place((place.tonic + moved) % 12, place.minor, place.beat, place.gap, place.end, before, sung)
        four = np.array(chord)[:, None] + moved
        places = np.empty((len(terms.pair_kinds), len(PAIRS), 1, 1), np.int64)
        chords = np.empty((len(terms.chord_kinds), 1), np.int64)
        terms.of_pairs(four[UPPER], four[LOWER], there, places)
        terms.of_chords(four, there, chords)
        found.append((places.tolist(), chords.tolist()))
    assert found[0] == found[1]


def test_the_classes_of_ends_are_in_order() -> None:
    assert [end_class(chance) for chance in (0.0, *ENDS, 1.0)] == [0, *range(1, END_CLASSES), END_CLASSES - 1]
