"""How to train an echo model: the original experiment's settings, on one piece or several.

Of each file all notes count, by onset, then pitch; drums are left out. Several pieces are one long sequence: one
encoding, one ranking of notes and levels; only the windows begin anew with each piece. The last fifth of the notes of a
single piece, or of several pieces the last fifth, is held out: training never sees it.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, cast

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import LAYER_TYPES, MAX_LAYERS, MAX_NODES, EchoShape, LayerType
from improviser.core.echo.task import EchoTask
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.ga import Breeding, GeneticAlgorithm
from improviser.core.evolution.mutation import Factor, Mutation, Offset, Selection
from improviser.core.evolution.randomness import generator
from improviser.core.evolution.strategy import Strategy
from improviser.core.music.player import demo_tune
from improviser.errors import ConfigError, CorpusError
from improviser.library.catalogue import LoadableModel
from improviser.training.corpus import read_files
from improviser.training.generations import Limits
from improviser.training.named_sources import DEMO_TUNE, NAMED, load_named
from improviser.training.progress import Progress
from improviser.training.recipe import Options, Recipe, choice, fingerprint, refuse

POPULATION = 200
GENERATIONS = 200
LOOKBACK = 10
LAYERS = (20, 20)
SURVIVORS = 0.2
DIVERGENCE = 0.05
LARGEST_GENOME = 500_000
LARGEST_POPULATION = 50_000_000
"""Weights; a population of them takes 200 MB, and breeding as much again."""
MUTATIONS = ("factor", "offset", "selection")
STRATEGIES = ("ga", "cma")
STEP_SIZE = 1.0
"""Where `cma` begins. Ranks change in steps: networks that differ little are rated the same, and 0.1 stalls at once."""
DEMO_TUNE_SECONDS = 59.5
"""The whole tune, once."""
HELD_OUT = 5
"""One note, or piece, in so many is held out."""

Breed = Callable[[Float32Array, np.random.Generator], Strategy]
"""Makes a strategy of a first population."""


def prepare(options: Options, progress: Progress, executor: Executor | None = None) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "voice", "choir", "player", "parts", "without", "step_size")
    name = choice("strategy", options.strategy, STRATEGIES)
    shape = _shape(options)
    population = options.population or POPULATION
    _check_size(population, shape)
    breed, breeding_settings = _genetic(options, shape) if name == "ga" else _adapting(options)
    generations = GENERATIONS if options.generations is None and options.minutes is None else options.generations
    pieces, skipped, remarks = _pieces(options, progress, executor)
    task = _task(shape, [pitches for _, pitches in pieces])

    def strategy(member: int) -> Strategy:
        rng = generator(options.seed, 0, member)
        return breed(task.first_population(rng, population), rng)

    def build(champions: Sequence[Float32Array]) -> LoadableModel:
        return task.model("echo", champions[0])

    def scores(champions: Sequence[Float32Array]) -> Mapping[str, float]:
        rating = task.model("echo", champions[0]).rating(task.train)
        return {"rating": rating, "held_out": task.held_out(champions[0])}

    return Recipe(
        task=task,
        strategy=strategy,
        limits=Limits(generations, options.minutes),
        settings={
            "task": "echo",
            "strategy": name,
            "population": population,
            "generations": generations,
            "minutes": options.minutes,
            "lookback": shape.lookback,
            "layers": list(shape.nodes[1:-1]),
            "layer_type": shape.layer_type,
            **breeding_settings,
            "seed": options.seed,
        },
        sources=tuple({"name": name, "notes": len(pitches)} for name, pitches in pieces),
        fingerprint=fingerprint(pitches for _, pitches in pieces),
        build=build,
        scores=scores,
        skipped=skipped,
        remarks=remarks,
        held_out=_held_out_names([name for name, _ in pieces]),
    )


def _genetic(options: Options, shape: EchoShape) -> tuple[Breed, dict[str, Any]]:
    """Return the original's breeding, and its settings."""
    divergence = DIVERGENCE if options.divergence is None else options.divergence
    mutation = choice("mutation", options.mutation, MUTATIONS)
    breeding = Breeding(_mutation(mutation, divergence, shape), options.survivors or SURVIVORS)

    def breed(first: Float32Array, rng: np.random.Generator) -> Strategy:
        return GeneticAlgorithm(first, breeding, rng)

    return breed, {"mutation": mutation, "divergence": divergence, "survivors": breeding.survivors}


