"""How to train a harmony model: a voice under (or over) the top voice of every piece, in a choir of genomes."""

from collections.abc import Mapping, Sequence

import numpy as np

from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.ga import Breeding, GeneticAlgorithm
from improviser.core.evolution.mutation import SelfAdaptive
from improviser.core.evolution.randomness import generator
from improviser.core.evolution.strategy import FloatArray, Strategy
from improviser.core.harmony.corpus import Duet, harmony_notes
from improviser.core.harmony.model import DEFAULT_VIEWPOINTS, HarmonyModel
from improviser.core.harmony.session import EXPERTS, VIEWPOINTS
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.task import NetworkTask
from improviser.core.networks.viewpoints import Inputs
from improviser.errors import ConfigError, CorpusError
from improviser.library import LoadableModel
from improviser.training.generations import Limits
from improviser.training.recipe import Options, Recipe, choice, refuse
from improviser.training.voices import duets, read_sources

STRATEGIES = ("cma", "ga")
POPULATION = 200
CHOIR = 6
MINUTES = 9.0
HIDDEN = 16
REACH = 12
VOICES = ("bass", "tenor", "alto")
CHECK_EVERY = 25
# One piece in so many is held out; of a single piece, its last so-manieth.
HELD_OUT_PIECES, HELD_OUT_NOTES = 10, 5
# What the notes to train on may take, and eight times what the held-out ones may, which are scored all at once; of a
# larger corpus some pieces are drawn by lot.
MOST_BYTES = 96 * 2**20
# With fewer notes than this there is nothing to learn.
FEWEST_NOTES = 16


def prepare(options: Options) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "layer_type", "mutation", "divergence")
    strategy_name = choice("strategy", options.strategy, STRATEGIES)
    voice = choice("voice", options.voice, VOICES)
    members = options.choir or CHOIR
    population = options.population or POPULATION
    minutes = MINUTES if options.minutes is None and options.generations is None else options.minutes
    read = read_sources(options.sources)
    found = duets(read.pieces, voice)
    training, development = split([(player, own) for _, player, own in found], options.seed)
    settings = settings_for(voice, [(player, own) for _, player, own in found], hidden=hidden_units(options))
    width = Inputs(settings.viewpoints, VIEWPOINTS).size + len(EXPERTS) * (settings.high - settings.low + 1)
    notes = harmony_notes(within_memory(training, width, options.seed, held_out=False), settings)
    held_out = harmony_notes(within_memory(development, width, options.seed, held_out=True), settings)
    if len(notes) < FEWEST_NOTES:
        raise CorpusError(f"{len(notes)} notes are too few to learn from; give longer pieces, or more of them")
    shape = settings.shape(notes.width, vertical=True)
    task = NetworkTask("harmony", shape, notes, held_out)

    def strategy(member: int) -> Strategy:
        return strategy_of(strategy_name, task, population, options, member)

    def build(champions: Sequence[FloatArray]) -> LoadableModel:
        return HarmonyModel(f"my-{voice}", settings, np.stack(champions))

    def scores(champions: Sequence[FloatArray]) -> Mapping[str, float]:
        return {"held_out_bits": task.choir_bits(np.stack(champions))}

    return Recipe(
        task=task,
        strategy=strategy,
        limits=Limits(options.generations, None if minutes is None else minutes / members),
        settings={
            "task": "harmony",
            "voice": voice,
            "strategy": strategy_name,
            "population": population,
            "generations": options.generations,
            "minutes": minutes,
            "choir": members,
            "layers": [settings.hidden],
            "seed": options.seed,
        },
        sources=tuple({"name": piece.name, "notes": len(player)} for piece, player, _ in found),
        build=build,
        scores=scores,
        members=members,
        choose_by="held_out",
        check_every=CHECK_EVERY,
        skipped=read.skipped,
    )


def strategy_of(name: str, task: NetworkTask, population: int, options: Options, member: int) -> Strategy:
    """Return a fresh strategy for a member of the choir."""
    rng = generator(options.seed, 0, member)
    if name == "cma":
        return SepCma(task.first_population(rng, 1)[0], population, rng)
    breeding = Breeding(
        SelfAdaptive(learning_rate=0.15), survivors=options.survivors or 0.005, parents=0.15, crossover=1.0, sigma=0.03
    )
    return GeneticAlgorithm(task.first_population(rng, population), breeding, rng)


def split(found: Sequence[Duet], seed: int) -> tuple[list[Duet], list[Duet]]:
    """Return the duets to train on, and those held out: one piece in ten, by lot; of a single piece, its last fifth."""
    if len(found) == 1:
        player, own = found[0]
        kept = len(player) - len(player) // HELD_OUT_NOTES
        return [(player[:kept], own)], [(player[kept:], own)]
    order = generator(seed, 1).permutation(len(found))
    held = set(order[: max(1, len(found) // HELD_OUT_PIECES)].tolist())
    return (
        [duet for index, duet in enumerate(found) if index not in held],
        [duet for index, duet in enumerate(found) if index in held],
    )


def within_memory(found: Sequence[Duet], numbers: int, seed: int, *, held_out: bool) -> list[Duet]:
    """Return as many pieces, drawn by lot, as fit into memory when each note takes so many numbers of four bytes."""
    room = (MOST_BYTES // 8 if held_out else MOST_BYTES) // (4 * numbers)
    kept: list[int] = []
    for index in generator(seed, 2).permutation(len(found)).tolist():
        room -= len(found[index][0])
        if room < 0 and kept:
            break
        kept.append(index)
    return [found[index] for index in sorted(kept)]


def hidden_units(options: Options) -> int:
    """Return the tanh units of one network.

    :raises ConfigError: if `--layers` asks for anything but one layer.
    """
    layers = options.layers or (HIDDEN,)
    if len(layers) != 1 or not 1 <= layers[0] <= 256:
        raise ConfigError(f"--layers is {','.join(map(str, layers))}; for harmony give one layer of 1–256 units")
    return layers[0]


def settings_for(voice: str, found: Sequence[Duet], *, hidden: int = HIDDEN) -> ChoirSettings:
    """Return the settings of a model of `voice`, whose registers are those of the duets."""
    pitches = [note.pitch for _, own in found for note in own]
    heard = [note.pitch for player, _ in found for note in player]
    return ChoirSettings(
        voice=voice,
        level="live",
        viewpoints=DEFAULT_VIEWPOINTS,
        hidden=hidden,
        low=min(pitches),
        high=max(pitches),
        reach=REACH,
        rest=True,
        experts=EXPERTS,
        player=(min(heard), max(heard)),
    )
