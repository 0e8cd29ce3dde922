"""Melody, live: what is trained is what is sung, tempo and octave do not matter, and the contract of `distribution`."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.melody.corpus import melody_notes
from improviser.core.melody.model import CLASHES, MelodyModel
from improviser.core.melody.session import EXPERTS, VIEWPOINTS, Melody
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings, normalised
from improviser.core.networks.memory import REMEMBERED
from improviser.core.networks.network import first_genomes
from improviser.core.networks.population import Batch, Scorer
from improviser.core.networks.task import choir_log_probabilities
from improviser.core.networks.viewpoints import Inputs
from improviser.errors import ModelError
from tests.core.harmony.duets import a_tune

TUNE = ChoirSettings(
    "melody", "live", tuple(VIEWPOINTS), hidden=5, low=57, high=90, reach=12, rest=False, experts=EXPERTS
)


def a_model(chosen: ChoirSettings = TUNE) -> MelodyModel:
    rng = np.random.default_rng(0)
    shape = chosen.shape(Inputs(chosen.viewpoints, VIEWPOINTS).size, vertical=False)
    genomes = first_genomes(shape, rng, 3)
    genomes += 0.3 * rng.standard_normal(genomes.shape, dtype=np.float32)
    return MelodyModel("a-melody", chosen, genomes)


@pytest.mark.parametrize("chosen", [TUNE, replace(TUNE, experts=())])
def test_what_is_trained_is_what_is_sung(chosen: ChoirSettings) -> None:
    model, tune = a_model(chosen), a_tune(70)
    notes = melody_notes([tune], chosen)
    logs = choir_log_probabilities(Scorer(model.shape), model.genomes, Batch(model.shape, notes))
    responder = model.responder()
    for index, note in enumerate(tune):
        live = responder.proceed(note.onset_seconds)[57:91]
        np.testing.assert_allclose(live - live.max(), logs[:, index] - logs[:, index].max(), atol=3e-4)
        # As if it had sung the note: a random network foresees nothing, and might begin a new tune here or there.
        responder.follow(note.pitch, note.onset_seconds, own=True)


def test_distribution_is_what_the_responder_proposes() -> None:
    model, tune = a_model(), a_tune(40)
    responder = model.responder()
    for index, note in enumerate(tune):
        found = model.distribution(tune[:index], onset_seconds=note.onset_seconds, player=tune[: index + 1])
        np.testing.assert_allclose(
            found, np.exp(normalised(responder.propose(note.pitch, note.onset_seconds))), atol=1e-12
        )
        responder.learn(note.pitch, note.onset_seconds, note.pitch)


@given(st.integers(0, 50), st.sampled_from([0.5, 2.0]))
@settings(max_examples=20, deadline=None)
def test_tempo_changes_nothing(seed: int, factor: float) -> None:
    model, tune = a_model(), a_tune(30, seed)
    scaled = [replace(note, onset_seconds=note.onset_seconds * factor) for note in tune]
    onset = tune[-1].end_seconds
    np.testing.assert_array_equal(
        model.distribution(tune, onset_seconds=onset),
        model.distribution(scaled, onset_seconds=onset * factor),
    )


@pytest.mark.parametrize("octaves", [-3, -2, 2])
def test_far_octaves_are_sung_alike(octaves: int) -> None:
    model, tune = a_model(), a_tune(40)
    low, high = 57 + 12 * octaves, min(90 + 12 * octaves, 127)
    chances = []
    for shift in (0, 12 * octaves):
        responder = model.responder()
        for note in tune:
            responder.follow(note.pitch + shift, note.onset_seconds, own=True)
        chances.append(np.exp(responder.proceed(40.0)))
    here, there = chances
    np.testing.assert_allclose(there[low : high + 1], here[57 : high + 1 - 12 * octaves], rtol=1e-3)


@given(st.lists(st.tuples(st.integers(0, 127), st.floats(0.0, 2.0)), max_size=30), st.integers(0, 127), st.booleans())
@settings(max_examples=50, deadline=None)
def test_any_session_gives_a_distribution(played: list[tuple[int, float]], player: int, narrow: bool) -> None:
    model = a_model()
    onset, history = 0.0, []
    for pitch, gap in played:
        history.append(Note(pitch, onset, gap))
        onset += gap
    candidates = [player, player, 60] if narrow else None
    found = model.distribution(history, onset_seconds=onset, candidates=candidates)
    assert found.shape == ((3,) if narrow else (128,))
    assert found.sum() == pytest.approx(1.0, abs=1e-9)
    against = model.distribution(history, onset_seconds=onset, player=[Note(player, onset, 1.0)])
    assert against.sum() == pytest.approx(1.0, abs=1e-9)
    assert all(against[pitch] == 0 for pitch in range(128) if (pitch - player) % 12 in CLASHES)


def test_a_session_remembers_what_was_sung_and_forgets_on_reset() -> None:
    model = a_model()
    responder = model.responder()
    first = responder.proceed(0.0)
    responder.learn(70, 0.0, 65)
    assert not np.array_equal(first, responder.proceed(0.5))
    responder.reset()
    np.testing.assert_array_equal(first, responder.proceed(0.0))


def test_a_second_line_hears_the_key_of_the_player() -> None:
    session, alone = Melody(57, 81), Melody(57, 81)
    for pitch in (68, 70, 72, 73, 75, 77, 79, 80):  # A flat major
        session.overhear(pitch)
    assert session.look(0.0).tonic == 8
    assert alone.look(0.0, 68).tonic != alone.look(0.0).tonic
    assert (session.look(0.0).pitches, session.look(0.0).mean) == (alone.look(0.0).pitches, alone.look(0.0).mean)


def test_the_memory_expects_a_phrase_that_was_sung_before() -> None:
    phrase = [60, 67, 65, 64, 62, 69, 71, 72]
    session = Melody(57, 81)
    for number, pitch in enumerate(phrase * 2 + phrase[:4]):
        session.learn(pitch, number * 0.5)
    now = session.look(10.0)
    for row, name in zip(now.experts[:3], EXPERTS, strict=False):
        assert int(row.argmax()) + 57 == 62, name


def test_an_endless_session_stays_small() -> None:
    session = Melody(57, 81)
    rng = np.random.default_rng(0)
    for number, pitch in enumerate(rng.integers(40, 100, 3 * REMEMBERED).tolist()):
        session.learn(pitch, number * 0.5)
    for expert in (session._pitch, session._interval, session._linked, session._class):
        assert len(expert._remembered) == REMEMBERED
        assert sum(len(kept.counts) for kept in expert._counts.values()) <= 5 * REMEMBERED


def test_parts_that_do_not_fit_are_refused() -> None:
    model = a_model()
    model_settings, tensors = model.to_parts()
    again = MelodyModel.from_parts("again", model_settings, tensors)
    np.testing.assert_array_equal(again.responder().proceed(0.0), model.responder().proceed(0.0))
    for key, value in (("experts", ["hearsay"]), ("experts", []), ("viewpoints", ["degree 1"]), ("register", [57, 91])):
        with pytest.raises(ModelError):
            MelodyModel.from_parts("bad", {**model_settings, key: value}, tensors)
