"""What a good score is: what the notes held out cost simple counting, and the bundled models of the same task.

Bits a note are told as a musician may think of them: among how many pitches one would have to choose at random to be as
unsure, which is two to the power of the bits (the perplexity).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from improviser.core.harmony.corpus import Duet
from improviser.core.networks.choir import TOP
from improviser.core.networks.responder import Model
from improviser.core.tasks.registry import describe
from improviser.library import catalogue
from improviser.training.counting import Context, CountModel
from improviser.training.evaluation import answers, bits_of, expectations
from improviser.training.progress import Progress, silent, watched

COUNTING = "simple counting"
MOST_NOTES = 400
"""Notes that are scored, at most: some seconds' work for all models."""
MOST_COUNTED = 200_000
"""Notes that simple counting learns from, at most: what it counts must fit into memory."""
PITCHES_COUNTED = 60
"""Among so many pitches counting takes what it has never seen to be."""

Event = tuple[int, int | None]
"""A note of the player's, and what is to be foreseen with it: the answer, or None for a rest."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was learned from, and what was held out: duets, the own part empty where a melody stands alone."""

    training: Sequence[Duet] = ()
    held_out: Sequence[Duet] = ()
    foreign: bool = field(default=True, kw_only=True)
    """Whether no bundled model can have learned from what is held out."""


def pitches_to_choose_among(bits: float) -> float:
    """Return among how many equally likely pitches one is as unsure as with so many bits a note."""
    return float(2.0**bits)


def compared(model: Model, comparison: Comparison, progress: Progress = silent) -> Mapping[str, float]:
    """Return the mean bits a note of the model, of counting, and of the bundled models, by name, on what is held out.

    Empty if nothing is.
    """
    duets = _some(comparison.held_out)
    if not duets:
        return {}
    scored = {model.name: _bits(model, duets), COUNTING: _counted(model, comparison.training, duets)}
    if comparison.foreign:
        others = [entry.name for entry in catalogue.listing() if entry.bundled and _is_alike(entry, model)]
        for name in watched(others, "comparing it with the bundled models", progress):
            scored[name] = _bits(catalogue.load_model(name), duets)
    return scored


def _is_alike(entry: catalogue.Entry, model: Model) -> bool:
    voices = describe(model.task).voices
    if entry.model is None or entry.model.task != model.task:
        return False
    settings = entry.model.settings
    return voices is None or (settings.get("voice"), settings.get("to", TOP)) == voices(model)


def _some(duets: Sequence[Duet], most: int = MOST_NOTES) -> list[Duet]:
    some: list[Duet] = []
    for player, own in duets:
        if most <= 0:
            break
        some.append((player[:most], own))
        most -= len(player)
    return some


def _own(model: Model, duet: Duet) -> list[int | None]:
    player, own = duet
    return [note.pitch for note in player] if describe(model.task).alone else answers(player, own)


def _bits(model: Model, duets: Sequence[Duet]) -> float:
    return float(np.mean([bit for duet in duets for bit in bits_of(expectations(model, duet[0], _own(model, duet)))]))


def _counted(model: Model, training: Sequence[Duet], duets: Sequence[Duet]) -> float:
    """Return what counting reaches: what followed what, from the whole to the last three notes (Witten and Bell)."""
    alone = describe(model.task).alone

    def contexts(events: Sequence[Event], index: int) -> list[Context]:
        if alone:
            return [tuple(pitch for pitch, _ in events[index - length : index]) for length in range(min(3, index) + 1)]
        player, earlier = events[index][0], events[index - 1] if index else (None, None)
        return [(), (player,), (player, earlier[1]), (player, earlier[1], earlier[0])]

    def events_of(duet: Duet) -> tuple[list[Event], list[int | None]]:
        own = _own(model, duet)
        return [(note.pitch, answer) for note, answer in zip(duet[0], own, strict=True)], own

    counts: CountModel[Event] = CountModel(PITCHES_COUNTED, contexts)
    counts.learn(map(events_of, _some(training, MOST_COUNTED)))
    bits = [
        bit
        for events, own in map(events_of, duets)
        for bit, answer in zip(counts.bits(events, own), own, strict=True)
        if answer is not None
    ]
    return float(np.mean(bits)) if bits else float("nan")
