"""From a network's opinion to a pitch: the register it is to sound in, the pitches that are allowed, and one draw."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES
from improviser.core.networks.responder import LogProbabilities

Mask = NDArray[np.bool_]
Wheel = Sequence[float]
"""Running sums of chances; a number between nothing and the last falls on a part of it, see `spin`."""

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
    """Draw an index from `log_probabilities`, shape (n,), by their `wheel`.

    One random number is drawn whatever happens, so that a session stays in step with its seed.
    """
    return spin(wheel(log_probabilities, temperature, allowed), rng.random())


def spin(sums: Wheel, chance: float) -> int:
    """Return which part of a wheel, whose running sums are `sums`, a random number ≥ 0 and < 1 falls on."""
    return min(bisect_right(sums, chance * sums[-1]), len(sums) - 1)


def spin_towards(sums: Wheel, factors: Mapping[int, float], chance: float) -> int:
    """Return what `spin` does where the parts in `factors` are so many times as large."""
    added = {part: (factor - 1) * (sums[part] - (sums[part - 1] if part else 0.0)) for part, factor in factors.items()}
    point = chance * (sums[-1] + sum(added.values())) - sums[-1]
    if point < 0:
        return spin(sums, point / sums[-1] + 1)
    for part, size in added.items():
        point -= size
        if point < 0:
            return part
    return next(iter(added))


def wheel(
    log_probabilities: LogProbabilities, temperature: float, allowed: Mask | None = None, least: float = 0.0
) -> Wheel:
    """Return running sums, shape (n,), of the chances in `log_probabilities`, shape (n,), up to a factor.

    They are sharpened or flattened by `temperature` ≥ 0: 1 leaves the distribution as it is, 0 takes the most likely.
    Only what is `allowed`, shape (n,), has a chance: if all of that is impossible, any of it is as good as any other;
    if it allows nothing at all it is ignored, since a note that is due must get a pitch. What would have less than the
    share `least`, 0–1, of the chance of the likeliest has none. (A view of an array: to make
    a list of it takes longer than to spin it.)
    """
    scores = log_probabilities
    if allowed is not None and allowed.any():
        scores = np.where(allowed, scores, -np.inf)
        if not np.isfinite(scores.max()):
            return allowed.cumsum(dtype=np.float64).data
    best = int(scores.argmax())
    highest = float(scores[best])
    if temperature < COLDEST or not math.isfinite(highest):
        only = np.zeros(len(scores))
        only[best:] = 1.0
        return only.data
    weights = scores - highest
    weights /= temperature
    np.exp(weights, out=weights)
    if least:
        weights *= weights >= least
    return weights.cumsum().data


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
