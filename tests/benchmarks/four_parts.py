"""Four parts on chorales that no training has seen: the figures beside Bach's, bits, and who is told from Bach.

Run it from the repository's folder::

    uv run --extra corpus --group benchmarks python -m tests.benchmarks.four_parts bach-chorale

The pieces are those of `unseen.py`. "Apart": the same networks, each part drawn by itself. A classifier (gradient
boosting) looks at four chords in a row, of pieces that it was not trained on: how often does it say rightly whether
they are Bach's? Half of them are: .5 is what cannot be told apart.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

from improviser.core.chorale.figures import Chords, distance
from improviser.core.chorale.model import ChoraleModel
from improviser.core.evolution.randomness import generator
from improviser.library.catalogue import load_model
from improviser.training.chorale_evaluation import chord_score, figures_of, harmonised
from improviser.training.chorale_fitting import Setting, setting_of
from tests.benchmarks.unseen import unseen

WINDOW, FOLDS = 4, 5
MOST = 12
"""Proposals of each part where bits are counted of nearly all that could be played."""
COLUMNS = (("apart .7", 0.7, False), ("together .7", 0.7, True), ("together 1", 1.0, True))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--pieces", type=int, default=45)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = load_model(options.model)
    if not isinstance(model, ChoraleModel):
        raise SystemExit(f"{options.model} is no chorale")
    pieces = unseen(options.pieces, options.seed, scored=True)
    settings = [setting for setting in map(setting_of, pieces) if setting is not None]
    print(f"{len(settings)} chorales, {sum(len(setting.tune) for setting in settings)} chords")
    print(f"bits per chord {bits(model, settings):.3f} as it plays, from {model.candidates} proposals of each part")
    wide = with_candidates(model, MOST)
    print(f"bits per chord {bits(wide, settings):.3f} from {MOST} proposals", flush=True)
    theirs = figures_of((setting, setting.chords) for setting in settings)
    columns = []
    for name, temperature, together in COLUMNS:
        started = time.process_time()
        played = [
            harmonised(model, setting.tune, generator(options.seed, number), temperature, together=together)
            for number, setting in enumerate(settings)
        ]
        seconds = time.process_time() - started
        columns.append(figures_of(zip(settings, played, strict=True)))
        told = told_apart(settings, played)
        print(
            f"{name}: distance {distance(columns[-1], theirs):.4f}, told from Bach {told:.3f}, {seconds:.0f} s",
            flush=True,
        )
    print("\n| | Bach | " + " | ".join(name for name, _, _ in COLUMNS) + " |")
    print("|---|---|" + "---|" * len(COLUMNS))
    for figure, value in theirs.items():
        shown = " | ".join(f"{column.get(figure, float('nan')):.4f}" for column in columns)
        print(f"| {figure} | {value:.4f} | {shown} |")


def bits(model: ChoraleModel, settings: Sequence[Setting]) -> float:
    """Return the bits of a chord of the three parts, given the chords before."""
    scores = [chord_score(model, setting) for setting in settings]
    return sum(score.bits * score.chords for score in scores) / sum(score.chords for score in scores)


def with_candidates(model: ChoraleModel, count: int) -> ChoraleModel:
    """Return the model, its parts proposing so many pitches."""
    weights, types = model.weights.tolist(), model.terms.types
    return ChoraleModel(model.name, model.parts, types, model.numbers, weights, model.ends, count)


def told_apart(settings: Sequence[Setting], played: Sequence[Chords]) -> float:
    """Return how many windows a classifier calls rightly Bach's or not, in pieces that it has not seen."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    right = total = 0
    features, labels, groups = [], [], []
    for number, (setting, own) in enumerate(zip(settings, played, strict=True)):
        for label, chords in ((0, setting.chords), (1, own)):
            rows = windows(chords, setting.tonic)
            features.append(rows)
            labels.append(np.full(len(rows), label))
            groups.append(np.full(len(rows), number % FOLDS))
    seen, of, group = np.concatenate(features), np.concatenate(labels), np.concatenate(groups)
    for fold in range(FOLDS):
        classifier = HistGradientBoostingClassifier(random_state=0).fit(seen[group != fold], of[group != fold])
        right += int((classifier.predict(seen[group == fold]) == of[group == fold]).sum())
        total += int((group == fold).sum())
    return right / total


def windows(chords: Chords, tonic: int) -> np.ndarray:
    """Return what is seen of each four chords in a row: degrees, distances between voices, and moves."""
    degrees, apart = (chords - tonic) % 12, chords[:, :1] - chords[:, 1:]
    neighbours, above = chords[:, 1:3] - chords[:, 2:4], (chords - chords[:, 3:]) % 12
    each = np.concatenate([degrees, apart, neighbours, above[:, :3]], axis=1)
    moves = np.diff(chords, axis=0)
    rows = [
        np.concatenate([each[start : start + WINDOW].ravel(), moves[start : start + WINDOW - 1].ravel()])
        for start in range(len(chords) - WINDOW + 1)
    ]
    return np.array(rows).reshape(len(rows), -1)


if __name__ == "__main__":
    main()
