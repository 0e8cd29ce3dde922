"""How to train a chorale: the terms are fitted to a corpus in four voices; how much each kind counts is evolved.

The tables are fitted to chords that follow the corpus's own. Playing by itself, a chorale follows what it has played:
so they are fitted to what it plays, and what is bred is how near its own music comes to the corpus, in the figures of
`core.chorale.figures`. That is done for each voice that may be given. The parts' networks are bred one by one, by the
recipe of `harmony`.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.chorale.figures import distance
from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.phrase_ends import EndTables, PhraseNote, count_ends
from improviser.core.chorale.terms import SOPRANO, Terms
from improviser.core.chorale.voices import PARTS, ChoraleVoices
from improviser.core.evolution.cma import SepCma
from improviser.core.evolution.randomness import generator
from improviser.core.evolution.strategy import Strategy
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.parts import NAMES
from improviser.core.music.rhythm import RhythmTracker
from improviser.core.networks.responder import Model
from improviser.errors import CorpusError, ModelError
from improviser.library.catalogue import load_model
from improviser.library.model_file import SUFFIX
from improviser.training.chorale_evaluation import figures_of, harmonised
from improviser.training.chorale_fitting import (
    Gains,
    Setting,
    balance,
    bits_per_chord,
    direct_parallels,
    fit,
    observe,
    setting_of,
    types_of,
)
from improviser.training.chorale_movement import move_as_often
from improviser.training.chorale_ornaments import count_ornaments
from improviser.training.chorale_playing import count, fit_to_play, of_corpus
from improviser.training.generations import Limits
from improviser.training.progress import Progress, watched
from improviser.training.recipe import Options, Recipe, choice, fingerprint, refuse
from improviser.training.voices import read_sources

POPULATION, GENERATIONS, STEP_SIZE, AVERAGING = 8, 40, 0.1, 0.8
FIRST_ROUNDS, ROUNDS = 5, 9
ROUNDS_OF_PLAY: Sequence[tuple[int, float, tuple[str, ...]]] = ((2, 0.5, ()), (4, 0.2, ("chord",)))
"""How often what is played by itself is scaled, how far, and which kinds of terms, beside moves in parallel."""
TUNES = 10
"""A generation is scored on so many tunes of the corpus."""
TEMPERATURES = (0.7, 1.0)
"""Half of them are played at each of these temperatures."""
BITS = 0.02
"""What a bit a chord costs, in units of distance."""
PARALLELS = 4.0
"""What it costs to make more parallels a note than the corpus does where no notes come between; the parts have none."""
HELD_OUT = 10
OPINION = 0.65
FIRST_PROPOSALS, PROPOSALS = 8, 16
"""Pitches of each part, where the terms are fitted first, and where it plays."""
MOST_CHORDS = 20_000
"""Terms are fitted to pieces of so many notes at most, drawn by lot: each note takes 80 kB."""


ByVoice = Mapping[int, Sequence[Setting]]
"""Settings by the voice that is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """What a generation is scored on: numbers of tunes, and a seed for what is drawn while they are played."""

    tunes: NDArray[np.int64]
    seed: int


