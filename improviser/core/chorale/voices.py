"""The voices of a chorale: each part's network, and the numbers of the terms that they have together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.phrase_ends import EndTables
from improviser.core.chorale.terms import LOWER, PAIRS, UPPER, Place, Terms
from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import into_register
from improviser.core.music.note import PITCHES
from improviser.errors import ModelError

PARTS = ("alto", "tenor", "bass")


class ChoraleVoices:
    """Three choirs of genomes, one for each part, and the numbers of the terms that they have together.

    :param parts: the alto's, the tenor's and the bass's networks.
    :param types: see `Terms`.
    :param numbers: of all terms, shape (Terms(types).size,), float32.
    :param weights: how much the opinion of each part counts, shape (3,).
    :param ends: what is known of the ends of phrases.
    :param candidates: how many pitches each part proposes.
    :raises ModelError: if they do not fit each other.
    """

    def __init__(
        self,
        name: str,
        parts: Sequence[HarmonyModel],
        types: Sequence[int],
        numbers: NDArray[np.float32],
        weights: Sequence[float],
        ends: EndTables,
        candidates: int = 6,
    ) -> None:
        self.name = name
        self.parts = tuple(parts)
        self.terms = Terms(types)
        if len(self.parts) != len(PARTS) or numbers.shape != (self.terms.size,) or len(weights) != len(PARTS):
            raise ModelError("its parts do not fit its terms; it is damaged")
        self.numbers = numbers
        registers = [self.parts[0].settings.player, *(part.register for part in self.parts)]
        self.lowest = np.array([low for low, _ in registers])
        """The lowest pitch of each voice, the soprano first."""
        spans = [high - low + 1 for low, high in registers]
        if min(spans[1:]) < candidates or max(low for low, _ in registers) + max(spans) > PITCHES:
            raise ModelError("the registers of its parts are too narrow or too wide; it is damaged")
        self._register = registers[0]
        four = self.lowest[:, None] + np.arange(max(spans))
        self.registers = four[1:]
        """The pitches of each part that may be proposed, shape (3, n): as many as the widest register has."""
        self._upper, self._lower = four[UPPER], four[LOWER]
        self.weights = np.array(weights, np.float64)
        self.ends = ends
        self.candidates = candidates

    def tune(self, pitch: int) -> int:
        """Return the soprano's pitch, moved by octaves into the register that the model knows."""
        return into_register(pitch, self._register)

    def pair_scores(self, place: Place) -> NDArray[np.float32]:
        """Return how much likelier two pitches are together, of each pair of voices, shape (6, n, n)."""
        size = self._upper.shape[1]
        places = np.empty((len(self.terms.pair_kinds), len(PAIRS), size, size), np.int64)
        self.terms.of_pairs(self._upper, self._lower, place, places)
        scores: NDArray[np.float32] = self.numbers.take(places).sum(axis=0)
        return scores
