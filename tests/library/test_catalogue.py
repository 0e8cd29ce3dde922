"""The library: models by name, by path, and what is bundled."""

from pathlib import Path

import numpy as np
import pytest

import improviser
from improviser.core.echo.model import EchoModel
from improviser.core.echo.network import EchoNetwork, EchoShape
from improviser.core.tasks.registry import TASKS
from improviser.errors import ModelError
from improviser.library import catalogue, model_file
from improviser.library.model_file import ModelFile


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with one model in it."""
    monkeypatch.setenv(catalogue.ENVIRONMENT, str(tmp_path))
    network = EchoNetwork.of_genome(EchoShape((3, 1)), np.ones(3))
    model_file.write(tmp_path / "mine.safetensors", catalogue.take_apart(EchoModel("mine", network), {"seed": 7}))
    return tmp_path


def test_models_are_found_by_name_and_by_path(shelf: Path) -> None:
    for name in ("mine", shelf / "mine.safetensors", str(shelf / "mine.safetensors")):
        model = improviser.load_model(name)
        assert (model.name, model.task) == ("mine", "echo")


def test_the_bundled_echo_plays() -> None:
    model = improviser.load_model("echo")
    assert isinstance(model, EchoModel)
    assert model.network.shape.nodes == (10, 20, 20, 1)
    assert model.distribution((), onset_seconds=0.0).shape == (128,)


def test_the_users_model_comes_before_a_bundled_one(shelf: Path) -> None:
    (shelf / "mine.safetensors").rename(shelf / "echo.safetensors")
    assert catalogue.find("echo") == shelf / "echo.safetensors"


def test_an_unknown_name_brings_the_nearest(shelf: Path) -> None:
    with pytest.raises(ModelError, match="did you mean 'mine'"):
        catalogue.find("mien")
    with pytest.raises(ModelError, match=r"there are .*mine"):
        catalogue.find("xyzzy")
    with pytest.raises(ModelError, match="there is no model file"):
        improviser.load_model(shelf / "none.safetensors")


def test_without_any_folder_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalogue.ENVIRONMENT, str(tmp_path / "none"))
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path / "neither")
    assert catalogue.listing() == []
    with pytest.raises(ModelError, match="none yet"):
        catalogue.find("echo")


def test_the_users_folder_is_the_platforms_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(catalogue.ENVIRONMENT, raising=False)
    assert catalogue.user_folder().name == "models"
    assert "improviser" in catalogue.user_folder().parts


def test_an_unknown_task_is_refused(shelf: Path) -> None:
    model_file.write(shelf / "odd.safetensors", ModelFile("juggling", {}, {}))
    with pytest.raises(ModelError, match=r"odd\.safetensors: it was evolved for 'juggling'"):
        improviser.load_model("odd")


@pytest.mark.parametrize("task", TASKS)
def test_parts_that_make_no_model_are_refused_by_name(task: str, shelf: Path) -> None:
    model_file.write(shelf / "odd.safetensors", ModelFile(task, {"nodes": "many"}, {"a": np.ones(2)}))
    with pytest.raises(ModelError, match=r"odd\.safetensors: "):
        improviser.load_model("odd")


def test_the_listing_shows_bundled_and_own_and_what_is_broken(shelf: Path) -> None:
    (shelf / "broken.safetensors").write_bytes(b"nothing")
    entries = {entry.name: entry for entry in catalogue.listing()}
    assert entries["echo"].bundled
    assert entries["echo"].model is not None
    assert not entries["mine"].bundled
    assert entries["broken"].model is None
    assert "broken.safetensors" in (entries["broken"].problem or "")


def test_every_bundled_model_loads_and_has_a_card() -> None:
    bundled = [entry for entry in catalogue.listing() if entry.bundled]
    assert bundled
    for entry in bundled:
        assert improviser.load_model(entry.path).name == entry.name
        assert entry.path.with_suffix(".md").is_file()


def test_auto_is_all_melody_models_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalogue.ENVIRONMENT, str(tmp_path))
    bundled = catalogue.mixed()
    assert "bach-melody" in bundled
    assert "bach-bass" not in bundled
    assert {"auto", *bundled} <= {*catalogue.names()} & {*catalogue.live_names()}
    before = catalogue.digest("auto")
    catalogue.check("auto")
    assert (improviser.load_model("auto").name, improviser.load_model("auto").task) == ("auto", "melody")
    with pytest.raises(ModelError, match="auto is no file"):
        catalogue.find("auto")
    # One's own is part of it, under its name; another of one's own is not.
    for name in ("mine", "me"):
        (tmp_path / f"{name}.safetensors").write_bytes(catalogue.find("bach-melody").read_bytes())
    assert catalogue.mixed() == ("me", *bundled)
    assert catalogue.digest("auto") != before
    # A file of that name is what its owner means.
    (tmp_path / "auto.safetensors").write_bytes(catalogue.find("echo").read_bytes())
    assert improviser.load_model("auto").task == "echo"
    assert catalogue.mixed() == ()


def test_without_melody_models_there_is_no_auto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalogue.ENVIRONMENT, str(tmp_path / "none"))
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path / "neither")
    for use in (catalogue.check, catalogue.digest, improviser.load_model):
        with pytest.raises(ModelError, match="there is none"):
            use("auto")


def test_a_digest_is_of_the_file_that_was_loaded_though_it_is_replaced_meanwhile(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = catalogue.load_parts

    def replace(genes: float) -> None:
        network = EchoNetwork.of_genome(EchoShape((3, 1)), np.full(3, genes))
        model_file.write(shelf / "mine.safetensors", catalogue.take_apart(EchoModel("mine", network), {}))

    def load_while_it_is_replaced(name: str) -> list[catalogue.LoadableModel]:
        parts = real(name)
        replaced.append(len(replaced))
        if len(replaced) < often:
            replace(float(len(replaced)))
        return parts

    monkeypatch.setattr(catalogue, "load_parts", load_while_it_is_replaced)
    replaced: list[int] = []
    often = 3
    parts, digest = catalogue.load_with_digest("mine")
    assert digest == catalogue.digest("mine")
    assert isinstance(parts[0], EchoModel)
    assert np.array_equal(parts[0].network.genome, np.full(3, 2.0))
    often = 100
    with pytest.raises(ModelError, match="goes on changing"):
        catalogue.load_with_digest("mine")