class ChoraleTask:
    """Scores gains: natural logarithms of how much each part, and each kind of term, has to say, voice by voice.

    :param model: the chorale, its terms fitted.
    :param settings: what it plays to, by the voice that it answers, and is held against.
    :param held: those that only `held_out` sees.
    """

    name = "chorale"

    def __init__(self, model: ChoraleModel, settings: ByVoice, held: ByVoice) -> None:
        self.model = model
        self._answering = [*model.answered.values()]
        self._genes = [PARTS + len(voices.terms.slices) for voices in self._answering]
        self.genome_size = sum(self._genes)
        self._settings, self._held = settings, held
        self._parallels = {given: direct_parallels(settings[given]) for given in model.answered}
        self._seen = {given: observe(voices, held[given], given=False) for given, voices in model.answered.items()}

    def first_population(self, rng: np.random.Generator, size: int) -> Float32Array:
        """Return random genomes, shape (size, genome_size)."""
        return STEP_SIZE * rng.standard_normal((size, self.genome_size), dtype=np.float32)

    def batch(self, rng: np.random.Generator) -> Lot:
        """Return what the next generation is scored on."""
        most = len(self._settings[SOPRANO])
        return Lot(rng.choice(most, min(TUNES, most), replace=False), int(rng.integers(2**31)))

    def fitness(self, population: Float32Array, batch: Lot) -> NDArray[np.float64]:
        """Return minus the distance to the corpus, less what bits cost, for each genome; shape (population,)."""
        tunes = {given: [settings[number] for number in batch.tunes] for given, settings in self._settings.items()}
        return np.array([self._fitness(genome, tunes, batch.seed) for genome in population])

    def held_out(self, genome: Float32Array) -> float:
        """Return the same of one genome, on what is held out."""
        return self._fitness(genome, self._held, 0)

    def bits(self, genome: Float32Array) -> float:
        """Return bits per chord on what is held out, the mean of the voices that are answered."""
        return float(np.mean([self._bits(voices) for voices in self._bred(genome)]))

    def built(self, genome: Float32Array) -> ChoraleModel:
        """Return the model with the gains of a genome."""
        return ChoraleModel.of(self.model.name, {voices.given: voices for voices in self._bred(genome)})

    def _bred(self, genome: NDArray[np.floating]) -> list[ChoraleVoices]:
        genes = np.split(genome, np.cumsum(self._genes)[:-1])
        return [with_gains(voices, own) for voices, own in zip(self._answering, genes, strict=True)]

    def _bits(self, voices: ChoraleVoices) -> float:
        return bits_per_chord(voices, voices.numbers, self._seen[voices.given])

    def _fitness(self, genome: Float32Array, tunes: ByVoice, seed: int) -> float:
        return float(np.mean([self._score(voices, tunes[voices.given], seed) for voices in self._bred(genome)]))

    def _score(self, voices: ChoraleVoices, tunes: Sequence[Setting], seed: int) -> float:
        played = []
        for number, setting in enumerate(tunes):
            temperature = TEMPERATURES[number % len(TEMPERATURES)]
            played.append((setting, harmonised(voices, setting.tune, generator(seed, number), temperature)))
        theirs, own = figures_of((setting, setting.chords) for setting in tunes), figures_of(played)
        parallels = abs(own["parallels"] - self._parallels[voices.given])
        return -distance(own, theirs) - PARALLELS * parallels - BITS * self._bits(voices)


def with_gains(model: ChoraleVoices, genome: NDArray[np.floating]) -> ChoraleVoices:
    """Return the voices with the gains of a genome."""
    gains = np.exp(genome.astype(np.float64))
    numbers = model.numbers.copy()
    for gain, place in zip(gains[PARTS:], model.terms.slices.values(), strict=True):
        numbers[place] *= np.float32(gain)
    return model.with_numbers(numbers, (model.weights * gains[:PARTS]).tolist())


