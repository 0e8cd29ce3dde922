"""Harmony, live: what is trained is what is played, the contract of `distribution`, and manners in any register."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.harmony.corpus import harmony_notes
from improviser.core.harmony.model import Answers, HarmonyModel, below
from improviser.core.harmony.session import EXPERTS, Accompaniment, into_register
from improviser.core.music.counterpoint import Counterpoint
from improviser.core.music.note import Note
from improviser.core.music.piece import sounding_at
from improviser.core.networks.choir import normalised, read_settings
from improviser.core.networks.memory import LEAST
from improviser.core.networks.population import Batch, Scorer
from improviser.core.networks.task import choir_log_probabilities
from improviser.errors import ModelError
from tests.core.harmony.duets import BASS, a_bass, a_model, a_tune

PLAYED = st.lists(
    st.tuples(st.integers(0, 127), st.floats(0.0, 2.0), st.one_of(st.none(), st.integers(0, 127))), max_size=40
)


@pytest.mark.parametrize("rests", [0.0, 0.2])
def test_what_is_trained_is_what_is_played(rests: float) -> None:
    model = a_model()
    tune = a_tune(60)
    bass = a_bass(tune, rests=rests)
    notes = harmony_notes([(tune, bass)], BASS)
    logs = choir_log_probabilities(Scorer(model.shape), model.genomes, Batch(model.shape, notes))
    answers = sounding_at(bass, [note.onset_seconds for note in tune], tolerance_seconds=0.01)
    responder = model.responder()
    for index, (note, answer) in enumerate(zip(tune, answers, strict=True)):
        live = responder.propose(note.pitch, note.onset_seconds)[36:65]
        trained = logs[:-1, index]
        np.testing.assert_allclose(live - live.max(), trained - trained.max(), atol=2e-4)
        responder.learn(note.pitch, note.onset_seconds, answer)


def test_distribution_is_what_the_responder_proposes() -> None:
    model, tune = a_model(), a_tune(30)
    bass = a_bass(tune)
    responder = model.responder()
    answers = sounding_at(bass, [note.onset_seconds for note in tune], tolerance_seconds=0.01)
    for index, (note, answer) in enumerate(zip(tune, answers, strict=True)):
        history = [own for own in bass if own.onset_seconds < note.onset_seconds]
        found = model.distribution(history, onset_seconds=note.onset_seconds, player=tune[: index + 1])
        np.testing.assert_allclose(found, np.exp(normalised(responder.propose(note.pitch, note.onset_seconds))))
        responder.learn(note.pitch, note.onset_seconds, answer)


def test_held_notes_and_one_note_for_each_onset_are_the_same_history() -> None:
    model, tune = a_model(), a_tune(30)
    bass = a_bass(tune)
    answers = sounding_at(bass, [note.onset_seconds for note in tune], tolerance_seconds=0.01)
    single = [replace(note, pitch=answer) for note, answer in zip(tune, answers, strict=True) if answer is not None]
    onset = tune[-1].end_seconds
    player = [*tune, Note(72, onset, 0.5)]
    np.testing.assert_array_equal(
        model.distribution(bass, onset_seconds=onset, player=player),
        model.distribution(single, onset_seconds=onset, player=player),
    )


def test_what_sounds_when_the_player_plays() -> None:
    player = [Note(70, float(onset), 1.0) for onset in range(6)]
    own = [
        Note(40, 1.005, 0.0),  # a little late, and as short as can be
        Note(41, 2.0, 1.5),  # held over the next
        Note(42, 3.6, 0.1),  # between two onsets, and over
        Note(43, 4.5, 2.0),
    ]
    answers = Answers(own)
    assert [answers.to(note) for note in player] == [None, 40, 41, 41, None, 43]


@given(st.integers(0, 50), st.sampled_from([0.5, 2.0]))
@settings(max_examples=25, deadline=None)
def test_tempo_changes_nothing(seed: int, factor: float) -> None:
    model, tune = a_model(), a_tune(20, seed)
    bass = a_bass(tune, seed)
    scaled = [
        [replace(n, onset_seconds=n.onset_seconds * factor, duration_seconds=n.duration_seconds * factor) for n in line]
        for line in (tune, bass)
    ]
    onset = tune[-1].onset_seconds
    as_written = model.distribution(bass[:-1], onset_seconds=onset, player=tune)
    otherwise = model.distribution(scaled[1][:-1], onset_seconds=onset * factor, player=scaled[0])
    np.testing.assert_array_equal(as_written, otherwise)


@given(PLAYED, st.integers(0, 127), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_session_gives_a_distribution(
    played: list[tuple[int, float, int | None]], pitch: int, narrow: bool
) -> None:
    model = a_model()
    onset, player, history = 0.0, [], []
    for heard, gap, answer in played:
        player.append(Note(heard, onset, gap))
        if answer is not None:
            history.append(Note(answer, onset, gap))
        onset += gap
    candidates = [40, 50, 60] if narrow else None
    found = model.distribution(
        history, onset_seconds=onset, player=[*player, Note(pitch, onset, 0.1)], candidates=candidates
    )
    assert found.dtype == np.float64
    assert found.shape == ((3,) if narrow else (128,))
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0, abs=1e-9)


def test_without_a_player_there_is_still_a_distribution() -> None:
    model = a_model()
    assert model.distribution([], onset_seconds=0.0).sum() == pytest.approx(1)
    assert model.distribution([Note(50, 0.0, 1.0)], onset_seconds=1.0).sum() == pytest.approx(1)


@pytest.mark.parametrize("low", [36, 43, 48, 55])
def test_a_player_below_the_corpus_is_answered_from_below(low: int) -> None:
    model = a_model()
    responder = model.responder()
    for number, note in enumerate(a_tune(40)):
        pitch = note.pitch - 12 if number % 2 else low
        logs = normalised(responder.propose(pitch, note.onset_seconds))
        assert np.exp(logs).sum() == pytest.approx(1.0)
        if pitch < 57:
            assert np.exp(logs[pitch:]).sum() == 0
        responder.learn(pitch, note.onset_seconds, int(logs.argmax()))


@given(st.integers(31, 127), st.integers(0, 1000))
def test_folding_keeps_the_pitch_classes(pitch: int, seed: int) -> None:
    weights = np.random.default_rng(seed).random(128)
    weights /= weights.sum()
    folded = np.exp(below(np.log(weights), pitch))
    assert folded.sum() == pytest.approx(1)
    for pitch_class in range(12):
        assert folded[pitch_class::12].sum() == pytest.approx(weights[pitch_class::12].sum())


def test_proposing_changes_nothing_and_reset_forgets() -> None:
    model = a_model()
    responder = model.responder()
    first = responder.propose(72, 0.0)
    np.testing.assert_array_equal(first, responder.propose(72, 0.0))
    responder.learn(72, 0.0, 48)
    assert not np.array_equal(first, responder.propose(72, 0.0))
    responder.reset()
    np.testing.assert_array_equal(first, responder.propose(72, 0.0))


def test_a_model_taken_apart_and_put_together_plays_the_same() -> None:
    model = a_model()
    model_settings, tensors = model.to_parts()
    again = HarmonyModel.from_parts("again", model_settings, tensors)
    assert again.name == "again"
    np.testing.assert_array_equal(model.responder().propose(70, 0.0), again.responder().propose(70, 0.0))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("viewpoints", ["the player's mood"]),
        ("viewpoints", ["gap", "gap"]),
        ("viewpoints", "gap"),
        ("register", [64, 36]),
        ("register", [36]),
        ("register", [36, 10**9]),
        ("hidden", 0),
        ("hidden", 10**9),
        ("hidden", True),
        ("reach", -1),
        ("level", "secret"),
        ("voice", 5),
        ("hidden", 7),
    ],
)
def test_settings_that_do_not_fit_are_refused(key: str, value: object) -> None:
    model_settings, tensors = a_model().to_parts()
    with pytest.raises(ModelError):
        HarmonyModel.from_parts("bad", {**model_settings, key: value}, tensors)


def test_genomes_that_do_not_fit_are_refused() -> None:
    model = a_model()
    model_settings, tensors = model.to_parts()
    genomes = tensors["genomes"]
    for bad in (genomes[:, :-1], genomes[0], genomes[:0], np.full_like(genomes, np.nan)):
        with pytest.raises(ModelError):
            HarmonyModel.from_parts("bad", model_settings, {"genomes": bad})
    with pytest.raises(ModelError):
        HarmonyModel.from_parts("bad", model_settings, {})
    assert read_settings(model_settings) == BASS


@given(st.integers(0, 127), st.integers(0, 127), st.integers(11, 60))
def test_pitches_are_folded_into_a_register(pitch: int, low: int, width: int) -> None:
    register = low, low + width
    folded = into_register(pitch, register)
    assert (folded - pitch) % 12 == 0
    assert register[0] <= folded <= register[1]
    assert folded == pitch or not register[0] <= pitch <= register[1]


def test_a_model_evolved_with_low_players_does_not_flee_from_them() -> None:
    deep = a_model(replace(BASS, player=(30, 60)))
    logs = deep.responder().propose(45, 0.0)
    assert np.isfinite(logs[45:65]).all()
    assert read_settings(deep.to_parts()[0]).player == (30, 60)


@given(
    st.integers(45, 90),
    st.integers(36, 64),
    st.integers(45, 90),
)
def test_parallels_are_seen_where_they_would_be(earlier: int, own: int, pitch: int) -> None:
    session = Accompaniment((36, 64), (57, 81))
    session.learn(earlier, 0.0, own)
    row = session.look(pitch, 0.5).experts[EXPERTS.index("parallels")]
    for candidate in range(36, 65):
        counted = Counterpoint()
        counted.add([own, candidate], 0, minor=False, player=[earlier, pitch])
        assert row[candidate - 36] == pytest.approx(LEAST + (counted.parallels > 0))


def test_nothing_is_parallel_to_a_rest() -> None:
    session = Accompaniment((36, 64), (57, 81))
    session.learn(67, 0.0, 48)
    session.learn(67, 0.5, None)
    assert (session.look(69, 1.0).experts[-1] == LEAST).all()
