"""How to train a choir, for `harmony` or `melody`: several networks bred in turn on the same notes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.evolution.cma import STEP_SIZE, SepCma
from improviser.core.evolution.many_parents import Descent, ManyParents
from improviser.core.evolution.randomness import generator
from improviser.core.evolution.strategy import Strategy
from improviser.core.harmony.corpus import Duet
from improviser.core.music.line import numbers_of
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.notes import Notes
from improviser.core.networks.task import NetworkTask
from improviser.core.networks.viewpoints import Choice, Inputs, Numbers
from improviser.errors import ConfigError, CorpusError
from improviser.kernels.fastest import fastest_scorer
from improviser.library.catalogue import LoadableModel
from improviser.training.calibration import Calibration
from improviser.training.collapse import CollapseGuard
from improviser.training.generations import Limits
from improviser.training.named_sources import NAMED
from improviser.training.progress import COMPILING, Progress, watched
from improviser.training.recipe import Options, Recipe, choice, fingerprint, viewpoints_left
from improviser.training.stored_notes import LayOut, StoredNotes, stored
from improviser.training.yardsticks import Comparison

STRATEGIES = ("cma", "ga")
POPULATION = 200
# Members of a choir, if there is time for them: one that is bred for less adds less than it takes from the others.
CHOIR = 6
MINUTES_A_MEMBER = 1 / 3
MINUTES = 9.0
# The share of the time that is for breeding; the rest is for calibration.
BREEDING = 0.9
HIDDEN = 16
REACH = 12
CHECK_EVERY = 25
# One piece in so many is held out; of a single piece, its last so-manieth.
HELD_OUT_PIECES, HELD_OUT_NOTES = 10, 5
# What the notes to train on may take on disk, and those that are held out in memory, where they are scored all at
# once; of a larger corpus some pieces are drawn by lot.
MOST_BYTES, MOST_HELD_OUT_BYTES = 2**30, 12 * 2**20
# Notes to train on that take no more are kept in memory.
IN_MEMORY = 48 * 2**20
# With fewer notes than this there is nothing to learn.
FEWEST_NOTES = 16


class ChoirClass(Protocol):
    """The class of a task's models, as far as training asks: a `ChoirModel`, ready to be saved."""

    @property
    def task(self) -> str:
        """The task's name."""

    @property
    def vertical(self) -> bool:
        """Whether its networks choose intervals to the player's note as well."""

    @property
    def viewpoints(self) -> Mapping[str, Choice[Any] | Numbers[Any]]:
        """All that its networks can see, by name."""

    def __call__(self, name: str, settings: ChoirSettings, genomes: Float32Array) -> LoadableModel:
        """Make a model."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a task makes of the sources.

    :param model: the kind of model.
    :param settings: of the model, with all viewpoints.
    :param duets: the player's notes and the voice's own, of each piece; the latter empty where a melody stands alone.
    :param lay_out: lays duets out to be scored; can be sent to other processes.
    :param sources: what was learned from, each with a name; JSON values.
    :param skipped: files that could not be used, and why.
    :param remarks: what was repaired in files, or left out of them.
    """

    model: ChoirClass
    settings: ChoirSettings
    duets: Sequence[Duet]
    lay_out: LayOut
    sources: tuple[Mapping[str, Any], ...]
    skipped: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def inputs(self) -> Inputs[Any]:
        """All that a network can see."""
        return Inputs(self.settings.viewpoints, self.model.viewpoints)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A corpus as all recipes for a task have it, whatever networks they breed; it can be sent to other processes.

    :param training: the notes to learn from, with all viewpoints.
    :param development: the notes that are held out.
    :param seed: decides which.
    :param fingerprint: of every note.
    """

    material: Material
    training: Notes | StoredNotes
    development: Notes
    seed: int
    fingerprint: str

    @classmethod
    def of(cls, material: Material, seed: int, progress: Progress, executor: Executor | None = None) -> "Heard":
        """Play the pieces through the session that also plays live: as many as may be.

        :param executor: whose workers do it, if there is much to do; None: this process.
        :raises CorpusError: if there is too little to learn from.
        :raises OutputError: if there is no room on disk.
        :raises ImproviserError: if the workers are lost.
        """
        settings = material.settings
        numbers = material.inputs.size + len(settings.experts) * (settings.high - settings.low + 1)
        training, development = split(material.duets, seed)
        some = within_bytes(training, numbers, seed, MOST_BYTES)
        others = within_bytes(development, numbers, seed, MOST_HELD_OUT_BYTES)
        notes = sum(len(player) for player, _ in some)
        if notes < FEWEST_NOTES:
            raise CorpusError(f"{notes} notes are too few to learn from; give longer pieces, or more of them")
        step = "listening to what to learn"
        learned: Notes | StoredNotes
        if 4 * numbers * notes <= IN_MEMORY:
            learned = material.lay_out(watched(some, step, progress), settings)
        else:
            seen = material.inputs.part(settings.viewpoints)
            learned = stored(material.lay_out, some, settings, seen, step, progress, executor)
        held_out = material.lay_out(watched(others, "listening to what is held out", progress), settings)
        known = fingerprint(numbers_of(line) for duet in material.duets for line in duet)
        return cls(material, learned, held_out, seed, known)


def choir_recipe(options: Options, heard: Heard, progress: Progress) -> Recipe:
    """Return the recipe for a choir.

    :raises UserError: if the options are of no use.
    """
    strategy_name = choice("strategy", options.strategy, STRATEGIES)
    if strategy_name != "cma" and options.step_size is not None:
        raise ConfigError(f"--step-size has no meaning for --strategy {strategy_name}; leave it out")
    population = options.population or POPULATION
    if strategy_name == "cma":  # it breeds in pairs, and two of them at least
        population = max(4, population + population % 2)
    minutes = MINUTES if options.minutes is None and options.generations is None else options.minutes
    members = options.choir or members_in(minutes)
    material = heard.material
    training, development = split(material.duets, heard.seed)
    seen = viewpoints_left(options, material.settings.viewpoints)
    settings = replace(material.settings, hidden=hidden_units(options), viewpoints=seen)
    task = _task(heard, settings, progress)

    build = partial(_choir_of, material.model, settings)

    def scores(champions: Sequence[Float32Array]) -> Mapping[str, float]:
        return {"held_out_bits": task.choir_bits(np.stack(champions))}

    return Recipe(
        task=task,
        strategy=partial(strategy_of, strategy_name, task, population, options),
        limits=Limits(options.generations, None if minutes is None else BREEDING * minutes / members),
        settings={
            "task": task.name,
            "voice": settings.voice,
            "strategy": strategy_name,
            "population": population,
            "generations": options.generations,
            "minutes": minutes,
            "choir": members,
            "layers": [settings.hidden],
            **_chosen(options),
            "seed": options.seed,
        },
        sources=material.sources,
        fingerprint=heard.fingerprint,
        build=build,
        scores=scores,
        members=members,
        choose_by="held_out",
        check_every=CHECK_EVERY,
        skipped=material.skipped,
        remarks=material.remarks,
        held_out=held_out_names([str(source["name"]) for source in material.sources], heard.seed),
        comparison=Comparison(training, development, foreign=not set(options.sources) & set(NAMED)),
        accept=CollapseGuard(build, development),
        calibrate=Calibration(
            task.shape,
            build,
            task.choir_bits,
            development,
            options.seed,
            math.inf if minutes is None else (1 - BREEDING) * minutes * 60,
        ),
    )


def _chosen(options: Options) -> dict[str, Any]:
    """Return the settings that few choose, where they are chosen."""
    without = {} if options.without is None else {"without": sorted(options.without)}
    return without | ({} if options.step_size is None else {"step_size": options.step_size})


def _choir_of(model: ChoirClass, settings: ChoirSettings, champions: Sequence[Float32Array]) -> LoadableModel:
    return model(f"my-{settings.voice}", settings, np.stack(champions))


def members_in(minutes: float | None) -> int:
    """Return how many members are bred in so much time; None: there is no limit."""
    return CHOIR if minutes is None else max(1, min(CHOIR, int(minutes / MINUTES_A_MEMBER + 1e-9)))


def _task(heard: Heard, settings: ChoirSettings, progress: Progress) -> NetworkTask:
    """Return the task of networks with these settings."""
    material = heard.material
    seen = material.inputs.part(settings.viewpoints)
    shape = settings.shape(seen.width, vertical=material.model.vertical)
    progress(COMPILING, 0.0)
    training, development = heard.training.seen(seen), heard.development.seen(seen)
    task = NetworkTask(material.model.task, shape, training, development, scorer=fastest_scorer(shape))
    progress(COMPILING, 1.0)
    return task


def strategy_of(name: str, task: NetworkTask, population: int, options: Options, member: int) -> Strategy:
    """Return a fresh strategy for a member of the choir."""
    rng = generator(options.seed, 0, member)
    if name == "cma":
        step_size = STEP_SIZE if options.step_size is None else options.step_size
        return SepCma(task.first_population(rng, 1)[0], population, rng, step_size=step_size)
    descent = Descent() if options.survivors is None else Descent(survivors=options.survivors)
    return ManyParents(task.first_population(rng, population), task.shape.matrices, descent, rng)


def split(found: Sequence[Duet], seed: int) -> tuple[list[Duet], list[Duet]]:
    """Return the duets to train on, and those held out: one piece in ten, by lot; of a single piece, its last fifth."""
    if len(found) == 1:
        player, own = found[0]
        kept = len(player) - len(player) // HELD_OUT_NOTES
        return [(player[:kept], own)], [(player[kept:], own)]
    held = _drawn(len(found), seed)
    return (
        [duet for index, duet in enumerate(found) if index not in held],
        [duet for index, duet in enumerate(found) if index in held],
    )


def held_out_names(names: Sequence[str], seed: int) -> tuple[str, ...]:
    """Return what `split` holds out, by the names of the pieces."""
    if len(names) == 1:
        return (f"the last fifth of {names[0]}",)
    held = _drawn(len(names), seed)
    return tuple(name for index, name in enumerate(names) if index in held)


def _drawn(pieces: int, seed: int) -> set[int]:
    """Return which of several pieces are held out."""
    return set(generator(seed, 1).permutation(pieces)[: max(1, pieces // HELD_OUT_PIECES)].tolist())


def within_bytes(found: Sequence[Duet], numbers: int, seed: int, most: int) -> list[Duet]:
    """Return as many pieces, drawn by lot, as fit into so many bytes when each note takes so many numbers of four."""
    room = most // (4 * numbers)
    kept: dict[int, Duet] = {}
    for index in generator(seed, 2).permutation(len(found)).tolist():
        player, own = found[index]
        if len(player) <= room or not kept:
            kept[index] = player[:room], own
        room -= len(player)
        if room <= 0:
            break
    return [kept[index] for index in sorted(kept)]


def check_networks(options: Options, viewpoints: Iterable[str]) -> None:
    """Refuse options of which no networks can be made.

    :param viewpoints: all that there are.
    :raises ConfigError: if they are such; names the option.
    """
    hidden_units(options)
    viewpoints_left(options, viewpoints)


def hidden_units(options: Options) -> int:
    """Return the tanh units of one network.

    :raises ConfigError: if `--layers` asks for anything but one layer.
    """
    layers = options.layers or (HIDDEN,)
    if len(layers) != 1 or not 1 <= layers[0] <= 256:
        raise ConfigError(f"--layers is {','.join(map(str, layers))}; give one layer of 1–256 units")
    return layers[0]
