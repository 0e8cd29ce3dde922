"""The voices of a chorale: each part's network, and the numbers of the terms that they have together."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.chord_scores import ChordScores
from improviser.core.chorale.ornaments import Ornaments
from improviser.core.chorale.pair_scores import PairScores
from improviser.core.chorale.phrase_ends import EndTables
from improviser.core.chorale.terms import LOWER, PAIRS, SOPRANO, UPPER, Terms
from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import into_register
from improviser.core.music.note import PITCHES
from improviser.errors import ModelError

PARTS = 3
"""So many voices answer one."""
ROWS = PITCHES * np.arange(PARTS)[:, None]
"""Where the pitches of each part begin among those of all parts."""


class ChoraleVoices:
    """Three choirs of genomes, one for each part, and the numbers of the terms that they have together.

    :param parts: the networks of the voices that answer, the highest first: of alto, tenor and bass to a soprano.
    :param types: see `Terms`.
    :param numbers: of all terms, shape (Terms(types).size,), float32.
    :param weights: how much the opinion of each part counts, shape (3,).
    :param ends: what is known of the ends of phrases.
    :param candidates: how many pitches each part proposes.
    :param given: the voice that is answered, 0 (the soprano) to 3 (the bass).
    :param ornaments: how parts move between the player's notes; None: they do not.
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
        candidates: int = 16,
        given: int = SOPRANO,
        ornaments: Ornaments | None = None,
    ) -> None:
        self.name = name
        self.parts = tuple(parts)
        self.terms = Terms(types, given)
        if len(self.parts) != PARTS or numbers.shape != (self.terms.size,) or len(weights) != PARTS:
            raise ModelError("its parts do not fit its terms; it is damaged")
        self.numbers = numbers
        self.given, self.others = given, self.terms.others
        registers = [part.register for part in self.parts]
        registers.insert(given, self.parts[0].settings.player)
        self.lowest = np.array([low for low, _ in registers])
        """The lowest pitch of each voice, the soprano first."""
        spans = [high - low + 1 for low, high in registers]
        if min(spans[voice] for voice in self.others) < candidates or max(self.lowest) + max(spans) > PITCHES:
            raise ModelError("the registers of its parts are too narrow or too wide; it is damaged")
        self._register = registers[given]
        four = self.lowest[:, None] + np.arange(max(spans))
        self.registers = four[[*self.others]]
        """The pitches of each part that may be proposed, shape (3, n): as many as the widest register has."""
        self.proposable = self.registers + ROWS
        """Where those lie among the pitches of all parts."""
        self.beginnings = self.registers[:, :1]
        """The lowest pitch of each part, shape (3, 1)."""
        self.width = max(spans)
        self.rows = self.width * np.arange(PARTS)[:, None]
        """Where the pitches of each part begin in an array of all that may be proposed, shape (3, 1)."""
        self.with_given = tuple((_pair(given, voice), given < voice) for voice in self.others)
        """The pair that each part makes with the voice that is answered, and whether that is the upper one."""
        one, two, three = self.others
        self.among = _pair(one, two), _pair(one, three), _pair(two, three)
        """The pairs that the parts make with each other."""
        self.lowest_given = int(self.lowest[given])
        self.with_given_of = self._pairs_with_given()
        """Where the pairs of a given pitch and each pitch of each part lie among `PairScores`, shape (3, n): for each
        pitch that may be given, from the lowest on."""
        self.among_from = self.width**2 * np.array([self.among[0], self.among[2], self.among[1]])[:, None, None]
        """Where the pairs that the parts make with each other begin among `PairScores`, shape (3, 1, 1): the upper two
        parts, the lower two, the outer two."""
        self.higher, self.lower = (
            candidates * np.array(parts)[:, None, None] + np.arange(candidates).reshape(shape)
            for parts, shape in (((0, 1, 0), (1, -1, 1)), ((1, 2, 2), (1, 1, -1)))
        )
        """Where the proposals of the higher and of the lower part of each of these pairs lie among those of all parts,
        shapes (3, candidates, 1) and (3, 1, candidates)."""
        self._upper, self._lower = four[UPPER], four[LOWER]
        self.weights = np.array(weights, np.float64)
        self.shares = self.weights[:, None]
        self.chord_scores = ChordScores(self.terms, numbers, self.registers)
        """How much likelier pitches of the parts' registers are together as a chord."""
        self.ends = ends
        self.ornaments = ornaments
        self.candidates = candidates

    def _pairs_with_given(self) -> list[NDArray[np.int64]]:
        """Return `with_given_of`."""
        width, pitches = self.width, np.arange(self.width)
        starts = width**2 * np.array([[pair] for pair, _ in self.with_given])
        uppers = np.array([[is_upper] for _, is_upper in self.with_given])
        first, step = starts + np.where(uppers, pitches, width * pitches), np.where(uppers, width, 1)
        return [first + step * number for number in range(width)]

    def with_numbers(
        self, numbers: NDArray[np.float32], weights: Sequence[float] | None = None, candidates: int | None = None
    ) -> "ChoraleVoices":
        """Return the same voices with other numbers of their terms, and other weights and candidates if so wanted."""
        return ChoraleVoices(
            self.name,
            self.parts,
            self.terms.types,
            numbers,
            self.weights.tolist() if weights is None else weights,
            self.ends,
            candidates or self.candidates,
            self.given,
            self.ornaments,
        )

    def with_parts(self, parts: Sequence[HarmonyModel]) -> "ChoraleVoices":
        """Return the same terms with other networks of the same registers."""
        return ChoraleVoices(
            self.name,
            parts,
            self.terms.types,
            self.numbers,
            self.weights.tolist(),
            self.ends,
            self.candidates,
            self.given,
            self.ornaments,
        )

    def with_ornaments(self, ornaments: Ornaments) -> "ChoraleVoices":
        """Return the same voices, which move so between the player's notes."""
        voices = self.with_numbers(self.numbers)
        voices.ornaments = ornaments
        return voices

    def tune(self, pitch: int) -> int:
        """Return a pitch of the voice that is answered, moved by octaves into the register that the model knows."""
        return into_register(pitch, self._register)

    @cached_property
    def pair_scores(self) -> PairScores:
        """How much likelier two pitches of the voices' registers are together."""
        return PairScores(self.terms, self.numbers, self._upper, self._lower)


def _pair(one: int, other: int) -> int:
    """Return the number of the pair that two voices make."""
    return PAIRS.index((min(one, other), max(one, other)))
