"""Breeds networks that have not seen some of the chorales, so that terms are fitted to opinions of what is new to them.

Run it from the repository's folder, with the networks that answer other voices than the soprano in a folder::

    uv run --extra corpus python -m tests.benchmarks.chorale_networks networks --given bass

The pieces that terms are fitted to are parted into folds by lot; for each fold and each part that answers the voice, a
choir is bred on the others, and kept as `networks/2/tenor-to-bass.safetensors`. What is there is not bred again.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from improviser.core.evolution.randomness import generator
from improviser.core.harmony.corpus import Duet, harmony_notes
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.parts import NAMES
from improviser.core.music.piece import Piece
from improviser.core.networks.task import NetworkTask
from improviser.kernels.fastest import fastest_scorer
from improviser.library import model_file
from improviser.library.catalogue import take_apart
from improviser.threads import use_one_thread
from improviser.training.chorales import load_chorales
from tests.benchmarks.breeding import breed_choir
from tests.benchmarks.chorale_fit import SEED, networks, parted

FOLDS, MEMBERS, GENERATIONS = 3, 2, 1000


def folds_of(names: Sequence[str]) -> dict[str, int]:
    """Return the fold of each piece that terms are fitted to, from 0."""
    order = generator(SEED, 8).permutation(len(names)).tolist()
    return {names[number]: place % FOLDS for place, number in enumerate(order)}


def path_of(folder: Path, fold: int, part: str, given: int) -> Path:
    """Return where the network of a part is kept that has not seen a fold."""
    return folder / str(fold) / f"{part}-to-{NAMES[given]}.safetensors"


def breed(model: HarmonyModel, learned: Sequence[Piece], held: Sequence[Piece]) -> HarmonyModel:
    """Return a model with the settings of one, bred on other pieces; those held out choose the champions."""
    settings = model.settings

    def duet(piece: Piece) -> Duet:
        return piece.voice(settings.to) or (), piece.voice(settings.voice) or ()

    training, development = (harmony_notes(map(duet, pieces), settings) for pieces in (learned, held))
    task = NetworkTask("harmony", model.shape, training, development, scorer=fastest_scorer(model.shape))
    genomes = breed_choir(task, "cma", members=MEMBERS, generations=GENERATIONS, seed=SEED)
    print(f"{settings.voice} to {settings.to}: {task.choir_bits(genomes):.3f} bits", flush=True)
    return HarmonyModel(model.name, settings, genomes)


def main() -> None:
    """Breed what is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", type=Path)
    parser.add_argument("--given", choices=NAMES, default=NAMES[0])
    options = parser.parse_args()
    given = NAMES.index(options.given)
    training, others = parted(given)
    fold_of = folds_of([setting.name for setting in training])
    held_out = {setting.name for setting in others}
    pieces = load_chorales()
    held = [piece for piece in pieces if piece.name in held_out]
    parts = [name for name in NAMES if name != options.given]
    for fold in range(FOLDS):
        learned = [piece for piece in pieces if fold_of.get(piece.name, fold) != fold]
        for part, model in zip(parts, networks(options.networks, given), strict=True):
            path = path_of(options.networks, fold, part, given)
            if not path.exists():
                started = time.monotonic()
                path.parent.mkdir(parents=True, exist_ok=True)
                bred = breed(model, learned, held)
                model_file.write(path, take_apart(bred, {"sources": [{"name": piece.name} for piece in learned]}))
                print(f"{path}: {len(learned)} pieces, {(time.monotonic() - started) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    use_one_thread()
    main()
