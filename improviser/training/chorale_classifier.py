"""How well a classifier tells what a model plays from the corpus: .5 is what cannot be told apart.

Gradient boosting, of scikit-learn, looks at four chords in a row. Pieces are parted into folds: it is asked about those
that it was not trained on.
"""

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from improviser.core.chorale.figures import Chords
from improviser.training.chorale_fitting import Setting

WINDOW, FOLDS = 4, 5


def can_tell() -> bool:
    """Say whether scikit-learn is there, which is optional."""
    return find_spec("sklearn") is not None


def told_apart(settings: Sequence[Setting], played: Sequence[Chords]) -> float:
    """Return the share of windows of which it says rightly whether they are the corpus's; NaN of fewer pieces than 2.

    :param played: what the model plays to each of the settings.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    folds = min(FOLDS, len(settings))
    right = total = 0
    features, labels, groups = [], [], []
    for number, (setting, own) in enumerate(zip(settings, played, strict=True)):
        for label, chords in ((0, setting.chords), (1, own)):
            rows = windows(chords, setting.tonic)
            features.append(rows)
            labels.append(np.full(len(rows), label))
            groups.append(np.full(len(rows), number % folds))
    if folds < 2:
        return float("nan")
    seen, of, group = np.concatenate(features), np.concatenate(labels), np.concatenate(groups)
    for fold in range(folds):
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
    size = WINDOW * each.shape[1] + (WINDOW - 1) * moves.shape[1]
    return np.array(rows).reshape(len(rows), size)
