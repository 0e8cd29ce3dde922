"""How to train a chorale: the terms are fitted to a corpus in four voices; how much each kind counts is evolved.

The tables are fitted to chords that follow the corpus's own. Playing by itself, a chorale follows what it has played:
so what is bred is how near its own music comes to the corpus, in the figures of `core.chorale.figures`. The parts'
networks are those of the library, bred one by one by the recipe of `harmony`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.chorale.figures import distance
from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.phrase_ends import EndTables, PhraseNote, count_ends
from improviser.core.chorale.terms import Terms
from improviser.core.chorale.voices import PARTS
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.evolution.strategy import Strategy
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.rhythm import RhythmTracker
from improviser.errors import CorpusError, ModelError
from improviser.library.catalogue import load_model
from improviser.training.chorale_evaluation import figures_of, harmonised
from improviser.training.chorale_fitting import (
    Gains,
    Observations,
    Setting,
    balance,
    bits_per_chord,
    direct_parallels,
    fit,
    observe,
    setting_of,
    types_of,
)
from improviser.training.generations import Limits
from improviser.training.progress import Progress, watched
from improviser.training.recipe import Options, Recipe, choice, fingerprint, refuse
from improviser.training.voices import read_sources

POPULATION, GENERATIONS, STEP_SIZE, AVERAGING = 8, 40, 0.1, 0.8
ROUNDS = 14
TUNES = 10
"""A generation is scored on so many tunes of the corpus."""
TEMPERATURES = (0.7, 1.0)
"""Half of them are played at each of these temperatures."""
BITS = 0.02
"""What a bit a chord costs, in units of distance."""
PARALLELS = 4.0
"""What it costs to make more parallels a note than the corpus does where no notes come between; the parts have none."""
HELD_OUT = 10
OPINION = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """What a generation is scored on: numbers of tunes, and a seed for what is drawn while they are played."""

    tunes: NDArray[np.int64]
    seed: int


class ChoraleTask:
    """Scores gains: natural logarithms of how much each part, and each kind of term, has to say.

    :param model: the chorale, its terms fitted.
    :param settings: what it plays to, and is held against.
    :param held: those that only `held_out` sees; they also say how much each kind of term has to say to begin with.
    """

    name = "chorale"

    def __init__(self, model: ChoraleModel, settings: Sequence[Setting], held: Sequence[Setting], seed: int) -> None:
        self.genome_size = len(PARTS) + len(model.terms.slices)
        self._settings = settings
        self._held = held
        self._parallels = direct_parallels(settings)
        self._seen: Observations = observe(model, held, given=False)
        self.model = with_gains(model, balance(Gains(model, self._seen), seed))

    def first_population(self, rng: np.random.Generator, size: int) -> Float32Array:
        """Return random genomes, shape (size, genome_size)."""
        return STEP_SIZE * rng.standard_normal((size, self.genome_size), dtype=np.float32)

    def batch(self, rng: np.random.Generator) -> Lot:
        """Return what the next generation is scored on."""
        count = min(TUNES, len(self._settings))
        return Lot(rng.choice(len(self._settings), count, replace=False), int(rng.integers(2**31)))

    def fitness(self, population: Float32Array, batch: Lot) -> NDArray[np.float64]:
        """Return minus the distance to the corpus, less what bits cost, for each genome; shape (population,)."""
        tunes = [self._settings[number] for number in batch.tunes]
        return np.array([self._fitness(genome, tunes, batch.seed) for genome in population])

    def held_out(self, genome: Float32Array) -> float:
        """Return the same of one genome, on what is held out."""
        return self._fitness(genome, self._held, 0)

    def bits(self, genome: Float32Array) -> float:
        """Return bits per chord on what is held out."""
        model = with_gains(self.model, genome)
        return bits_per_chord(model, model.numbers, self._seen)

    def _fitness(self, genome: Float32Array, tunes: Sequence[Setting], seed: int) -> float:
        model = with_gains(self.model, genome)
        played = []
        for number, setting in enumerate(tunes):
            temperature = TEMPERATURES[number % len(TEMPERATURES)]
            played.append((setting, harmonised(model, setting.tune, generator(seed, number), temperature)))
        theirs, own = figures_of((setting, setting.chords) for setting in tunes), figures_of(played)
        parallels = abs(own["parallels"] - self._parallels)
        return -distance(own, theirs) - PARALLELS * parallels - BITS * self.bits(genome)


def with_gains(model: ChoraleModel, genome: NDArray[np.floating]) -> ChoraleModel:
    """Return the model with the gains of a genome."""
    gains = np.exp(genome.astype(np.float64))
    numbers = model.numbers.copy()
    for gain, place in zip(gains[len(PARTS) :], model.terms.slices.values(), strict=True):
        numbers[place] *= np.float32(gain)
    weights = (model.weights * gains[: len(PARTS)]).tolist()
    return ChoraleModel(model.name, model.parts, model.terms.types, numbers, weights, model.ends, model.candidates)


def prepare(options: Options, progress: Progress) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "layers", "layer_type", "mutation", "divergence", "survivors", "voice", "choir")
    choice("strategy", options.strategy, ("cma",))
    read = read_sources(options.sources, progress, strict=options.strict)
    settings = [setting for setting in map(setting_of, read.pieces) if setting is not None]
    if len(settings) < 2:
        raise CorpusError("a chorale is learned from two or more pieces in four voices; give MIDI files of four tracks")
    order = generator(options.seed, 1).permutation(len(settings))
    held = {*order[: max(1, len(settings) // HELD_OUT)].tolist()}
    training = [setting for number, setting in enumerate(settings) if number not in held]
    model = fitted(library_parts(), training, progress)
    task = ChoraleTask(model, training, [settings[number] for number in sorted(held)], options.seed)
    limited = options.generations is not None or options.minutes is not None
    generations = options.generations if limited else GENERATIONS
    population = options.population or POPULATION

    def strategy(member: int) -> Strategy:
        mean = np.zeros(task.genome_size, np.float32)
        rng = generator(options.seed, 0, member)
        return SepCma(mean, population, rng, step_size=STEP_SIZE, averaging=AVERAGING)

    def scores(champions: Sequence[Float32Array]) -> Mapping[str, float]:
        return {"held_out_bits": task.bits(champions[0]), "held_out_fitness": task.held_out(champions[0])}

    return Recipe(
        task=task,
        strategy=strategy,
        limits=Limits(generations, options.minutes),
        settings={
            "task": task.name,
            "strategy": "cma",
            "population": population,
            "generations": generations,
            "minutes": options.minutes,
            "rounds": ROUNDS,
            "seed": options.seed,
        },
        sources=tuple({"name": setting.name, "notes": len(setting.tune)} for setting in settings),
        fingerprint=fingerprint(line for setting in settings for line in setting.chords.T.astype(float)),
        build=partial(_build, task.model),
        scores=scores,
        choose_by="held_out",
        check_every=2,
        held_out=tuple(settings[number].name for number in sorted(held)),
        skipped=read.skipped,
        remarks=read.remarks,
    )


def _build(model: ChoraleModel, champions: Sequence[Float32Array]) -> ChoraleModel:
    return with_gains(model, champions[0])


def library_parts() -> list[HarmonyModel]:
    """Return the networks of the parts.

    :raises ModelError: if one is missing, or for something else.
    """
    parts = []
    for part in PARTS:
        model = load_model(f"bach-{part}")
        if not isinstance(model, HarmonyModel):
            raise ModelError(f"bach-{part} is no model for harmony; remove your own file of that name")
        parts.append(model)
    return parts


def fitted(parts: Sequence[HarmonyModel], settings: Sequence[Setting], progress: Progress) -> ChoraleModel:
    """Return a chorale whose terms are fitted to these settings."""
    types = types_of(settings)
    numbers = np.zeros(Terms(types).size, np.float32)
    model = ChoraleModel("my-chorale", parts, types, numbers, [OPINION] * len(parts), ends_of(settings))
    seen = observe(model, watched(settings, "listening to what to learn", progress), given=True)
    return replace_numbers(model, fit(model, seen, ROUNDS, watch=_telling(progress)))


def replace_numbers(model: ChoraleModel, numbers: NDArray[np.float32]) -> ChoraleModel:
    """Return the model with other numbers of its terms."""
    weights = model.weights.tolist()
    return ChoraleModel(model.name, model.parts, model.terms.types, numbers, weights, model.ends, model.candidates)


def _telling(progress: Progress) -> Callable[[int, NDArray[np.float32]], None]:
    return lambda done, _: progress("fitting the terms", (done + 1) / ROUNDS)


def ends_of(settings: Sequence[Setting]) -> EndTables:
    """Return what the settings tell of the ends of phrases; where none is marked, that is the last note."""
    return count_ends([phrase_notes(setting) for setting in settings])


def phrase_notes(setting: Setting) -> list[PhraseNote]:
    """Return the notes of a tune with degrees in the key that is heard as they come."""
    keys, rhythm = ModulatingKeys(), RhythmTracker()
    notes: list[PhraseNote] = []
    last = len(setting.tune) - 1
    for number, note in enumerate(setting.tune):
        moment = rhythm.look(note.onset_seconds)
        tonic, _ = keys.look(note.pitch, moment)[1]
        step = note.pitch - setting.tune[number - 1].pitch if number else 0
        ends = number == last if setting.ends is None else bool(setting.ends[number])
        notes.append(((note.pitch - tonic) % 12, step, note.onset_seconds, ends))
        keys.hear_player(note.pitch, moment)
        rhythm.hear(note.onset_seconds)
        for pitch in setting.chords[number, 1:].tolist():
            keys.hear(pitch)
    return notes
