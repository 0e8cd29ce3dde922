"""The tasks: each is described once, and another one, with a recipe of its own, is found at every door."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from improviser.core.networks.responder import Singer
from improviser.core.tasks.registry import TASKS, describe
from improviser.engine.loading import load
from improviser.errors import ModelError
from improviser.library import catalogue
from improviser.midifile import read_midi
from improviser.training.recipe import RECIPES
from tests.command import CommandLine
from tests.core.live.desk import Desk, notes
from tests.melodies import TUNE, write_melody
from tests.training.toy_task import DRONE, RECIPE, DroneModel

ROOT = Path(__file__).parents[2]

HELP = """
from improviser.core.tasks import registry
from tests.melodies import TUNE, write_melody
from tests.training.toy_task import DRONE
registry.TASKS[DRONE.name] = DRONE
from improviser import cli
cli.app(["train", "--help"])
"""


@pytest.fixture
def drone(monkeypatch: pytest.MonkeyPatch, improviser: CommandLine) -> Path:
    """Enter the toy in both registries, and train a model of it."""
    monkeypatch.setitem(TASKS, DRONE.name, DRONE)
    monkeypatch.setitem(RECIPES, DRONE.name, RECIPE)
    trained = improviser(
        "train", "demo-tune", "--task", "drone", "--generations", 60, "-o", "mine.safetensors", "--json"
    )
    assert (trained.code, "saved mine.safetensors: octaves" in trained.err) == (0, True)
    assert len(trained.out.splitlines()) == 60
    return improviser.folder / "mine.safetensors"


def test_the_tasks_have_recipes_and_models_of_their_names() -> None:
    assert set(TASKS) == set(RECIPES)
    for name, task in TASKS.items():
        assert task.name == name
        assert catalogue._class_for(name).__name__ == f"{name.title()}Model"


@pytest.mark.parametrize("name", catalogue.names())
def test_a_descriptor_fits_its_models(name: str) -> None:
    model = catalogue.load_model(name)
    task = describe(model.task)
    assert task.alone == isinstance(model.responder(), Singer)
    assert (task.whole is not None) == hasattr(model, "play_whole")
    assert task.voices is None or task.voices(model) in (("bass", "soprano"), ("tenor", "soprano"), ("alto", "soprano"))


def test_a_task_that_there_is_not_is_refused() -> None:
    with pytest.raises(ModelError, match=r"'juggling', which this program does not know \(it knows chorale, echo, har"):
        describe("juggling")


def test_without_its_entries_a_task_is_nowhere(improviser: CommandLine) -> None:
    assert improviser("train", "demo-tune", "--task", "drone", "-o", "x.safetensors").refused(
        "--task", "drone", "melody"
    )


def test_another_task_is_in_the_help_of_train() -> None:
    ran = subprocess.run([sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "drone:holdanintervalbelowtheplayer" in re.sub(r"[\s│]", "", ran.stdout), ran.stderr


def test_another_task_is_trained_reported_and_loaded(drone: Path) -> None:
    assert isinstance(catalogue.load_model(drone), DroneModel)
    assert "the task *drone*" in drone.with_suffix(".md").read_text("utf-8")
    assert "fitness (bits for an octave)" in drone.with_suffix(".svg").read_text("utf-8")


def test_another_task_is_inspected_evaluated_and_pictured(drone: Path, improviser: CommandLine) -> None:
    inspected = json.loads(improviser("inspect", drone, "--json").out)
    assert (inspected["task"], inspected["layers"]) == ("drone", [1, 25])
    evaluated = json.loads(improviser("evaluate", drone, "demo-tune", "--json").out)
    assert evaluated["task"] == "drone"
    assert evaluated["bits_per_note"] > 5  # it never sings what the top voice does
    assert improviser("picture", drone, "-o", "drone.svg").code == 0
    picture = (improviser.folder / "drone.svg").read_text("utf-8")
    assert "how strongly each interval moves it" in picture
    assert "12 below" in picture


def test_another_task_is_played_and_rendered(drone: Path, improviser: CommandLine) -> None:
    models, loaded = load([str(drone)])
    assert loaded[0].name == str(drone)
    desk = Desk(*models, temperature=0.0)
    assert notes(desk.down(72)) == [60]
    desk.up(72)
    desk.change("mode", "answer")
    for pitch in (72, 74, 76):
        desk.down(pitch)
        desk.up(pitch)
    assert notes([event for _, event in desk.wait(5)])  # it leads, as no singer is there
    tune = write_melody(improviser.folder / "tune.mid")
    assert improviser("render", tune, "out.mid", "--model", drone, "--temperature", 0).code == 0
    played = [timed.note.pitch for timed in read_midi(improviser.folder / "out.mid").notes]
    assert played == [pitch - 12 for pitch in TUNE]
