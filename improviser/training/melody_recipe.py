"""How to train a melody model: the next note of the top voice of every piece, in a choir of genomes."""

from collections.abc import Mapping, Sequence

import numpy as np

from improviser.core.evolution.strategy import FloatArray, Strategy
from improviser.core.melody.corpus import melody_notes
from improviser.core.melody.model import DEFAULT_VIEWPOINTS, MelodyModel
from improviser.core.melody.session import EXPERTS, VIEWPOINTS
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.task import NetworkTask
from improviser.core.networks.viewpoints import Inputs
from improviser.errors import CorpusError
from improviser.library import LoadableModel
from improviser.training.generations import Limits
from improviser.training.harmony_recipe import (
    CHECK_EVERY,
    CHOIR,
    FEWEST_NOTES,
    HIDDEN,
    MINUTES,
    POPULATION,
    REACH,
    STRATEGIES,
    hidden_units,
    split,
    strategy_of,
    within_memory,
)
from improviser.training.recipe import Options, Recipe, choice, refuse
from improviser.training.voices import read_sources


def prepare(options: Options) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "layer_type", "mutation", "divergence", "voice")
    strategy_name = choice("strategy", options.strategy, STRATEGIES)
    members = options.choir or CHOIR
    population = options.population or POPULATION
    minutes = MINUTES if options.minutes is None and options.generations is None else options.minutes
    read = read_sources(options.sources)
    tunes = [piece.voices[0] for piece in read.pieces]
    training, development = split([(tune, ()) for tune in tunes], options.seed)
    settings = settings_for(tunes, hidden=hidden_units(options))
    width = Inputs(settings.viewpoints, VIEWPOINTS).size + len(EXPERTS) * (settings.high - settings.low + 1)
    kept = within_memory(training, width, options.seed, held_out=False)
    notes = melody_notes([tune for tune, _ in kept], settings)
    kept = within_memory(development, width, options.seed, held_out=True)
    held_out = melody_notes([tune for tune, _ in kept], settings)
    if len(notes) < FEWEST_NOTES:
        raise CorpusError(f"{len(notes)} notes are too few to learn from; give longer pieces, or more of them")
    task = NetworkTask("melody", settings.shape(notes.width, vertical=False), notes, held_out)

    def strategy(member: int) -> Strategy:
        return strategy_of(strategy_name, task, population, options, member)

    def build(champions: Sequence[FloatArray]) -> LoadableModel:
        return MelodyModel("my-melody", settings, np.stack(champions))

    def scores(champions: Sequence[FloatArray]) -> Mapping[str, float]:
        return {"held_out_bits": task.choir_bits(np.stack(champions))}

    return Recipe(
        task=task,
        strategy=strategy,
        limits=Limits(options.generations, None if minutes is None else minutes / members),
        settings={
            "task": "melody",
            "strategy": strategy_name,
            "population": population,
            "generations": options.generations,
            "minutes": minutes,
            "choir": members,
            "layers": [settings.hidden],
            "seed": options.seed,
        },
        sources=tuple({"name": piece.name, "notes": len(piece.voices[0])} for piece in read.pieces),
        build=build,
        scores=scores,
        members=members,
        choose_by="held_out",
        check_every=CHECK_EVERY,
        skipped=read.skipped,
    )


def settings_for(tunes: Sequence[Sequence[Note]], *, hidden: int = HIDDEN) -> ChoirSettings:
    """Return the settings of a model of melodies, whose register is that of the `tunes`."""
    pitches = [note.pitch for tune in tunes for note in tune]
    return ChoirSettings(
        voice="melody",
        level="live",
        viewpoints=DEFAULT_VIEWPOINTS,
        hidden=hidden,
        low=min(pitches),
        high=max(pitches),
        reach=REACH,
        rest=False,
        experts=EXPERTS,
    )
