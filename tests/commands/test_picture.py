"""`improviser picture` and `improviser report`."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from improviser.commands.drawing import training_points
from improviser.core.harmony import session as harmony_session
from improviser.core.harmony.model import HarmonyModel
from improviser.core.melody import session as melody_session
from improviser.library import catalogue, model_file
from improviser.show.model_picture import SAID
from tests.command import CommandLine


def loaded(name: str) -> catalogue.LoadableModel:
    path = catalogue.find(name)
    return catalogue.build(name, model_file.read(path), path)


def words(path: Path) -> list[str]:
    """Return the texts of a picture, which is well-formed."""
    return [element.text or "" for element in ET.parse(path).iter() if element.tag.endswith("text")]  # noqa: S314


def test_a_tune_is_drawn_as_a_roll(improviser: CommandLine, tune: Path) -> None:
    outcome = improviser("picture", tune, "-o", "roll.svg")
    assert (outcome.code, outcome.out) == (0, "wrote roll.svg\n")
    assert any(word.startswith("Player, ") for word in words(improviser.folder / "roll.svg"))


@pytest.mark.parametrize("name", ["bach-bass", "echo"])
def test_a_model_is_drawn_by_what_it_hears(improviser: CommandLine, name: str) -> None:
    assert improviser("picture", name, "-o", "hears.svg").code == 0
    model = loaded(name)
    said = words(improviser.folder / "hears.svg")
    assert f"What {name} listens to" in said
    assert len(model.strengths()) > 5
    assert {SAID.get(row, row) for row, _ in model.strengths()} <= set(said)


def test_strengths_are_those_of_the_weights() -> None:
    model = loaded("bach-bass")
    assert isinstance(model, HarmonyModel)
    before = dict(model.strengths())
    model.genomes = model.genomes.copy()
    place = 0
    first = model.genomes[:, : model.shape.first_weights].reshape(-1, model.shape.hidden, model.shape.inputs)
    first[:, :, place : place + 2] += 100.0
    changed = dict(model.strengths())
    louder = [name for name in before if changed[name] > before[name] + 1]
    assert louder == [model.settings.viewpoints[0]]


def test_a_training_run_is_drawn_as_a_curve(improviser: CommandLine) -> None:
    log = improviser.folder / "mine.jsonl"
    rows = [{"member": member, "generation": at, "best": at / 9, "mean": 0.0} for member in (0, 1) for at in range(9)]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"generation": 1')
    assert improviser("picture", "mine.jsonl", "-o", "curve.svg").code == 0
    assert "generation" in words(improviser.folder / "curve.svg")
    assert [point.generation for point in training_points(log)] == list(range(9))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("none.mid", "does not exist"),
        ("none.jsonl", "cannot read"),
        ("bach-base", "bach-bass"),
        ("x.jsonl", "log"),
        ("deep.jsonl", "log"),
        ("mistyped.jsonl", "log"),
    ],
)
def test_what_cannot_be_drawn_is_refused(improviser: CommandLine, source: str, says: str) -> None:
    made = {"x": "nothing\n", "deep": "[" * 100_000 + "\n", "mistyped": '{"generation": 1, "best": "a"}\n'}
    for name, content in made.items():
        (improviser.folder / f"{name}.jsonl").write_text(content)
    assert improviser("picture", source, "-o", "x.svg").refused(says)
    assert improviser.files() == {f"{name}.jsonl" for name in made}


def test_a_report_is_written_beside_the_session(improviser: CommandLine, tune: Path) -> None:
    assert improviser("report", tune).code == 0
    assert tune.with_suffix(".html").read_text("utf-8").startswith("<!doctype html>")
    assert improviser("report", tune, "-o", "nowhere/x.html").refused("nowhere")
    assert improviser("report", "none.mid").refused("none.mid")
    assert improviser.files() == set()


def test_there_are_words_for_viewpoints_alone() -> None:
    assert SAID.keys() <= harmony_session.VIEWPOINTS.keys() | melody_session.VIEWPOINTS.keys()
