"""The search for a recipe: the same whoever tries, halved as it should be, stopped and resumed without a difference."""

import math
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.commands import tune_run
from improviser.core.evolution.randomness import generator
from improviser.core.melody.session import VIEWPOINTS
from improviser.errors import ConfigError, ModelError, OutputError
from improviser.training import tuning
from improviser.training.places_to_work import WhereToWork
from improviser.training.recipe import Options, prepare
from improviser.training.trials import Here, Search, Trials, search, trials_for
from improviser.training.tuning import FIRST, Trial, Tried, candidates, changed, ranked, survivors

NAMES = tuple(VIEWPOINTS)
SEEDS = st.integers(0, 2**40)


def trials(seed: int = 3) -> Trials:
    options = Options(("demo-tune",), task="melody", seed=seed)
    return trials_for(options)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each be tried for a generation or two, and few at a time."""
    monkeypatch.setattr(tuning, "GENERATIONS", 1)
    monkeypatch.setattr(tuning, "FIRST", 4)


def outcome(found: Search) -> list[Tried]:
    """Return what was found, without what is of the machine."""
    return sorted((replace(one, seconds=0.0) for one in found.tried.values()), key=lambda one: one.key)


def run(executor: Executor, path: Path | None = None, *, resume: bool = False, stop_after: int = 10**9) -> Search:
    known = trials()
    found = Search.begin(known, path, resume=resume)
    told: list[Tried] = []
    search(known, executor, found, stopped=lambda: len(told) >= stop_after, report=told.append, rounds=2)
    return found


@pytest.mark.usefixtures("quick")
def test_whoever_tries_and_however_often_it_is_stopped_the_same_is_found(tmp_path: Path) -> None:
    whole = run(Here())
    rungs = [one.rung for one in whole.tried.values() if one.round == 0]
    assert [rungs.count(rung) for rung in range(3)] == [4, 1, 1]
    assert whole.tried["0/0/0"].trial == Trial()
    with ThreadPoolExecutor(2) as two:
        for stop in (2, 5):
            run(two, tmp_path / "kept", resume=True, stop_after=stop)
        assert outcome(run(two, tmp_path / "kept", resume=True)) == outcome(whole)
    with pytest.raises(ModelError, match="other seed"):
        Search.begin(trials(seed=4), tmp_path / "kept", resume=True)


@given(SEEDS, st.integers(0, 3))
def test_a_round_is_of_recipes_that_can_be_trained_and_are_new(seed: int, number: int) -> None:
    tried = [Tried(0, 2, 0, Trial(hidden=24), -2.0, 1, 1.0)]
    found = candidates(number, seed, NAMES, tried)
    assert found == candidates(number, seed, NAMES, tried)
    assert len(set(found)) == FIRST
    assert (Trial() in found) >= (number == 0)
    for trial in found:
        options = Options(("demo-tune",), task="melody", **trial.options())
        assert set(options.without or ()) < set(NAMES)
        assert 0.5 <= trial.generations(0) * trial.population * trial.hidden / (100 * 200 * 16) <= 1.5


@given(SEEDS)
def test_a_child_differs_in_one_thing(seed: int) -> None:
    rng = generator(seed)
    trial = tuning.drawn(rng, NAMES)
    child = changed(trial, rng, NAMES)
    fields = ("hidden", "population", "strategy", "step_size", "without")
    different = [name for name in fields if getattr(child, name) != getattr(trial, name)]
    assert len(different) <= 1  # a number that is at its end stays there
    if different == ["without"]:
        assert len(set(child.without) ^ set(trial.without)) == 1


def test_the_best_third_goes_on_and_what_cannot_be_scored_does_not() -> None:
    assert survivors({4: -2.0, 1: -math.inf, 7: -1.5, 2: -1.5, 3: -3.0, 9: -2.5}) == [2, 7]
    assert survivors({4: -math.inf, 5: -2.0}) == [5]
    results = [
        Tried(0, rung, number, Trial(), bits, 1, 1.0)
        for rung, number, bits in ((0, 0, -1.0), (0, 1, -2.0), (1, 1, -1.9), (0, 2, -math.inf))
    ]
    assert [(one.number, one.rung) for one in ranked(results)] == [(1, 1), (0, 0), (2, 0)]


@pytest.mark.usefixtures("quick")
def test_the_command_writes_a_table_and_a_command_that_trains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Options(("demo-tune",), task="melody", seed=1)

    def again(*, minutes: float = 5, rounds: int | None = 1, force: bool = False) -> None:
        tune_run.run(
            options, WhereToWork(), tmp_path / "table.md", minutes=minutes, rounds=rounds, resume=False, force=force
        )

    again()
    last = capsys.readouterr().out.splitlines()[-1]
    table = (tmp_path / "table.md").read_text()
    command = last.removeprefix("train by it:  ")
    assert command.startswith("improviser train demo-tune --task melody --layers ")
    assert f"    {command}\n" in table
    assert table.count("\n| ") == 1 + 4
    assert not (tmp_path / "table.md.checkpoint").exists()
    with pytest.raises(OutputError, match="exists"):
        again()
    again(minutes=1e-9, force=True, rounds=None)
    assert capsys.readouterr().out.endswith("nothing was written\n")


def test_other_tasks_are_refused() -> None:
    with pytest.raises(ConfigError, match="tune finds recipes for harmony and melody"):
        trials_for(Options(("demo-tune",), task="echo"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"without": ("gap", "colour")}, "--without names colour; there are: degree 1, "),
        ({"without": NAMES}, "--without leaves no viewpoint"),
        ({"step_size": 0.2, "strategy": "ga"}, "--step-size has no meaning for --strategy ga"),
        ({"step_size": 0.2, "task": "echo"}, "--step-size has no meaning for --task echo"),
        ({"step_size": -1.0}, "--step-size is -1.0; give more than 0"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_name(options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        prepare(Options(**{"sources": ("demo-tune",), "task": "melody", **options}))  # type: ignore[arg-type]


def test_a_model_is_bred_without_some_viewpoints() -> None:
    recipe = prepare(Options(("demo-tune",), task="melody", without=("gap", "beat"), generations=1, choir=1))
    model = recipe.build([recipe.task.first_population(generator(1), 1)[0]])
    settings, _ = model.to_parts()
    assert set(NAMES) - set(settings["viewpoints"]) == {"gap", "beat"}
    assert recipe.settings["without"] == ["beat", "gap"]
