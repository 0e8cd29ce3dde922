"""From a network's opinion to a pitch: temperature, the pitches that are allowed, and one draw."""

import numpy as np
from numpy.typing import NDArray

from improviser.core.responder import LogProbabilities

Mask = NDArray[np.bool_]


def choose(
    log_probabilities: LogProbabilities,
    temperature: float,
    rng: np.random.Generator,
    allowed: Mask | None = None,
) -> int:
    """Draw an index from `log_probabilities`, shape (n,), sharpened or flattened by `temperature` ≥ 0.

    `temperature` 1 draws from the distribution as it is, 0 takes the most likely. Only where `allowed`, shape (n,), is
    true; where it allows nothing at all it is ignored, since a note that is due must get a pitch. One random number is
    drawn whatever happens, so that a session stays in step with its seed.
    """
    draw = rng.random()
    scores = log_probabilities
    if allowed is not None and allowed.any():
        scores = np.where(allowed, scores, -np.inf)
    best = int(scores.argmax())
    if temperature <= 0 or not np.isfinite(scores[best]):
        return best
    weights = np.exp((scores - scores[best]) / temperature)
    cumulative = weights.cumsum()
    return min(int(cumulative.searchsorted(draw * cumulative[-1], side="right")), len(weights) - 1)
