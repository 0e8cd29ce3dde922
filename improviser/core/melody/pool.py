"""A logarithmic opinion pool: models agree on a note as a product of their chances, each to a power that is learned.

Where no model knows the player's language, what several of them hold for likely is likelier than any of them says; a
sum of chances, as a Bayesian mixture is, cannot say so. With each of the player's notes the powers follow the gradient
of what that note cost (Mattern, "Mixing Strategies in Data Compression", Data Compression Conference 2012).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.networks.choir import normalised
from improviser.core.networks.responder import LogProbabilities

RATE: Final = 0.002
"""How far the powers move for one nat by which a model's opinion of a note is above, or below, what was expected."""
MOST: Final = 1.5
"""A power is from 0 to this."""
LEAST: Final = -16.0
"""Nats; what no opinion goes below: nobody has a veto."""

Logs = NDArray[np.float64]


class Pool:
    """The powers of so many models; all have the same at first, and together 1."""

    def __init__(self, models: int) -> None:
        self.powers = np.full(models, 1.0 / models)

    def agree(self, asked: list[int], logs: Logs) -> LogProbabilities:
        """Return the log-probabilities, shape (128,), that some models agree on.

        :param asked: their numbers.
        :param logs: their log-probabilities, normalised, shape (len(asked), 128).
        """
        # Not by BLAS, whose sums depend on how many threads it has.
        return normalised(np.einsum("m,mp->p", self.powers[asked], np.maximum(logs, LEAST)))

    def learn(self, asked: list[int], logs: Logs, agreed: LogProbabilities, pitch: int) -> None:
        """Let those who have foreseen a note better than was expected of them have more to say.

        :param agreed: what `agree` has returned for these.
        """
        within = np.maximum(logs, LEAST)
        above = within[:, pitch] - np.einsum("mp,p->m", within, np.exp(agreed))
        self.powers[asked] = np.clip(self.powers[asked] + RATE * above, 0.0, MOST)
