"""The scores on the card of a bundled model: bits on the pieces its training held out, beside counts and gradient nets.

Run it from the repository's folder; what the model does when left to itself is `improviser evaluate`'s to say::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus --extra fast --with torch python -m tests.benchmarks.cards bach-bass

The held-out pieces, drawn by the model's seed, also chose the champions, of evolution and of gradient descent alike.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from improviser.core.harmony.corpus import Duet, harmony_notes
from improviser.core.harmony.model import HarmonyModel
from improviser.core.melody.corpus import melody_notes
from improviser.core.melody.model import MelodyModel
from improviser.core.networks.notes import Notes
from improviser.core.networks.population import Scorer
from improviser.core.networks.task import choir_bits
from improviser.library.catalogue import load_model
from improviser.training.choir_recipe import split
from improviser.training.chorales import load_chorales
from improviser.training.counting import Context, CountModel
from tests.benchmarks.gradient import descended
from tests.benchmarks.harmony_folds import count_bits


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--seed", type=int, default=1, help="of the model's training")
    options = parser.parse_args()
    model = load_model(options.model)
    if not isinstance(model, HarmonyModel | MelodyModel):
        raise TypeError(f"{options.model} is no choir")
    training, development = split(duets_of(model), options.seed)
    held_out, scorer = notes_of(model, development), Scorer(model.shape)
    batch = scorer.lay_out(held_out)
    alone = " ".join(f"{scorer.mean_bits(genome, batch):.3f}" for genome in model.genomes)
    print(f"{options.model}: {len(held_out)} notes in {len(development)} pieces held out")
    print(f"evolved  {choir_bits(scorer, model.genomes, batch):.3f}  members alone {alone}")
    for name, bits in counted(model, training, development).items():
        print(f"{name:<8} {bits:.3f}")
    try:
        genomes = descended(
            model.shape, notes_of(model, training), held_out, members=len(model.genomes), seed=options.seed
        )
    except ImportError:
        print("torch is not installed: no gradient net")
    else:
        print(f"gradient {choir_bits(scorer, genomes, batch):.3f}  one alone {scorer.mean_bits(genomes[0], batch):.3f}")


def duets_of(model: HarmonyModel | MelodyModel) -> list[Duet]:
    """Return the pieces as training has them."""
    pieces = load_chorales()
    if isinstance(model, MelodyModel):
        return [(piece.voices[0], ()) for piece in pieces]
    return [(piece.voices[0], piece.voice(model.settings.voice) or ()) for piece in pieces]


def notes_of(model: HarmonyModel | MelodyModel, duets: Sequence[Duet]) -> Notes:
    """Return the notes to score."""
    if isinstance(model, MelodyModel):
        return melody_notes([tune for tune, _ in duets], model.settings)
    return harmony_notes(duets, model.settings)


def counted(
    model: HarmonyModel | MelodyModel, training: Sequence[Duet], development: Sequence[Duet]
) -> dict[str, float]:
    """Return the bits of the unigram and of Witten–Bell counts."""
    if isinstance(model, HarmonyModel):
        orders = {"unigram": 0, "counts": 3}
        return {name: count_bits(model.settings, training, development, order) for name, order in orders.items()}
    return {name: _markov(model, training, development, order) for name, order in {"unigram": 0, "order 2": 2}.items()}


def _markov(model: MelodyModel, training: Sequence[Duet], development: Sequence[Duet], order: int) -> float:
    def contexts(pitches: Sequence[int], index: int) -> list[Context]:
        return [tuple(pitches[index - length : index]) for length in range(min(order, index) + 1)]

    counts: CountModel[int] = CountModel(model.shape.pitches, contexts)
    tunes = [[note.pitch for note in tune] for tune, _ in training]
    counts.learn(zip(tunes, tunes, strict=True))
    held = [[note.pitch for note in tune] for tune, _ in development]
    return float(np.mean([bit for tune in held for bit in counts.bits(tune, tune)]))


if __name__ == "__main__":
    main()
