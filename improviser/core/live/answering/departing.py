"""Departing: after a note that does not belong to the key, a bass leaves what may not belong to the next one.

A network hears a key by what was played for a while, its own notes included, and goes on in it for some notes after the
player has left it. The sense of home (`core.music.home`) weighs all keys anew with each note, so it is sooner unsure of
the notes of the old one. `tests/benchmarks/home_bass.py` has what that brings after modulations, and what it costs.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.networks.responder import LogProbabilities

FOREIGN: Final = 0.15
"""A note does not belong to the key that is less likely to, 0-1, by what was heard before it."""
AFTER: Final = 12
"""For so many notes after one."""
WEIGHT, LEAST = 0.5, 1e-3
"""The chance of a pitch class falls with this power of how likely it belongs to the key, LEAST at least."""


def departing(logs: LogProbabilities, belonging: NDArray[np.float64]) -> LogProbabilities:
    """Return a bass's opinion, shape (128,), with what may not belong to the key made less likely.

    :param belonging: how likely each pitch class belongs to it, 0-1, shape (12,).
    """
    fall = WEIGHT * np.log(np.clip(belonging, LEAST, 1.0))
    return np.asarray(logs + np.resize(fall, logs.shape), logs.dtype)
