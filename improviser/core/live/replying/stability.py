"""Where a reply may end: on the stable notes of home, as the key finder hears it, and as the player's phrases end.

The key finder knows the usual modes. Who plays in another one, or in none, still says where home is: by coming back
there at the end of phrases. So where most phrases end on one note, each end speaks for the tonics of whose triad it is
a part; where they end anywhere, the key finder knows better.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.home import MODES

ENDS: Final = 16
"""The last phrases whose ends count."""
FADE: Final = 0.9
"""What is left of an end's weight one phrase later."""
LEAST: Final = 0.002
"""How likely each tonic is at least, as far as the key finder knows: ends alone may make any of them the likeliest."""
SHARES: Final = (0.4, 0.7)
"""Ends begin to speak where this share of them is one pitch class, and speak fully from the second on."""
FEW: Final = 2.5
"""Of fewer ends the share is taken of so many."""
TONIC, FIFTH, THIRD, OTHER = 0.5, 0.14, 0.07, 0.0275
"""How often a phrase ends on these of its tonic; there are two thirds, and eight others."""

_STABLE: Final = np.array(
    [[[(pitch - tonic) % 12 in mode.stable for pitch in range(12)] for tonic in range(12)] for mode in MODES]
)
"""Which pitch classes each key may end on, shape (modes, 12, 12)."""
_CHANCES: Final = np.full(12, OTHER)
_CHANCES[[0, 7, 3, 4]] = TONIC, FIFTH, THIRD, THIRD
_SHARES: Final = 1e-12 * np.array([[mode.share] for mode in MODES])
"""How usual each mode is, for a tonic that the key finder has no opinion of."""
_SAYS: Final = np.log([[_CHANCES[(end - tonic) % 12] for tonic in range(12)] for end in range(12)])
"""What an end on a pitch class says of each tonic, in nats, shape (12, 12)."""


def stability(chances: NDArray[np.float64], ends: Sequence[int]) -> list[float]:
    """Return how likely each pitch class, 0-11, is one to end on.

    :param chances: how likely each key is, shape (modes, 12), see `HomeTracker.chances`.
    :param ends: the last pitch of each of the player's phrases, the latest last.
    """
    tonics = chances.sum(axis=0)
    modes = chances + _SHARES
    modes /= modes.sum(axis=0)
    heard = np.log(np.maximum(tonics, LEAST)) + _said_by(ends)
    likely = np.exp(heard - heard.max())
    likely /= likely.sum()
    stable: list[float] = np.einsum("mt,mtp->p", modes * likely, _STABLE).tolist()
    return [max(1e-3, each) for each in stable]


def _said_by(ends: Sequence[int]) -> NDArray[np.float64]:
    """Return what ends of phrases say of each tonic, in nats."""
    weights = np.zeros(12)
    for age, end in enumerate(islice(reversed(ends), ENDS)):
        weights[end % 12] += FADE**age
    share = float(weights.max()) / max(float(weights.sum()), FEW)
    trust = min(1.0, max(0.0, (share - SHARES[0]) / (SHARES[1] - SHARES[0])))
    said: NDArray[np.float64] = trust * np.einsum("e,et->t", weights, _SAYS)
    return said
