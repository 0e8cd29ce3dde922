"""From log-probabilities to the probabilities of the pitches one asks about."""

from collections.abc import Sequence
from operator import index

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES, is_time
from improviser.core.networks.responder import LogProbabilities
from improviser.core.printable import shown
from improviser.errors import NoteError


def over_candidates(logs: LogProbabilities, candidates: Sequence[int] | None) -> NDArray[np.float64]:
    """Return probabilities over all pitches, or over `candidates` alone; they sum to 1.

    :param logs: shape (128,); need not be normalised.
    :raises NoteError: if there are no candidates, or one is no pitch.
    """
    chosen = logs
    if candidates is not None:
        chosen = logs[_pitches(candidates)]
    top = float(chosen.max())
    if not np.isfinite(top):
        return np.full(chosen.shape, 1.0 / chosen.size)
    weights: NDArray[np.float64] = np.exp(chosen - top)
    weights /= weights.sum()
    return weights


def check_onset(onset_seconds: float) -> None:
    """Refuse a time that no note can start at.

    :raises NoteError: if it is not finite.
    """
    if not is_time(onset_seconds):
        raise NoteError(f"onset {shown(onset_seconds)} is not a finite number of seconds")


def _pitches(candidates: Sequence[int]) -> list[int]:
    try:
        pitches = [index(pitch) for pitch in candidates]
    except TypeError:
        pitches = []
    if not pitches or not all(0 <= pitch < PITCHES for pitch in pitches):
        raise NoteError("candidates must be one or more pitches, 0–127")
    return pitches
