"""A look at a run while it is bred."""

import io
import math

import numpy as np
import pytest
from rich.console import Console

from improviser.core.melody.model import MelodyResponder
from improviser.core.music.note import PITCHES
from improviser.errors import ModelError
from improviser.library import catalogue
from improviser.training.generations import Evolution, Generation, Limits
from improviser.training.preview import PHRASE_NOTES, Preview, diversity_of, phrase_of
from improviser.training.recipe import Options, prepare
from improviser.training.view import TerminalView


@pytest.mark.parametrize(("spread", "diversity"), [(0.0, 0.0), (1e9, 1.0)])
def test_diversity_is_nothing_for_clones_and_all_for_strangers(spread: float, diversity: float) -> None:
    rng = np.random.default_rng(1)
    population = (1.0 + spread * rng.standard_normal((200, 500))).astype(np.float32)
    assert diversity_of(population) == pytest.approx(diversity, abs=0.05)
    assert diversity_of(np.zeros((3, 4), np.float32)) == 0.0


@pytest.mark.parametrize("name", catalogue.names())
def test_every_kind_of_model_plays_a_phrase_and_always_the_same(name: str) -> None:
    model = catalogue.load_model(name)
    phrase = phrase_of(model)
    assert len(phrase) == PHRASE_NOTES
    assert set(phrase) <= set(range(PITCHES))
    assert phrase == phrase_of(model)
    assert len(set(phrase)) > 1, f"{name} ({isinstance(model.responder(), MelodyResponder)}) drones"


def test_it_follows_an_evolution_and_the_panel_shows_it() -> None:
    recipe = prepare(Options(sources=("demo-tune",), task="echo", population=10))
    preview = Preview(recipe.build)
    assert math.isnan(preview.diversity())
    assert preview.phrase() == ()
    evolution = Evolution(recipe.task, recipe.strategy(0), seed=1, choice=recipe.choose_by)
    preview.watch(0, evolution)
    generation = evolution.step()
    assert 0 < preview.diversity() < 2
    assert len(preview.phrase()) == PHRASE_NOTES
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, color_system=None)
    view = TerminalView(Limits(generations=10), 1, "evolving echo", console, preview)
    view.show(0, generation)
    lines = io.StringIO()
    Console(file=lines, width=80).print(view.render())
    assert len(preview.tune()) == PHRASE_NOTES
    figures = ("best", "held out", "mean", "generation", f"diversity   {preview.diversity():.0%}")
    for words in (*figures, "it hears", "it plays"):
        assert words in lines.getvalue()
    assert max(map(len, lines.getvalue().splitlines())) <= 80


def test_a_network_that_cannot_be_played_yet_plays_nothing() -> None:
    def fail(_: object) -> catalogue.LoadableModel:
        raise ModelError("its weights are no numbers")

    preview = Preview(fail)
    recipe = prepare(Options(sources=("demo-tune",), task="echo", population=10))
    evolution = Evolution(recipe.task, recipe.strategy(0), seed=1, choice=recipe.choose_by)
    evolution.step()
    preview.watch(0, evolution)
    assert preview.phrase() == ()


def test_without_a_preview_the_panel_is_as_before() -> None:
    lines = io.StringIO()
    view = TerminalView(Limits(generations=10), 1, "", Console(file=io.StringIO()))
    generation = Generation(1, 0.5, 0.25, math.nan, 10, 0.1, True)
    view.show(0, generation)
    Console(file=lines, width=80).print(view.render())
    assert "diversity" not in lines.getvalue()
    assert "0.5000" in lines.getvalue()
