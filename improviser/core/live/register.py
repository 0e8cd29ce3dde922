"""Which pitches an answer may have: those of a register and a scale."""

import numpy as np

from improviser.core.live.decoding import Mask
from improviser.core.live.parameters import Parameters
from improviser.core.music.note import PITCHES
from improviser.core.music.scales import pitches_of


def allowed_pitches(parameters: Parameters) -> Mask | None:
    """Return which pitches an answer may have, shape (128,), or None if any ("auto" is the performer's to find).

    :raises ConfigError: if the scale is not known.
    """
    return within(parameters.low, parameters.high, pitches_of(parameters.scale))


def within(low: int, high: int, scale: Mask | None) -> Mask | None:
    """Return which pitches are in the register and the scale, or in the register if none is in both; None if all."""
    if low == 0 and high == PITCHES - 1:
        return scale
    pitches = np.arange(PITCHES)
    register = (pitches >= low) & (pitches <= high)
    both = register if scale is None else register & scale
    return both if both.any() else register
