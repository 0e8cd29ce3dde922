"""A personal model: what sounds most like you, bred on your recordings, and kept only if it foresees you better.

Two ways are tried. Each melody model that is bundled is adapted to the tunes (a few gains and biases, which a few
hundred notes are enough for, see `core.melody.online`); with many notes a choir is bred on them from nothing as well.
Whatever foresees the tunes that were held out best is the model, if it does so better than every bundled one, than the
one there was, and if all of them together, as `auto` mixes them, do so better with it.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from improviser.core.melody.counts import CountsModel
from improviser.core.melody.mixture import MixedModel
from improviser.core.melody.model import MelodyModel
from improviser.core.melody.online import OnlineEvolution
from improviser.core.music.note import Note
from improviser.core.music.piece import Piece
from improviser.core.networks.responder import Model
from improviser.core.tasks.registry import singer_of
from improviser.errors import CorpusError, ModelError
from improviser.files import check_writable
from improviser.library import catalogue
from improviser.library.adaptations import base_of
from improviser.library.catalogue import AUTO, PERSONAL
from improviser.library.model_file import SUFFIX, read
from improviser.training.cache import cache_folder
from improviser.training.choir_recipe import choir_recipe
from improviser.training.melody_recipe import heard
from improviser.training.progress import Progress, silent
from improviser.training.recipe import Options
from improviser.training.recorded_tunes import held_out
from improviser.training.trainer import Checkpoints, calibrate, model_of, train
from improviser.training.voices import Sources
from improviser.training.workers import Workers
from improviser.version import __version__

FEWEST, ENOUGH = 200, 3000
"""Notes to breed on at all; and to breed a choir on from nothing."""
GENERATIONS = 60
"""Of each adaptation."""
PAUSE_SECONDS = 3.0
FLOOR = 2.0**-20
"""What a pitch has at least, of all 128: none is impossible."""


@dataclass(frozen=True, slots=True)
class Personal:
    """What came of it.

    :param scores, bred: bits a note on the tunes that were held out, of each model that there was, and of each that was
        bred.
    :param mixed, mixed_with: the same of all bundled models together, and of these with the best that was bred.
    :param notes, held_out_notes: how many were bred on, and held out.
    :param model: the best that was bred.
    """

    scores: Mapping[str, float]
    bred: Mapping[str, float]
    mixed: float
    mixed_with: float
    notes: int
    held_out_notes: int
    model: MelodyModel

    @property
    def is_better(self) -> bool:
        """Whether it foresees better than every model there was, and all together do with it."""
        return min(self.bred.values()) < min(self.scores.values()) and self.mixed_with < self.mixed

    def provenance(self, sources: Sequence[str], seed: int) -> dict[str, Any]:
        """Return what its file says of where it comes from."""
        return {
            "program": f"improviser {__version__}",
            "sources": [{"name": name} for name in sources[:1000]],
            "seed": seed,
            "scores": {
                "held_out_bits": min(self.bred.values()),
                "best_there_was_bits": min(self.scores.values()),
                "auto_bits": self.mixed,
                "auto_with_it_bits": self.mixed_with,
            },
            "options": {"way": min(self.bred, key=lambda name: self.bred[name]), "notes": self.notes},
        }


def learn(
    tunes: Sequence[Piece],
    bundled: Sequence[Model],
    *,
    minutes: float,
    seed: int = 0,
    before: Model | None = None,
    progress: Progress = silent,
) -> Personal:
    """Breed a personal model.

    :param bundled: the melody models to be better than.
    :param before: the personal model there was, to be better than as well.
    :param minutes: how long to breed a choir from nothing, if there are notes enough.
    :raises CorpusError: if there are too few notes.
    """
    tested = [tune.voices[0] for tune in tunes if held_out(tune.voices[0])]
    kept = [tune for tune in tunes if not held_out(tune.voices[0])]
    notes, held = sum(len(tune.voices[0]) for tune in kept), sum(map(len, tested))
    if notes < FEWEST or not tested:
        raise CorpusError(
            f"there are {notes + held} notes of yours in {len(tunes)} tunes, too few to learn from; play some more "
            f"(about {2 * FEWEST} notes, with pauses), or give more recordings"
        )
    steps = len(bundled) * 2 + 3
    scores: dict[str, float] = {}
    bred: dict[str, float] = {}
    best: MelodyModel | None = None

    def try_out(way: str, model: MelodyModel) -> None:
        nonlocal best
        bred[way] = bits(model, tested)
        if best is None or bred[way] <= min(bred.values()):
            best = model

    for number, model in enumerate(bundled):
        progress("learning", 2 * number / steps)
        scores[model.name] = bits(model, tested)
        progress("learning", (2 * number + 1) / steps)
        if isinstance(model, MelodyModel):
            try_out(f"{model.name}, adapted", adapted_to(model, [tune.voices[0] for tune in kept], seed))
    if notes >= ENOUGH:
        progress("learning", (steps - 3) / steps)
        try_out("bred from nothing", _bred(kept, minutes, seed))
    if best is None:
        raise CorpusError("there is no melody model in the library that could be adapted; reinstall improviser")
    if before is not None:
        scores[f"{before.name}, as it was"] = bits(before, tested)
    progress("learning", (steps - 2) / steps)
    mixed = bits(MixedModel(AUTO, [*bundled, CountsModel()]), tested)
    progress("learning", (steps - 1) / steps)
    mixed_with = bits(MixedModel(AUTO, [best, *bundled, CountsModel()]), tested)
    progress("learning", 1.0)
    return Personal(scores, bred, mixed, mixed_with, notes, held, best)


def place(output: Path | None, *, force: bool) -> Path:
    """Return the file that a personal model is written to: `output`, or that of the model PERSONAL.

    :param force: whether a file that is there, and is no personal model, may be written over.
    :raises OutputError: if it cannot be written, or may not be written over; before anything is bred.
    """
    if output is not None:
        check_writable(output, force=force)
        return output
    file = catalogue.user_folder() / f"{PERSONAL}{SUFFIX}"
    if file.parent.exists():
        check_writable(file, force=force or "way" in _options(file))
    else:  # nothing is created before there is something to keep
        check_writable(next(folder for folder in file.parents if folder.exists()) / file.name)
    return file


def lock_of(file: Path) -> Path:
    """Return what is locked while something is bred that is to become a file."""
    return cache_folder() / f"learning-{hashlib.sha256(str(file.absolute()).encode()).hexdigest()[:16]}.lock"


def model_before(file: Path, sources: Sequence[str]) -> Model | None:
    """Return the personal model that is there; None if there is none, or it knows recordings that are not given now.

    What somebody else has played is to be left out although it may have made a model better.
    """
    try:
        known = read(file).provenance.get("sources", [])
        names = {source["name"] for source in known}
        return catalogue.load_model(file) if names <= set(sources) else None
    except (ModelError, KeyError, TypeError):
        return None


def _options(file: Path) -> Mapping[str, Any]:
    try:
        options = read(file).provenance.get("options")
    except ModelError:
        return {}
    return options if isinstance(options, dict) else {}


def adapted_to(model: MelodyModel, tunes: Sequence[Sequence[Note]], seed: int) -> MelodyModel:
    """Return a model as it is when adapted to tunes."""
    evolution = OnlineEvolution(model, base_of(model), seed)
    _told(tunes, evolution.hear)
    evolution.evolve(GENERATIONS)
    genomes = evolution.adaptation.applied_to(model).genomes
    return MelodyModel(PERSONAL, model.settings, genomes)


def _bred(tunes: Sequence[Piece], minutes: float, seed: int) -> MelodyModel:
    options = Options(sources=(), task="melody", minutes=minutes, seed=seed)
    recipe = choir_recipe(options, heard(options, Sources(tuple(tunes))), silent)
    kept = Checkpoints(Path(), every=0)
    done = train(recipe, seed=seed, workers=Workers(), checkpoints=kept, report=lambda _member, _bred: None)
    calibrate(recipe, done)
    model = model_of(recipe, done)
    if not isinstance(model, MelodyModel):
        raise TypeError(f"{type(model).__name__} is no melody model")
    return MelodyModel(PERSONAL, model.settings, model.genomes)


def bits(model: Model, tunes: Sequence[Sequence[Note]]) -> float:
    """Return what a note of these tunes costs, one after the other in one session; each before it is learned from."""
    singer = singer_of(model)
    if singer is None:
        raise CorpusError(f"{model.name} does not sing by itself")
    costs: list[float] = []

    def hear(pitch: int, onset_seconds: float) -> None:
        chances = (1 - 128 * FLOOR) * np.exp(singer.proceed(onset_seconds)) + FLOOR
        costs.append(-float(np.log2(chances[pitch])))
        singer.follow(pitch, onset_seconds)

    _told(tunes, hear)
    return float(np.mean(costs))


def _told(tunes: Sequence[Sequence[Note]], hear: Callable[[int, float], None]) -> None:
    start = 0.0
    for tune in tunes:
        for note in tune:
            hear(note.pitch, start + note.onset_seconds - tune[0].onset_seconds)
        start += tune[-1].end_seconds - tune[0].onset_seconds + PAUSE_SECONDS
