"""No champion that has collapsed: repeating itself, copying the player, or singing too few pitches."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.arrays import Float32Array
from improviser.core.harmony.model import HarmonyModel
from improviser.core.melody.model import MelodyModel
from improviser.core.music.note import Note
from improviser.training.collapse import CollapseGuard, has_collapsed
from improviser.training.generations import Evolution
from improviser.training.harmony_recipe import settings_for as bass_settings
from improviser.training.melody_recipe import settings_for as melody_settings
from tests.training.test_training import Hill, evolution

TUNE = [67, 69, 71, 72, 74, 72, 71, 69, 67, 65, 64, 65, 67, 69, 67, 65, 64, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 67]
BASS = [48, 50, 43, 45, 47, 45, 43, 50, 52, 50, 48, 50, 52, 53, 52, 50, 48, 43, 48, 50, 52, 53, 55, 57, 55, 50, 43, 48]


def line(pitches: list[int]) -> tuple[Note, ...]:
    return tuple(Note(pitch, 0.5 * count, 0.5) for count, pitch in enumerate(pitches))


@given(st.lists(st.integers(40, 80), min_size=2, max_size=60))
def test_what_plays_as_the_corpus_has_not_collapsed(pitches: list[int]) -> None:
    assert not has_collapsed(pitches, pitches)
    assert not has_collapsed(pitches, pitches, [pitch + 12 for pitch in pitches])


def test_collapse_is_repeating_copying_or_too_few_pitches() -> None:
    assert has_collapsed([60] * len(TUNE), TUNE)
    assert has_collapsed([60, 62] * (len(TUNE) // 2), TUNE)
    assert has_collapsed([pitch - 24 for pitch in TUNE], BASS, TUNE)
    assert not has_collapsed(BASS, BASS, TUNE)
    assert not has_collapsed(TUNE[::-1], TUNE)


def harmony_guard() -> tuple[CollapseGuard, Any]:
    settings = bass_settings("bass", [(line(TUNE), line(BASS))], hidden=2)
    guard = CollapseGuard(lambda genomes: HarmonyModel("it", settings, np.stack(genomes)), [(line(TUNE), line(BASS))])
    return guard, HarmonyModel.viewpoints and settings


def genome_of(model: type[Any], settings: Any) -> tuple[Float32Array, Any, Any]:
    """Return a genome of zeros, its heads' biases, and its shape."""
    from improviser.core.networks.viewpoints import Inputs

    shape = settings.shape(Inputs(settings.viewpoints, model.viewpoints).size, vertical=model.vertical)
    genome = np.zeros(shape.genome_size, dtype=np.float32)
    return genome, genome[shape.first_weights :].reshape(shape.outputs, -1)[:, -1], shape


@pytest.mark.parametrize("habit", ["repeats", "copies"])
def test_a_bass_that_hangs_or_copies_is_refused(habit: str) -> None:
    guard, settings = harmony_guard()
    genome, biases, shape = genome_of(HarmonyModel, settings)
    assert guard(genome), "plays anything"
    biases[shape.reach if habit == "repeats" else shape.intervals + 12 + shape.pitches] = 20.0
    assert not guard(genome)
    assert not guard(genome), "answered alike"


def test_a_melody_that_hangs_is_refused() -> None:
    settings = melody_settings([line(TUNE)], hidden=2)
    guard = CollapseGuard(lambda genomes: MelodyModel("it", settings, np.stack(genomes)), [(line(TUNE), ())])
    genome, biases, shape = genome_of(MelodyModel, settings)
    assert guard(genome)
    biases[shape.reach] = 20.0
    assert not guard(genome)


def test_what_is_refused_never_becomes_champion() -> None:
    free = evolution(Hill(), choice="held_out")
    strict = Evolution(
        free._task, free._strategy, seed=1, choice="held_out", accept=lambda genome: bool(genome[0] < 0.25)
    )
    for _ in range(40):
        strict.step()
        assert strict.champion is None or strict.champion.genome[0] < 0.25
    assert strict.champion is not None
