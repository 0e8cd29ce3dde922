"""Whole training runs: champions saved, runs resumed, workers, choirs and reports."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from improviser.core.echo.model import EchoModel
from improviser.core.echo.task import EchoTask
from improviser.errors import ConfigError, CorpusError, ModelError
from improviser.library import model_file
from improviser.library.catalogue import load_model
from improviser.training import checkpoint
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.generations import Generation
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.report import command_of, write_report
from improviser.training.trainer import Checkpoints, Run, save_model, train
from improviser.training.workers import Workers, working
from tests.melodies import TUNE, write_melody


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    return write_melody(tmp_path / "tune.mid", TUNE * 3)


def recipe(tune: Path, generations: int = 12, seed: int = 1, **options: object) -> Recipe:
    chosen: dict[str, Any] = {"task": "echo", "generations": generations, "population": 30, "seed": seed, **options}
    return prepare(Options((str(tune),), **chosen))


def echo_task(of: Recipe) -> EchoTask:
    assert isinstance(of.task, EchoTask)
    return of.task


def breed(
    of: Recipe,
    path: Path,
    *,
    seed: int = 1,
    every: int = 5,
    resume: bool = False,
    report: Callable[[int, Generation], None] = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Run:
    kept = Checkpoints(path, every, resume)
    return train(of, seed=seed, workers=Workers(), checkpoints=kept, report=report, stopped=stopped)


def test_the_champion_is_saved_with_its_provenance(tune: Path, tmp_path: Path) -> None:
    of = recipe(tune)
    done = breed(of, tmp_path / "kept")
    scores = save_model(tmp_path / "a.safetensors", of, done)
    assert done.complete
    model = load_model(tmp_path / "a.safetensors")
    assert isinstance(model, EchoModel)
    assert model.rating(echo_task(of).train) == scores["rating"] == pytest.approx(done.champions[0].fitness)
    provenance = model_file.read(tmp_path / "a.safetensors").provenance
    assert provenance["sources"] == [{"name": "tune", "notes": 60}]
    assert provenance["options"]["seed"] == 1
    assert provenance["scores"] == scores
    assert provenance["evaluations"] == 12 * 30
    assert str(tmp_path) not in json.dumps(dict(provenance))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tune: Path, tmp_path: Path) -> None:
    files = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        of = recipe(tune, seed=seed)
        save_model(tmp_path / name, of, breed(of, tmp_path / "kept", seed=seed))
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_stopped_run_keeps_its_champion_and_goes_on_bit_for_bit(tune: Path, tmp_path: Path) -> None:
    of = recipe(tune, 23)
    whole = breed(of, tmp_path / "whole")
    seen: list[int] = []
    stopped = breed(
        of, tmp_path / "kept", report=lambda _, one: seen.append(one.generation), stopped=lambda: len(seen) > 6
    )
    assert not stopped.complete
    assert len(stopped.champions) == 1
    resumed = breed(of, tmp_path / "kept", resume=True)
    assert resumed.complete
    assert resumed.champions[0].genome.tobytes() == whole.champions[0].genome.tobytes()
    assert [one.best for _, one in resumed.records] == [one.best for _, one in whole.records]
    assert [one.evaluations for _, one in resumed.records] == [one.evaluations for _, one in whole.records]


@pytest.mark.parametrize("task", ["echo", "melody"])
def test_a_run_on_other_notes_is_not_gone_on_with(tune: Path, tmp_path: Path, task: str) -> None:
    breed(recipe(tune, 5, task=task, layers=(3,)), tmp_path / "kept")
    breed(recipe(tune, 6, task=task, layers=(3,)), tmp_path / "kept", resume=True)
    write_melody(tune, TUNE[::-1] * 3)  # as many
    with pytest.raises(ModelError, match="of a run with other notes;"):
        breed(recipe(tune, 7, task=task, layers=(3,)), tmp_path / "kept", resume=True)


def test_a_run_that_was_killed_goes_on_from_its_checkpoint(tune: Path, tmp_path: Path) -> None:
    of = recipe(tune, 23)
    whole = breed(of, tmp_path / "whole")

    def die(_: int, generation: Generation) -> None:
        if generation.generation == 13:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        breed(of, tmp_path / "kept", report=die)
    resumed = breed(of, tmp_path / "kept", resume=True)
    assert resumed.champions[0].genome.tobytes() == whole.champions[0].genome.tobytes()
    assert len(resumed.records) == 23


def test_resuming_may_go_further_but_not_elsewhere(tune: Path, tmp_path: Path) -> None:
    breed(recipe(tune, 10), tmp_path / "kept")
    further = breed(recipe(tune, 20), tmp_path / "kept", resume=True)
    assert [one.generation for _, one in further.records] == list(range(1, 21))
    with pytest.raises(ModelError, match="other seed"):
        breed(recipe(tune, 20, seed=2), tmp_path / "kept", seed=2, resume=True)
    with pytest.raises(ModelError, match="other divergence"):
        breed(recipe(tune, 20, divergence=0.3), tmp_path / "kept", resume=True)


def test_without_a_checkpoint_resuming_begins(tune: Path, tmp_path: Path) -> None:
    assert len(breed(recipe(tune, 4), tmp_path / "none", resume=True).records) == 4


def test_no_checkpoints_are_written_where_none_are_wanted(tune: Path, tmp_path: Path) -> None:
    breed(recipe(tune), tmp_path / "kept", every=0)
    assert not (tmp_path / "kept").exists()


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(tune: Path, tmp_path: Path) -> None:
    done = breed(recipe(tune), tmp_path / "no such folder" / "kept")
    assert done.complete
    assert "cannot write the checkpoint" in (done.problem or "")


def test_workers_do_not_change_the_result(tune: Path, tmp_path: Path) -> None:
    of = recipe(tune, 3, population=120)
    alone = breed(of, tmp_path / "kept")
    with working(2, EvolutionPlan.of(of, 1)) as two:
        shared = train(of, seed=1, workers=two, checkpoints=Checkpoints(tmp_path / "kept"), report=lambda *_: None)
    assert shared.champions[0].genome.tobytes() == alone.champions[0].genome.tobytes()
    assert [one.mean for _, one in shared.records] == [one.mean for _, one in alone.records]


def test_the_last_fifth_of_a_piece_or_of_the_pieces_is_held_out(tune: Path, tmp_path: Path) -> None:
    task = echo_task(recipe(tune))
    assert (len(task.train.numbers), len(task.held.numbers)) == (48, 12)
    for number in range(6):
        write_melody(tmp_path / f"s{number}.mid", TUNE[number:])
    songs = [str(tmp_path / f"s{number}.mid") for number in range(6)]
    task = echo_task(prepare(Options(tuple(songs), task="echo")))
    assert task.train.starts == (0, 20, 39, 57, 74)
    assert len(task.held.numbers) == 15


def test_notes_that_cannot_be_followed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nothing to follow"):
        recipe(write_melody(tmp_path / "a.mid", [60] * 20))


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "juggle"},
        {"population": 1},
        {"generations": 0},
        {"minutes": 0.0},
        {"minutes": float("nan")},
        {"patience": 0},
        {"lookback": 0},
        {"divergence": -0.1},
        {"divergence": float("inf")},
        {"survivors": 0.0},
        {"survivors": 1.1},
        {"seed": -1},
        {"layers": (0,)},
        {"layers": (20,) * 40},
        {"layers": (10**9,)},
        {"layer_type": "round"},
        {"mutation": "luck"},
        {"strategy": "luck"},
    ],
)
def test_options_out_of_range_are_refused_by_name(wrong: dict[str, object], tune: Path) -> None:
    options: dict[str, Any] = {"task": "echo"} | wrong
    name = next(iter(wrong)).replace("_", "-")
    with pytest.raises(ConfigError, match=f"--{name} is"):
        prepare(Options((str(tune),), **options))


def test_patience_ends_a_run_that_has_stalled(tune: Path, tmp_path: Path) -> None:
    of = recipe(tune, 500, patience=9)
    done = breed(of, tmp_path / "kept")
    assert done.complete
    assert len(done.records) == done.champions[0].generation + 9 < 500


@pytest.mark.parametrize("wrong", [{"mutation": "factor"}, {"divergence": 0.1}, {"survivors": 0.1}])
def test_options_of_another_strategy_are_refused(wrong: dict[str, Any], tune: Path) -> None:
    with pytest.raises(ConfigError, match=f"--{next(iter(wrong))} has no meaning for --strategy cma"):
        prepare(Options((str(tune),), task="echo", strategy="cma", **wrong))


@pytest.mark.parametrize("wrong", [{"voice": "bass"}, {"choir": 3}])
def test_options_of_another_task_are_refused(wrong: dict[str, Any], tune: Path) -> None:
    with pytest.raises(ConfigError, match=f"--{next(iter(wrong))} has no meaning for --task echo"):
        prepare(Options((str(tune),), task="echo", **wrong))


def test_an_echo_can_be_bred_by_cma_too(tune: Path, tmp_path: Path) -> None:
    of = recipe(tune, 30, strategy="cma")
    whole = breed(of, tmp_path / "whole")
    assert whole.champions[0].fitness > whole.records[0][1].best
    breed(recipe(tune, 15, strategy="cma"), tmp_path / "kept")
    resumed = breed(of, tmp_path / "kept", resume=True)
    assert resumed.champions[0].genome.tobytes() == whole.champions[0].genome.tobytes()


@pytest.mark.parametrize("wrong", [{"layers": (4000, 4000)}, {"layers": (600, 600), "population": 1000}])
def test_what_would_not_fit_into_memory_is_refused(wrong: dict[str, Any], tune: Path) -> None:
    with pytest.raises(ConfigError, match=r"--population of .* more than can be bred"):
        prepare(Options((str(tune),), task="echo", **wrong))


def test_a_report_is_written_beside_the_model(tune: Path, tmp_path: Path) -> None:
    options = Options((str(tune),), task="echo", generations=5, population=30, layers=(4, 4), divergence=0.25)
    of = prepare(options)
    done = breed(of, tmp_path / "kept")
    output = tmp_path / "a.safetensors"
    scores = save_model(output, of, done)
    log, curve, card = write_report(output, options, of, done, scores)
    assert [json.loads(line)["generation"] for line in log.read_text().splitlines()] == [1, 2, 3, 4, 5]
    assert "fitness (correlation)" in curve.read_text()
    assert f"| parameters | {of.task.genome_size} |" in card.read_text()
    assert command_of(output, options) in card.read_text()
    assert str(tmp_path) not in card.read_text()
    assert [path.name for path in (log, curve, card)] == ["a.jsonl", "a.svg", "a.md"]
    # A model that is not called *.safetensors is not written over.
    assert [path.name for path in write_report(tmp_path / "b.md", options, of, done, scores)][2] == "b.md.md"


def test_the_command_of_the_card_is_the_one_to_repeat() -> None:
    options = Options(("my songs", "/home/me/tune.mid"), task="echo", layers=(4, 4), divergence=0.25, seed=3)
    assert command_of(Path("out/a.safetensors"), options) == (
        "improviser train 'my songs' tune.mid --output out/a.safetensors --task echo "
        "--layers 4,4 --divergence 0.25 --seed 3"
    )


def test_the_demos_tune_is_a_source() -> None:
    of = prepare(Options(("demo-tune",), task="echo"))
    assert of.sources[0]["name"] == "demo-tune"
    assert int(of.sources[0]["notes"]) > 80


def test_a_state_that_is_too_large_costs_the_checkpoint_and_not_the_run(
    tune: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LARGEST", 1000)
    of = recipe(tune)
    done = breed(of, tmp_path / "kept")
    assert done.complete
    assert "cannot write the checkpoint" in (done.problem or "")
    assert save_model(tmp_path / "a.safetensors", of, done)


def test_a_large_network_and_many_sources_can_be_kept(tune: Path, tmp_path: Path) -> None:
    of = recipe(tune, 2, layers=(300, 300), population=200)
    name = "a song with a name of its own, and then some"
    many = [{"name": f"{name}, number {number}", "notes": 9} for number in range(30_000)]
    of = replace(of, sources=(*of.sources, *many))
    done = breed(of, tmp_path / "kept", every=1)
    assert done.problem is None
    save_model(tmp_path / "a.safetensors", of, done)
    provenance = model_file.read(tmp_path / "a.safetensors").provenance
    assert len(provenance["sources"]) + provenance["more_sources"] == 30_001
    assert breed(of, tmp_path / "kept", every=1, resume=True).complete
    with pytest.raises(ModelError, match="other sources"):
        breed(replace(of, sources=of.sources[1:]), tmp_path / "kept", resume=True)
