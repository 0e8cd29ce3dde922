"""What is bred while somebody plays must prove itself together: as the models play, mixed, with it and without it.

Each adapted model may foresee the player better than it did before, and all of them together worse: they become alike,
and what they agree on counts for less (measured: .03 bit on German tunes).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from improviser.core.melody.mixture import MixedResponder, session_singer
from improviser.core.melody.model import MelodyModel
from improviser.core.networks.responder import Model
from improviser.errors import ModelError

FADE: Final = 0.9985
"""How much a note counts one note later."""
EVIDENCE: Final = 4.0
"""Bits by which all of them together must have been better: less is chance (a note's difference is some .3)."""
FEWEST: Final = 300.0
"""So many notes must count, as they do of 400 that were heard: what is bred on fewer goes wrong too often."""
PLAIN: Final = 15.0
"""Bits that are no chance, however few the notes are. All four are chosen by `tests/benchmarks/proving.py`."""
_LEAST: Final = -14.0
"""Nats; what a note costs at most: no single one decides."""
_BITS: Final = 1.0 / np.log(2.0)


class Proof:
    """Hears a session twice, with what was bred last and without it.

    :param model: one that plays, mixed with the session's counts if it is not a mixture itself.
    :raises ModelError: if it is no melody model.
    """

    def __init__(self, model: Model) -> None:
        self._without, self._with = _mixed(model), _mixed(model)
        self.costs, self._count = np.zeros(2), 0.0
        """Bits of all notes, fading, without and with; and how many notes count."""

    def hear(self, pitch: int, onset_seconds: float) -> None:
        """Take in the line's next note."""
        singers = self._without, self._with
        nats = [-max(_LEAST, float(singer.proceed(onset_seconds)[pitch])) for singer in singers]
        for singer in singers:
            singer.follow(pitch, onset_seconds)
        self.costs = FADE * self.costs + np.multiply(nats, _BITS)
        self._count = FADE * self._count + 1

    def adapt(self, adapted: Mapping[str, MelodyModel]) -> None:
        """Hear with these adapted models, by name, from now on, and with no others."""
        self._with.adapt(adapted)

    @property
    def bits(self) -> tuple[float, float]:
        """What a note has cost lately, without and with; both 0 before there is any."""
        without, ahead = (self.costs / max(self._count, 1.0)).tolist()
        return without, ahead

    @property
    def is_better(self) -> bool:
        """Whether the session was foreseen better with what was bred, beyond chance."""
        ahead = float(self.costs[0] - self.costs[1])
        return ahead > PLAIN or (self._count >= FEWEST and ahead > EVIDENCE)


def _mixed(model: Model) -> MixedResponder:
    singer = session_singer(model)
    if not isinstance(singer, MixedResponder):
        raise ModelError(f"{model.name} is no melody model")
    return singer
