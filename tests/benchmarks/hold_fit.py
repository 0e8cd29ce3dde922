"""How well it can be foreseen which notes Bach's voices hold over, by ten folds; and the weights bred on all chorales.

Run it from the repository's folder (a minute on one core)::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus python -m tests.benchmarks.hold_fit

A case is an onset of the soprano at which the voice stays on its pitch: it holds the note over, or strikes it again.
"""

import argparse

import numpy as np

from improviser.core.harmony.holding import SIZES
from improviser.core.harmony.model import HarmonyModel
from improviser.library.catalogue import load_model
from improviser.training.chorales import load_chorales
from improviser.training.holding import bits, breed, cases_of, table
from improviser.training.voices import duets

FOLDS = 10


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--voices", nargs="+", default=["bass", "tenor"])
    for voice in parser.parse_args().voices:
        model = load_model(f"bach-{voice}")
        assert isinstance(model, HarmonyModel)
        settings = model.settings
        found = [(player, own) for _, player, own in duets(load_chorales(), voice)]
        pieces = list(cases_of(found, settings))
        costs, alone, right = [], [], []
        for fold in range(FOLDS):
            learned, unknown = (
                [case for number, cases in enumerate(pieces) if (number % FOLDS == fold) == held for case in cases]
                for held in (False, True)
            )
            weights = np.array(breed(learned, 1))
            inputs, held = table(unknown)
            share = np.mean([holds for _, holds in learned])
            costs += [bits(weights, inputs, held)] * len(held)
            alone += [float(-np.log2(share if holds else 1 - share)) for holds in held]
            right += [bool(score > 0) == bool(holds) for score, holds in zip(inputs @ weights, held, strict=True)]
        print(
            f"{voice}: {len(costs)} cases; bits, by the share alone {np.mean(alone):.3f}, bred {np.mean(costs):.3f}; ",
            end="",
        )
        print(f"right {np.mean(right):.3f}")
        print(dict(SIZES), breed([case for cases in pieces for case in cases], 1), flush=True)


if __name__ == "__main__":
    main()
