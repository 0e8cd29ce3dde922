"""An echo model: what it answers, and that it survives being saved."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.echo.causal import Tables
from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.model import EchoModel
from improviser.core.echo.network import EchoNetwork, EchoShape
from improviser.core.music.note import Note
from improviser.errors import ModelError
from tests.core.echo.original import Echo, recorded

TUNE = [60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 72]


def model(layer_type: str = "object", seed: int = 1) -> EchoModel:
    shape = EchoShape((4, 3, 1), "matrix" if layer_type == "matrix" else "object")
    network = EchoNetwork.of_genome(shape, np.random.default_rng(seed).random(shape.genome_size, np.float32))
    notes = EncodedNotes.of(TUNE)
    return EchoModel("tune", network, Tables.of(notes, network.outputs(notes.windows(shape.lookback))))


def notes(pitches: list[int]) -> list[Note]:
    return [Note(pitch, number * 0.5, 0.4) for number, pitch in enumerate(pitches)]


@pytest.mark.parametrize("echo", recorded())
def test_whole_pieces_are_played_as_the_original_does(echo: Echo) -> None:
    model = EchoModel("original", echo.network)
    assert model.play_whole(echo.pitches) == echo.played
    assert model.rating(EncodedNotes.of(echo.pitches)) == pytest.approx(echo.rating, abs=1e-12)


@pytest.mark.parametrize("layer_type", ["object", "matrix"])
def test_a_model_survives_its_parts(layer_type: str) -> None:
    first = model(layer_type)
    settings, tensors = first.to_parts()
    again = EchoModel.from_parts("tune", settings, tensors)
    assert again.play_whole(TUNE) == first.play_whole(TUNE)
    assert again.tables == first.tables
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float32)}


def test_weights_that_need_float64_keep_it() -> None:
    echo = EchoModel("original", recorded()[0].network)
    _, tensors = echo.to_parts()
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float64)}
    again = EchoModel.from_parts("original", *echo.to_parts())
    assert (again.network.genome == echo.network.genome).all()


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": None},
        {"nodes": [4, 3.0, 1]},
        {"nodes": [4, True, 1]},
        {"nodes": [4, 4, 1]},
        {"nodes": [4, 3, 2]},
        {"nodes": [2**40, 3, 1]},
        {"layer_type": None},
        {"layer_type": "round"},
        {"layer_type": "matrix"},
        {"pitches": [1]},
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    settings, tensors = model().to_parts()
    with pytest.raises(ModelError):
        EchoModel.from_parts("tune", settings | change, tensors)


def test_arrays_too_many_or_too_few_are_refused() -> None:
    settings, tensors = model().to_parts()
    for wrong in ({}, tensors | {"more": np.zeros(1)}, {"layer_0": tensors["layer_0"]}):
        with pytest.raises(ModelError, match="should hold the arrays"):
            EchoModel.from_parts("tune", settings, wrong)


@given(st.lists(st.integers(0, 127), max_size=20), st.lists(st.integers(0, 127), max_size=20))
def test_a_distribution_is_one_and_repeatable(history: list[int], player: list[int]) -> None:
    echo = model()
    first = echo.distribution(notes(history), onset_seconds=20.0, player=notes(player))
    again = echo.distribution(notes(history), onset_seconds=20.0, player=notes(player))
    assert first.dtype == np.float64
    assert first.shape == (128,)
    assert first.sum() == pytest.approx(1.0)
    assert (first == again).all()


def test_candidates_share_the_whole() -> None:
    echo = model()
    chosen = echo.distribution((), onset_seconds=0.0, player=notes(TUNE), candidates=[60, 61, 99])
    assert chosen.shape == (3,)
    assert chosen.sum() == pytest.approx(1.0)
    whole = echo.distribution((), onset_seconds=0.0, player=notes(TUNE))
    np.testing.assert_allclose(chosen, whole[[60, 61, 99]] / whole[[60, 61, 99]].sum())


def test_without_a_player_the_history_is_followed() -> None:
    echo = model()
    followed = echo.distribution(notes(TUNE), onset_seconds=9.0)
    assert (followed == echo.distribution((), onset_seconds=9.0, player=notes(TUNE))).all()


@given(st.lists(st.integers(0, 127), min_size=1, max_size=30))
def test_a_session_answers_as_the_distribution_says(pitches: list[int]) -> None:
    echo = model()
    responder = echo.responder()
    played = notes(pitches)
    for count, note in enumerate(played, 1):
        proposed = responder.propose(note.pitch, note.onset_seconds)
        stated = echo.distribution((), onset_seconds=note.onset_seconds, player=played[:count])
        np.testing.assert_allclose(np.exp(proposed), stated)
        responder.learn(note.pitch, note.onset_seconds, None)


def test_reset_forgets_the_session() -> None:
    responder = model().responder()
    before = responder.propose(66, 0.0)
    for note in notes(TUNE):
        responder.learn(note.pitch, note.onset_seconds, note.pitch)
    assert (responder.propose(66, 0.0) != before).any()
    responder.reset()
    assert (responder.propose(66, 0.0) == before).all()


def test_an_endless_session_takes_no_more_memory() -> None:
    responder = model().responder()

    def play(count: int) -> None:
        for turn in range(count):
            responder.propose(turn % 128, float(turn))
            responder.learn(turn % 128, float(turn), 60)

    play(600)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        play(3000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000


def test_an_imported_network_begins_with_what_it_hears() -> None:
    responder = EchoModel("original", recorded()[0].network).responder()
    assert int(responder.propose(66, 0.0).argmax()) == 66
