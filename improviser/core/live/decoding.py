"""From a network's opinion to a pitch: the register it is to sound in, the pitches that are allowed, and one draw."""

import math

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES
from improviser.core.networks.responder import LogProbabilities

Mask = NDArray[np.bool_]

# A register that holds less than this share of what a network would play is not its own: it moves there by octaves.
AT_HOME = 0.5
# Below this temperature all but the most likely has no chance.
COLDEST = 1e-3
OCTAVES = tuple(sorted(range(-10, 11), key=lambda octaves: (abs(octaves), octaves)))


def choose(
    log_probabilities: LogProbabilities,
    temperature: float,
    rng: np.random.Generator,
    allowed: Mask | None = None,
) -> int:
    """Draw an index from `log_probabilities`, shape (n,), sharpened or flattened by `temperature` ≥ 0.

    `temperature` 1 draws from the distribution as it is, 0 takes the most likely. Only where `allowed`, shape (n,), is
    true: if all of that is impossible, any of it is as good as any other; if it allows nothing at all it is ignored,
    since a note that is due must get a pitch. One random number is drawn whatever happens, so that a session stays in
    step with its seed.
    """
    draw = rng.random()
    scores = log_probabilities
    if allowed is not None and allowed.any():
        scores = np.where(allowed, scores, -np.inf)
        if not np.isfinite(scores.max()):
            possible = np.flatnonzero(allowed)
            return int(possible[int(draw * len(possible))])
    best = int(scores.argmax())
    highest = float(scores[best])
    if temperature < COLDEST or not math.isfinite(highest):
        return best
    weights = scores - highest
    weights /= temperature
    np.exp(weights, out=weights)
    cumulative = weights.cumsum()
    return min(int(cumulative.searchsorted(draw * cumulative[-1], side="right")), len(weights) - 1)


def placed(log_probabilities: LogProbabilities, transpose: int, low: int, high: int) -> tuple[LogProbabilities, int]:
    """Move the opinion of a network on its own pitches, shape (128,), to where it is to sound.

    :return: the opinion on sounding pitches, and by how many semitones it was moved: by `transpose`, and by whole
        octaves if the register from `low` to `high` would hold little of it otherwise. What leaves MIDI's range is
        lost; a register of less than an octave takes what it finds in any of them.
    """
    if not transpose and low == 0 and high == PITCHES - 1:
        return log_probabilities, 0
    chances = np.exp(log_probabilities - log_probabilities.max())
    sums = np.concatenate([[0.0], chances.cumsum()])

    def share(shift: int) -> float:
        first, last = max(0, low - shift), min(PITCHES - 1, high - shift)
        return float(sums[last + 1] - sums[first]) / float(sums[-1]) if first <= last else 0.0

    shifts = [transpose + 12 * octaves for octaves in OCTAVES]
    near = next((shift for shift in shifts if share(shift) >= AT_HOME), None)
    if near is None:  # the register is too narrow for it wherever it is: its pitch classes decide
        return _folded(log_probabilities, transpose), max(shifts, key=share)
    return _moved(log_probabilities, near), near


def _moved(logs: LogProbabilities, shift: int) -> LogProbabilities:
    moved = np.full(PITCHES, -np.inf)
    if shift >= 0:
        moved[shift:] = logs[: max(0, PITCHES - shift)]
    else:
        moved[:shift] = logs[-shift:]
    return moved


def _folded(logs: LogProbabilities, shift: int) -> LogProbabilities:
    """Return the opinion on pitch classes, moved by `shift`, in every octave."""
    whole = np.concatenate([logs, np.full(-PITCHES % 12, -np.inf)]).reshape(-1, 12)
    classes = np.logaddexp.reduce(whole, axis=0)
    return np.asarray(np.resize(np.roll(classes, shift % 12), PITCHES), np.float64)
