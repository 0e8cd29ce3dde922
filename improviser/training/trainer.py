"""One training run, from a recipe to a model file: the choir, checkpoints, and what is written."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.errors import OutputError
from improviser.library import catalogue, model_file
from improviser.library.catalogue import LoadableModel
from improviser.training import checkpoint
from improviser.training.calibration import RIPE, Calibrated
from improviser.training.choir import Choir
from improviser.training.generations import Champion, Evolution, Generation
from improviser.training.recipe import Finished, Recipe
from improviser.training.workers import Workers
from improviser.version import __version__

SOURCES_NAMED = 1000
"""In a model's file, whose header has an end."""

Record = tuple[int, Generation]
"""A generation, and the member of the choir it belongs to, from 0."""


@dataclass(slots=True, eq=False)
class Run:
    """What a run has come to.

    :param champions: of the members that are done, and of the one that was at work when the run was stopped.
    :param records: every generation, those before a resumption included.
    :param complete: whether all members came to their limits.
    :param problem: why the last checkpoint could not be written, if it could not.
    :param calibrated: what the champions were made into, if they were.
    :param finished: what their model was made into, if it was.
    """

    champions: list[Champion] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    complete: bool = False
    problem: str | None = None
    calibrated: Calibrated | None = None
    finished: Finished | None = None


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
    workers: Workers,
    checkpoints: Checkpoints,
    report: Callable[[int, Generation], None],
    stopped: Callable[[], bool] = lambda: False,
    watch: Callable[[int, Evolution], None] = lambda _member, _evolution: None,
) -> Run:
    """Breed every member of the choir until its limits, or until `stopped()`; as many at a time as there are places.

    :param report: gets the number of a member, from 0, and what each of its generations brought.
    :param watch: gets each member's number and evolution as it begins, to look at.
    :raises ModelError: if a checkpoint is to be resumed and is of another run, or damaged.
    :raises CorpusError: if no network could be scored at all.
    """
    identity = identify(recipe)
    choir = Choir(recipe, seed, workers, watch, checkpoints.every)
    done = Run()
    if checkpoints.resume and (state := checkpoint.load(checkpoints.path, identity)) is not None:
        choir.restore(state["choir"])
        done.records = _records(state["records"])
    choir.begin()
    while not choir.complete:
        for member, generation in choir.finish(lambda: not stopped()):
            done.records.append((member, generation))
            report(member, generation)
        if choir.resting:
            if checkpoints.every:
                done.problem = _keep({"choir": choir.state(), "records": _table(done.records)}, checkpoints, identity)
            if stopped():
                break
            choir.begin()
    choir.conclude()
    done.champions = choir.champions()
    done.complete = choir.complete
    done.records.sort(key=lambda record: (record[0], record[1].generation))
    return done


def calibrate(
    recipe: Recipe,
    done: Run,
    progress: Callable[[float], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Calibrate the champions of a complete run, if all of them are ripe, and finish its model, as the recipe says."""
    if not done.complete:
        return
    if recipe.calibrate is not None and all(champion.generation >= RIPE for champion in done.champions):
        genomes = np.stack([champion.genome for champion in done.champions])
        done.calibrated = recipe.calibrate(genomes, progress, stopped)
    if recipe.finish is not None:
        done.finished = recipe.finish(recipe.build(genomes_of(done)), progress, stopped)


def _keep(state: Mapping[str, Any], checkpoints: Checkpoints, identity: Mapping[str, Any]) -> str | None:
    """Write a checkpoint; return why that was not possible: what is bred is worth more than what could be resumed."""
    try:
        checkpoint.save(checkpoints.path, state, identity)
    except OutputError as error:
        return str(error)
    return None


def identify(recipe: Recipe) -> dict[str, Any]:
    """Return what a checkpoint must agree with to be resumed: all but how long to train."""
    settings = {name: value for name, value in recipe.settings.items() if name not in {"generations", "minutes"}}
    notes = {"sources": _digest(recipe.sources), "notes": recipe.fingerprint}
    return {**settings, **notes, "version": __version__, "form": checkpoint.FORM}


def _digest(sources: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def save_model(output: Path, recipe: Recipe, done: Run) -> dict[str, float]:
    """Write the model of the champions, with its provenance; return its scores.

    :raises OutputError: if it cannot be written.
    """
    genomes = genomes_of(done)
    reached = {**recipe.scores(genomes), **(done.finished.scores if done.finished else {})}
    scores = {name: float(value) for name, value in reached.items()}
    provenance = {
        "program": f"improviser {__version__}",
        "sources": list(recipe.sources[:SOURCES_NAMED]),
        "more_sources": max(0, len(recipe.sources) - SOURCES_NAMED),
        "options": dict(recipe.settings),
        "seed": recipe.settings.get("seed"),
        "scores": {name: value if math.isfinite(value) else None for name, value in scores.items()},
        "generations": [champion.generation for champion in done.champions],
        "gains": dict(done.calibrated.gains) if done.calibrated else {},
        "evaluations": sum(record.evaluations for record in _last_of_each(done.records)),
    }
    model_file.write(output, catalogue.take_apart(model_of(recipe, done), provenance))
    return scores


def model_of(recipe: Recipe, done: Run) -> LoadableModel:
    """Return a run's model, calibrated and finished if it was."""
    return done.finished.model if done.finished else recipe.build(genomes_of(done))


def genomes_of(done: Run) -> list[Float32Array]:
    """Return the genomes of a run's model, calibrated if they were."""
    return [*done.calibrated.genomes] if done.calibrated else [champion.genome for champion in done.champions]


def _last_of_each(records: list[Record]) -> list[Generation]:
    return list(dict(records).values())


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
