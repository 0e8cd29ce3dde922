"""How often the parts of a chorale hold notes over, and move between them: as often as the corpus's do.

The weights by which a part holds notes over were bred on the corpus's own lines, and the rates of ornaments counted
there. Playing by itself, a chorale stays on its pitches more often than the corpus does; so its parts would hold too
much, and move too often. What is set here is the one weight of each part that always counts for holding over, and one
factor of all rates: so that over as many of the player's notes as in the corpus something is held, and after as many a
part moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from improviser.core.chorale.session import ChoraleSession
from improviser.core.chorale.voices import PARTS, ChoraleVoices
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.holding import probability
from improviser.core.harmony.model import HarmonyModel
from improviser.training.chorale_evaluation import answered
from improviser.training.chorale_fitting import Setting

TEMPERATURE = 0.7
EVERY = 3
"""Every third piece is played: that is enough for three numbers."""
FARTHEST, HALVINGS = 8.0, 30


@dataclass(frozen=True, slots=True)
class Movement:
    """What the chorale does by itself.

    :param odds: for each part, the logarithms of the odds (nats) of holding over wherever it stays on its pitch.
    :param moves: after how many notes a part moves.
    """

    odds: list[list[float]]
    moves: float


def movement_of(model: ChoraleVoices, settings: Sequence[Setting], seed: int) -> Movement:
    """Let the chorale play, and see how it moves."""
    odds: list[list[float]] = [[] for _ in range(PARTS)]
    moves = 0.0
    for number, setting in enumerate(settings):
        session = ChoraleSession(model)
        played = answered(model, setting.tune, generator(seed, number), TEMPERATURE)
        for note, (opinions, parts) in zip(setting.tune, played, strict=True):
            before = session.before
            for part, (voice, pitch) in enumerate(zip(model.others, parts, strict=True)):
                if before is not None and pitch == before[voice]:
                    odds[part].append(session.hold_odds(part, note.pitch, note.onset_seconds))
            if model.ornaments is not None:
                chord = (*parts[: model.given], opinions.given, *parts[model.given :])
                moves += min(1.0, float(model.ornaments.weights(chord, opinions.place, model.given).sum()))
            session.learn(note.pitch, note.onset_seconds, parts)
    return Movement(odds, moves)


def move_as_often(model: ChoraleVoices, settings: Sequence[Setting], seed: int) -> ChoraleVoices:
    """Return the voices, whose parts hold notes over, and move between them, as often as those of the corpus do."""
    some, others = settings[::EVERY], [*model.others]
    own = movement_of(model, some, seed)
    held = np.concatenate([setting.held[:, others] for setting in some]).sum(axis=0).tolist()
    shifts = [shift_for(odds, count) for odds, count in zip(own.odds, held, strict=True)]
    found = model.with_parts([_with_more(part, shift) for part, shift in zip(model.parts, shifts, strict=True)])
    moves = sum(int((setting.steps[:, others] >= 0).any(axis=1).sum()) for setting in some)
    if found.ornaments is None or not own.moves:
        return found
    return found.with_ornaments(replace(found.ornaments, rates=found.ornaments.rates * (moves / own.moves)))


def shift_for(odds: Sequence[float], count: float) -> float:
    """Return how far to shift odds (nats), so that the probabilities sum to `count`; bounded if they cannot."""
    low, high = -FARTHEST, FARTHEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if sum(probability(each + middle, TEMPERATURE) for each in odds) < count:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _with_more(part: HarmonyModel, shift: float) -> HarmonyModel:
    """Return a part's network with so much more on the weight for holding over that always counts."""
    always, *others = part.holding.weights
    return HarmonyModel(part.name, replace(part.settings, holding=(always + shift, *others)), part.genomes)