def _adapting(options: Options) -> tuple[Breed, dict[str, Any]]:
    """Return what breeds around the first network of a population; it has no settings of its own."""
    for name in ("mutation", "divergence", "survivors"):
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name} has no meaning for --strategy cma; leave it out")

    def breed(first: Float32Array, rng: np.random.Generator) -> Strategy:
        return SepCma(first[0], len(first), rng, step_size=STEP_SIZE)

    return breed, {}


def _shape(options: Options) -> EchoShape:
    layers = LAYERS if options.layers is None else options.layers
    if len(layers) > MAX_LAYERS - 2 or not all(1 <= nodes <= MAX_NODES for nodes in layers):
        raise ConfigError(
            f"--layers is {','.join(map(str, layers))}; "
            f"give up to {MAX_LAYERS - 2} layers of 1–{MAX_NODES} nodes, such as 20,20"
        )
    layer_type = choice("layer_type", options.layer_type, LAYER_TYPES)
    return EchoShape((options.lookback or LOOKBACK, *layers, 1), cast("LayerType", layer_type))


def _check_size(population: int, shape: EchoShape) -> None:
    """Refuse what would not fit into memory."""
    if shape.genome_size > LARGEST_GENOME or population * shape.genome_size > LARGEST_POPULATION:
        raise ConfigError(
            f"--population of {population} networks with {shape.genome_size} weights each is more than can be bred "
            f"({LARGEST_GENOME} a network, {LARGEST_POPULATION} in all); lower it, --lookback or --layers"
        )


def _mutation(name: str, divergence: float, shape: EchoShape) -> Mutation:
    if name == "factor":
        return Factor(divergence)
    if name == "offset":
        return Offset(divergence)
    return Selection(divergence, shape.matrices)


def _pieces(
    options: Options, progress: Progress, executor: Executor | None
) -> tuple[list[tuple[str, Sequence[int]]], tuple[str, ...], tuple[str, ...]]:
    """Return the name and the pitches of every piece, what was left out, and what was repaired."""
    sources = options.sources
    pieces: list[tuple[str, Sequence[int]]] = []
    files = [source for source in sources if source not in NAMED]
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    if files:
        corpus = read_files(files, progress, strict=options.strict, executor=executor)
        skipped, remarks = corpus.skipped, corpus.remarks
        pieces += [(piece.name, list(its)) for piece, its in zip(corpus.pieces, corpus.pitches, strict=True)]
    for piece in load_named(sources, progress, for_training=True):
        notes = demo_tune(DEMO_TUNE_SECONDS) if piece.name == DEMO_TUNE else piece.voices[0]
        pieces.append((piece.name, [note.pitch for note in notes]))
    return pieces, skipped, remarks


def _held_out_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return what `_task` holds out, by the names of the pieces."""
    return tuple(names[_kept(len(names)) :]) if len(names) > 1 else (f"the last fifth of {names[0]}",)


def _kept(pieces: int) -> int:
    """Return how many of several pieces are learned from."""
    return pieces - max(1, pieces // HELD_OUT)


def _task(shape: EchoShape, pieces: Sequence[Sequence[int]]) -> EchoTask:
    if len(pieces) > 1:
        kept = _kept(len(pieces))
        train, held = pieces[:kept], pieces[kept:]
    else:
        kept = len(pieces[0]) - len(pieces[0]) // HELD_OUT
        train, held = [pieces[0][:kept]], [pieces[0][kept:]]
    notes = EncodedNotes.of(*train)
    if len(notes.pitches) < 2:
        raise CorpusError("there is nothing to follow in notes of one pitch; give a MIDI file with a melody")
    return EchoTask(shape, notes, EncodedNotes.of(*held))
