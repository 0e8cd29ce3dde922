"""From log-probabilities to the probabilities of the pitches one asks about."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES
from improviser.core.networks.responder import LogProbabilities
from improviser.errors import NoteError


def over_candidates(logs: LogProbabilities, candidates: Sequence[int] | None) -> NDArray[np.float64]:
    """Return probabilities over all pitches, or over `candidates` alone; they sum to 1.

    :param logs: shape (128,); need not be normalised.
    :raises NoteError: if there are no candidates, or one is no pitch.
    """
    chosen = logs
    if candidates is not None:
        pitches = np.asarray(candidates, dtype=np.int64)
        if not pitches.size or pitches.min() < 0 or pitches.max() >= PITCHES:
            raise NoteError("candidates must be one or more pitches, 0–127")
        chosen = logs[pitches]
    top = float(chosen.max())
    if not np.isfinite(top):
        return np.full(chosen.shape, 1.0 / chosen.size)
    weights: NDArray[np.float64] = np.exp(chosen - top)
    weights /= weights.sum()
    return weights
