"""One training run, from a recipe to a model file: members of the choir in turn, checkpoints, and what is written."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from improviser import __version__, library, modelfile
from improviser.errors import CorpusError, OutputError
from improviser.training import checkpoint
from improviser.training.generations import Champion, Evolution, Generation, Score, run
from improviser.training.recipe import Recipe

Record = tuple[int, Generation]
"""A generation, and the member of the choir it belongs to, from 0."""


@dataclass(slots=True, eq=False)
class Run:
    """What a run has come to.

    :param champions: of the members that are done, and of the one that was at work when the run was stopped.
    :param records: every generation, those before a resumption included.
    :param complete: whether all members came to their limits.
    :param problem: why the last checkpoint could not be written, if it could not.
    """

    champions: list[Champion] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    complete: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where and how often the state of a run is kept.

    :param path: the checkpoint file.
    :param every: generations between two; 0 for none.
    :param resume: whether to go on from the file, if there is one.
    """

    path: Path
    every: int = 50
    resume: bool = False


def train(
    recipe: Recipe,
    *,
    seed: int,
    score: Score,
    checkpoints: Checkpoints,
    report: Callable[[int, Generation], None],
    stopped: Callable[[], bool] = lambda: False,
    watch: Callable[[Evolution], None] = lambda _: None,
) -> Run:
    """Breed every member of the choir until its limits, or until `stopped()`.

    :param watch: gets each member's evolution as it begins, to look at.
    :raises ModelError: if a checkpoint is to be resumed and is of another run, or damaged.
    :raises CorpusError: if no network could be scored at all.
    """
    identity = identify(recipe)
    state = checkpoint.load(checkpoints.path, identity) if checkpoints.resume else None
    done = Run()
    if state is not None:
        done.champions = [_champion(values) for values in state["champions"]]
        done.records = _records(state["records"])
    for member in range(len(done.champions), recipe.members):
        evolution = Evolution(
            recipe.task,
            recipe.strategy(member),
            seed=seed + member,
            choice=recipe.choose_by,
            check_every=recipe.check_every,
            score=score,
            accept=recipe.accept,
        )
        if state is not None and state["evolution"] is not None:
            evolution.restore(state["evolution"])
        state = None
        watch(evolution)
        _breed(recipe, member, evolution, done, keep=checkpoints, report=report, stopped=stopped, identity=identity)
        if evolution.champion is not None:
            done.champions.append(evolution.champion)
        if stopped():
            break
        if evolution.champion is None:
            raise CorpusError("no network could be scored on these notes; train on a livelier piece")
    else:
        done.complete = True
    return done


def _breed(
    recipe: Recipe,
    member: int,
    evolution: Evolution,
    done: Run,
    *,
    keep: Checkpoints,
    report: Callable[[int, Generation], None],
    stopped: Callable[[], bool],
    identity: Mapping[str, Any],
) -> None:
    """Breed one member, and keep its state where that is wanted."""

    def note(generation: Generation) -> None:
        done.records.append((member, generation))
        if keep.every and (generation.generation % keep.every == 0 or stopped()):
            state = {
                "champions": [_values(champion) for champion in done.champions],
                "records": _table(done.records),
                "evolution": evolution.state(),
            }
            try:
                checkpoint.save(keep.path, state, identity)
            except OutputError as error:  # what is bred is worth more than what could be resumed
                done.problem = str(error)
        report(member, generation)

    run(evolution, recipe.limits, note, stopped)


def identify(recipe: Recipe) -> dict[str, Any]:
    """Return what a checkpoint must agree with to be resumed: all but how long to train."""
    settings = {name: value for name, value in recipe.settings.items() if name not in {"generations", "minutes"}}
    return {**settings, "sources": list(recipe.sources), "version": __version__}


def save_model(output: Path, recipe: Recipe, done: Run) -> dict[str, float]:
    """Write the model of the champions, with its provenance; return its scores.

    :raises OutputError: if it cannot be written.
    """
    genomes = [champion.genome for champion in done.champions]
    scores = {name: float(value) for name, value in recipe.scores(genomes).items()}
    provenance = {
        "program": f"improviser {__version__}",
        "sources": list(recipe.sources),
        "options": dict(recipe.settings),
        "seed": recipe.settings.get("seed"),
        "scores": {name: value if math.isfinite(value) else None for name, value in scores.items()},
        "generations": [champion.generation for champion in done.champions],
        "evaluations": sum(record.evaluations for record in _last_of_each(done.records)),
    }
    modelfile.write(output, library.take_apart(recipe.build(genomes), provenance))
    return scores


def _last_of_each(records: list[Record]) -> list[Generation]:
    return list(dict(records).values())


def _values(champion: Champion) -> dict[str, Any]:
    return {
        "genome": champion.genome,
        "scores": np.array([champion.fitness, champion.held_out]),
        "generation": champion.generation,
    }


def _champion(values: Mapping[str, Any]) -> Champion:
    fitness, held_out = values["scores"].tolist()
    return Champion(values["genome"], fitness, held_out, values["generation"])


def _table(records: list[Record]) -> Any:
    """Return the records as one array, a row each."""
    rows = [
        (member, one.generation, one.best, one.mean, one.held_out, one.evaluations, one.seconds, one.champion)
        for member, one in records
    ]
    return np.array(rows, np.float64)


def _records(table: Any) -> list[Record]:
    return [
        (int(member), Generation(int(number), best, mean, held_out, int(evaluations), seconds, bool(champion)))
        for member, number, best, mean, held_out, evaluations, seconds, champion in np.asarray(table).tolist()
    ]
