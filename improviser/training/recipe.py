"""What it takes to train for a task: the options a user may set, and the recipe that a task makes of them."""

import hashlib
import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from improviser.core.arrays import Float32Array, Float64Array
from improviser.core.evolution.strategy import Strategy, Task
from improviser.errors import ConfigError
from improviser.library.catalogue import LoadableModel
from improviser.training.generations import Choice, Limits
from improviser.training.progress import Progress, silent

if TYPE_CHECKING:
    from improviser.training.calibration import Calibrated
    from improviser.training.yardsticks import Comparison

RECIPES = {
    "chorale": "improviser.training.chorale_recipe:prepare",
    "echo": "improviser.training.echo_recipe:prepare",
    "harmony": "improviser.training.harmony_recipe:prepare",
    "melody": "improviser.training.melody_recipe:prepare",
}
"""The function (see `Prepare`) of each task of `core.tasks.registry`; imported when needed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for; None where the task decides.

    :raises ConfigError: for a value out of its range; names the option.
    """

    sources: tuple[str, ...]
    task: str = "harmony"
    strategy: str | None = None
    population: int | None = None
    generations: int | None = None
    minutes: float | None = None
    patience: int | None = None
    lookback: int | None = None
    layers: tuple[int, ...] | None = None
    layer_type: str | None = None
    mutation: str | None = None
    divergence: float | None = None
    survivors: float | None = None
    voice: str | None = None
    player: str | None = None
    parts: str | None = None
    choir: int | None = None
    without: tuple[str, ...] | None = None
    step_size: float | None = None
    seed: int = 0
    strict: bool = False

    def __post_init__(self) -> None:
        self._check("task", self.task in RECIPES, f"one of {', '.join(RECIPES)}")
        self._check("population", _within(self.population, 2, 100_000), "2–100000")
        self._check("generations", _within(self.generations, 1, 10**9), "at least 1")
        self._check("minutes", _within(self.minutes, 1e-9, 1e6), "more than 0")
        self._check("patience", _within(self.patience, 1, 10**9), "at least 1")
        self._check("lookback", _within(self.lookback, 1, 256), "1–256")
        self._check("divergence", _within(self.divergence, 0, 100), "0–100")
        self._check("survivors", _within(self.survivors, 1e-9, 1), "a share above 0, up to 1")
        self._check("step_size", _within(self.step_size, 1e-6, 1e3), "more than 0, up to 1000")
        self._check("choir", _within(self.choir, 1, 32), "1–32")
        self._check("seed", 0 <= self.seed < 2**63, "a whole number from 0")

    def _check(self, option: str, sound: bool, wanted: str) -> None:
        if not sound:
            raise ConfigError(f"--{option.replace('_', '-')} is {getattr(self, option)}; give {wanted}")


def choice(option: str, value: str | None, choices: Sequence[str]) -> str:
    """Return `value`, or the first of `choices` where it is None.

    :raises ConfigError: if it is none of them; names the option.
    """
    if value is None:
        return choices[0]
    if value not in choices:
        raise ConfigError(f"--{option.replace('_', '-')} is {value!r}; choose {' or '.join(choices)}")
    return value


def viewpoints_left(options: Options, known: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the viewpoints that `--without` leaves.

    :raises ConfigError: if it names one that there is not, or leaves none.
    """
    names, without = list(known), set(options.without or ())
    if unknown := without - set(names):
        raise ConfigError(f"--without names {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    if without == set(names):
        raise ConfigError("--without leaves no viewpoint; name fewer")
    return tuple(name for name in names if name not in without)


def refuse(options: Options, *names: str) -> None:
    """Refuse options that have no meaning for a task.

    :raises ConfigError: if one of them is set.
    """
    for name in names:
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name.replace('_', '-')} has no meaning for --task {options.task}; leave it out")


def accept_any(_genome: Float32Array) -> bool:
    """Accept a genome; it can be sent to another process."""
    return True


class Calibrate(Protocol):
    """Changes the genomes of a choir before they are built, by gains that it tells."""

    def __call__(
        self, genomes: Float32Array, progress: Callable[[float], None], stopped: Callable[[], bool]
    ) -> "Calibrated":
        """Return the genomes and gains; tell how much is done, 0–1, and come to an end when stopped."""


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A model with all that was bred on it, and what it reaches by that, by name."""

    model: LoadableModel
    scores: Mapping[str, float]


class Finish(Protocol):
    """Breeds what a model needs beside its networks."""

    def __call__(
        self, model: LoadableModel, progress: Callable[[float], None], stopped: Callable[[], bool]
    ) -> Finished:
        """Return the model with it; tell how much is done, 0–1, and come to an end when stopped."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How to train for one task on one corpus.

    :param task: scores genomes.
    :param strategy: returns a fresh strategy for a member of the choir, by its number from 0.
    :param limits: when each member is done.
    :param settings: the options in effect, by name, defaults filled in; JSON values.
    :param sources: what was learned from, each with a name; JSON values.
    :param fingerprint: of every note that is learned from: a run on other notes is not gone on with.
    :param build: makes the model of the members' champions.
    :param scores: returns what they reach together, by name; NaN where it cannot be said.
    :param members: how many champions make one model.
    :param choose_by: what makes a champion.
    :param check_every: generations between looks at the held-out notes, where these choose the champion.
    :param skipped: files that could not be used, and why.
    :param remarks: what was repaired in files, or left out of them.
    :param held_out: the pieces that nothing is learned from, or a part of one; people read it.
    :param comparison: what the result can be compared on with others, if it can.
    :param accept: whether a genome may be champion at all.
    :param calibrate: what comes after breeding, if anything does, see `calibration`.
    :param finish: what comes after that, see `context`.
    """

    task: Task
    strategy: Callable[[int], Strategy]
    limits: Limits
    settings: Mapping[str, Any]
    sources: tuple[Mapping[str, Any], ...]
    build: Callable[[Sequence[Float32Array]], LoadableModel]
    scores: Callable[[Sequence[Float32Array]], Mapping[str, float]]
    fingerprint: str = ""
    members: int = 1
    choose_by: Choice = "fitness"
    check_every: int = 1
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    comparison: "Comparison | None" = None
    accept: Callable[[Float32Array], bool] = accept_any
    calibrate: Calibrate | None = None
    finish: Finish | None = None


class Prepare(Protocol):
    """Makes the recipe of a task."""

    def __call__(self, options: Options, progress: Progress, executor: Executor | None) -> Recipe:
        """Return the recipe for `options`."""


def prepare(options: Options, progress: Progress = silent, executor: Executor | None = None) -> Recipe:
    """Read the corpus and return the recipe for `options`.

    :param executor: whose workers read; None: this process. What comes of it is the same.
    :raises UserError: if the sources or options are of no use.
    """
    module, name = RECIPES[options.task].split(":")
    recipe_of = cast("Prepare", getattr(importlib.import_module(module), name))
    recipe = recipe_of(options, progress, executor)
    return replace(recipe, limits=replace(recipe.limits, patience=options.patience)) if options.patience else recipe


def fingerprint(lines: Iterable[Sequence[float] | Float64Array]) -> str:
    """Return the digest of lines of numbers."""
    digest = hashlib.sha256()
    for line in lines:
        numbers = np.array(line, np.float64)
        digest.update(len(numbers).to_bytes(8, "little") + numbers.tobytes())
    return digest.hexdigest()


def _within(value: float | None, lowest: float, highest: float) -> bool:
    return value is None or (math.isfinite(value) and lowest <= value <= highest)