def prepare(options: Options, progress: Progress, executor: Executor | None = None) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "layers", "layer_type", "mutation", "divergence", "survivors", "voice", "player")
    refuse(options, "choir", "without", "step_size")
    choice("strategy", options.strategy, ("cma",))
    networks = networks_for(None if options.parts is None else Path(options.parts))
    read = read_sources(options.sources, progress, strict=options.strict, executor=executor)
    settings = {given: [setting_of(piece, given) for piece in read.pieces] for given in networks}
    all_settings = {given: [setting for setting in some if setting is not None] for given, some in settings.items()}
    of_sopranos = all_settings[SOPRANO]
    if len(of_sopranos) < 2:
        raise CorpusError("a chorale is learned from two or more pieces in four voices; give MIDI files of four tracks")
    order = generator(options.seed, 1).permutation(len(of_sopranos))
    held = sorted(order[: max(1, len(of_sopranos) // HELD_OUT)].tolist())
    training = {
        given: [setting for number, setting in enumerate(some) if number not in held]
        for given, some in all_settings.items()
    }
    others = {given: [some[number] for number in held] for given, some in all_settings.items()}
    answering = {
        given: fitted(parts, training[given], others[given], options.seed, progress)
        for given, parts in networks.items()
    }
    task = ChoraleTask(ChoraleModel.of("my-chorale", answering), training, others)
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
            "rounds_of_play": sum(count for count, *_ in ROUNDS_OF_PLAY),
            "seed": options.seed,
        },
        sources=tuple({"name": setting.name, "notes": len(setting.tune)} for setting in of_sopranos),
        fingerprint=fingerprint(line for setting in of_sopranos for line in setting.chords.T.astype(float)),
        build=partial(_build, task),
        scores=scores,
        choose_by="held_out",
        check_every=2,
        held_out=tuple(of_sopranos[number].name for number in held),
        skipped=read.skipped,
        remarks=read.remarks,
    )


def _build(task: ChoraleTask, champions: Sequence[Float32Array]) -> ChoraleModel:
    return task.built(champions[0])


def networks_for(folder: Path | None = None) -> dict[int, list[HarmonyModel]]:
    """Return the networks of what answers each voice, by that voice, the highest part first.

    Those in a folder come first, such as "tenor-to-bass.safetensors", if all three are there; else they are those of
    the library: to a soprano `bach-alto`, `bach-tenor` and `bach-bass`, and to others those of `bach-chorale`.

    :raises ModelError: if one is for something else, or those to a soprano are missing.
    """
    found = {SOPRANO: [_network(folder, SOPRANO, part) or load_model(f"bach-{NAMES[part]}") for part in (1, 2, 3)]}
    for given in range(1, len(NAMES)):
        networks = [_network(folder, given, part) for part in range(len(NAMES)) if part != given]
        if None in networks:
            bundled = load_model("bach-chorale")
            known = bundled.around.get(given) if isinstance(bundled, ChoraleModel) else None
            networks = [] if known is None else [*known.parts]
        if networks:
            found[given] = [network for network in networks if network is not None]
    if any(not isinstance(network, HarmonyModel) for networks in found.values() for network in networks):
        raise ModelError("a network of a part is no model for harmony; remove your own file of that name")
    return {given: [each for each in some if isinstance(each, HarmonyModel)] for given, some in found.items()}


def _network(folder: Path | None, given: int, part: int) -> Model | None:
    """Return a part's network in a folder, if it is there."""
    path = None if folder is None else folder / f"{NAMES[part]}-to-{NAMES[given]}{SUFFIX}"
    return None if path is None or not path.exists() else load_model(path)


def fitted(
    parts: Sequence[HarmonyModel], settings: Sequence[Setting], held: Sequence[Setting], seed: int, progress: Progress
) -> ChoraleVoices:
    """Return voices whose terms are fitted to these settings, and whose gains to those held out.

    First few pitches of each part are proposed, by the parts alone; what is fitted to these chooses what it is fitted
    to anew. What is fitted to what was seen says too much of what was not: so how much each kind of term has to say is
    bred for few bits there. Then it is fitted to what it plays by itself.
    """
    given = settings[0].given
    what = f"to the {NAMES[given]}"
    types = types_of(settings)
    numbers = np.zeros(Terms(types).size, np.float32)
    ends = ends_of(settings)
    model = ChoraleVoices("my-chorale", parts, types, numbers, [OPINION] * PARTS, ends, FIRST_PROPOSALS, given)
    some = of_so_many_notes(settings, MOST_CHORDS, seed)
    for step, rounds in ((f"fitting first terms {what}", FIRST_ROUNDS), (f"fitting terms {what}", ROUNDS)):
        seen = observe(model, watched(some, f"listening {what}", progress), given=True)
        model = model.with_numbers(numbers, candidates=PROPOSALS)
        model = model.with_numbers(fit(model, seen, rounds, watch=partial(_told, step, rounds, progress)))
    model = with_gains(model, balance(Gains(model, observe(model, held, given=False)), seed))
    model = fitted_to_play(model, settings, seed, lambda done: progress(f"playing {what}", done))
    return move_as_often(model.with_ornaments(count_ornaments(model, settings)), settings, seed)


def _told(step: str, rounds: int, progress: Progress, done: int, _numbers: NDArray[np.float32]) -> None:
    progress(step, (done + 1) / rounds)


def of_so_many_notes(settings: Sequence[Setting], most: int, seed: int) -> list[Setting]:
    """Return all settings, or some drawn by lot if they have more than so many notes together; one at least."""
    order = generator(seed, 7).permutation(len(settings))
    notes = np.cumsum([len(settings[number].tune) for number in order])
    return [settings[number] for number in sorted(order[: max(1, int((notes <= most).sum()))].tolist())]


def fitted_to_play(
    model: ChoraleVoices, settings: Sequence[Setting], seed: int, told: Callable[[float], None]
) -> ChoraleVoices:
    """Return voices with some terms fitted to what they play: first how they move in parallel, then chords as well.

    Of the other terms there are so many that to fit them, too, makes bits and figures worse.
    """
    rounds, numbers = sum(rounds for rounds, *_ in ROUNDS_OF_PLAY), generator(seed, 6)
    theirs = count(model.terms, of_corpus(model, settings))
    done = 0
    for times, rate, kinds in ROUNDS_OF_PLAY:
        fitted = model.terms.parallels.copy()
        for kind in kinds:
            fitted[model.terms.slices[kind]] = True
        for _ in range(times):
            some = numbers.permutation(len(settings))[: max(1, len(settings) // 2)]
            chosen = [settings[number] for number in some]
            model = fit_to_play(model, chosen, theirs, int(numbers.integers(2**31)), fitted=fitted, rate=rate)
            done += 1
            told(done / rounds)
    return model


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
        for voice, pitch in enumerate(setting.chords[number].tolist()):
            if voice != setting.given:
                keys.hear(pitch)
    return notes
