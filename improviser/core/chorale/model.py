"""The task `chorale`: a file's three networks and the tables by which they are chosen together, ready to be played."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.asked import AskedChorale
from improviser.core.chorale.phrase_ends import GAPS, LENGTHS, TUNES, EndTables
from improviser.core.chorale.session import PARTS, ChoraleSession
from improviser.core.chorale.terms import LOWER, PAIRS, UPPER, Place, Terms
from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import into_register
from improviser.core.music.note import PITCHES
from improviser.core.networks.asking import Asked
from improviser.errors import ModelError

MOST_TYPES = 200
CANDIDATES = (2, 12)
"""So many pitches each part may propose, at least and at most."""


class ChoraleModel(Asked):
    """Three choirs of genomes, one for each part, and the numbers of the terms that they have together.

    Asked for a distribution, it gives that of a note drawn by lot from the three that answer the player's: the mean of
    the parts' own, chosen together. Of the notes before, those that sound with one of the player's are its answer, the
    highest the alto's.

    :param parts: the alto's, the tenor's and the bass's networks.
    :param types: see `Terms`.
    :param numbers: of all terms, shape (Terms(types).size,), float32.
    :param weights: how much the opinion of each part counts, shape (3,).
    :param ends: what is known of the ends of phrases.
    :param candidates: how many pitches each part proposes.
    :raises ModelError: if they do not fit each other.
    """

    task = "chorale"

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

    @classmethod
    def from_parts(cls, name: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Put a model together.

        :raises ModelError: if the parts do not fit each other.
        """
        described = settings.get("parts")
        if not isinstance(described, dict) or set(described) != set(PARTS):
            raise ModelError(f"it does not describe its parts, {', '.join(PARTS)}; it is damaged")
        parts = [
            HarmonyModel.from_parts(f"{name}: {part}", described[part], {"genomes": tensors[f"{part}.genomes"]})
            for part in PARTS
        ]
        types = _whole(settings, "types", 1, 4095, MOST_TYPES)
        (candidates,) = _whole({"candidates": [settings.get("candidates")]}, "candidates", *CANDIDATES, 1)
        numbers = np.zeros(Terms(types).size, np.float32)
        places, values = tensors["terms.places"], tensors["terms.numbers"]
        if places.ndim != 1 or places.shape != values.shape or len({*places.tolist()}) != len(places):
            raise ModelError("its terms are no list of numbers; it is damaged")
        if len(places) and not 0 <= places.min() <= places.max() < numbers.size:
            raise ModelError("its terms lie outside its tables; it is damaged")
        numbers[places] = values
        tables = tuple(np.asarray(tensors[f"ends.{table}"], np.float64) for table in ("hazard", "tune", "gap"))
        return cls(name, parts, types, numbers, tensors["weights"].tolist(), _checked(*tables), candidates)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Take the model apart: settings (JSON values) and arrays."""
        apart = {name: part.to_parts() for name, part in zip(PARTS, self.parts, strict=True)}
        settings = {
            "parts": {name: described for name, (described, _) in apart.items()},
            "types": list(self.terms.types),
            "candidates": self.candidates,
        }
        places = np.flatnonzero(self.numbers).astype(np.int32)
        tensors: dict[str, NDArray[Any]] = {f"{name}.genomes": arrays["genomes"] for name, (_, arrays) in apart.items()}
        tensors |= {"terms.places": places, "terms.numbers": self.numbers[places], "weights": self.weights}
        tensors |= {"ends.hazard": self.ends.hazard, "ends.tune": self.ends.tune, "ends.gap": self.ends.gap}
        return settings, tensors

    def layers(self) -> list[int]:
        """Return how many nodes each layer of one network has, the inputs first; that of the bass."""
        return self.parts[-1].layers()

    def strengths(self) -> list[tuple[str, float]]:
        """Return each kind of term, and the standard deviation of its numbers that are not nothing."""
        found = []
        for name, place in self.terms.slices.items():
            numbers = self.numbers[place]
            numbers = numbers[numbers != 0]
            found.append((name, float(numbers.std()) if numbers.size else 0.0))
        return sorted(found, key=lambda row: -row[1])

    def session(self) -> AskedChorale:
        """Return a session that answers as `distribution` does, note by note."""
        return AskedChorale(self)

    def responder(self) -> ChoraleSession:
        """Return what plays it live."""
        return ChoraleSession(self)


def _whole(settings: Mapping[str, Any], key: str, low: int, high: int, most: int) -> list[int]:
    """Return a list of different whole numbers within a range.

    :raises ModelError: if it is none.
    """
    numbers = settings.get(key)
    if not isinstance(numbers, list) or len(numbers) > most or len({*map(repr, numbers)}) != len(numbers):
        raise ModelError(f"its {key} are no list of up to {most} different numbers; it is damaged")
    if not all(type(number) is int and low <= number <= high for number in numbers):
        raise ModelError(f"its {key} must be whole numbers from {low} to {high}; it is damaged")
    return numbers


def _checked(hazard: NDArray[np.float64], tune: NDArray[np.float64], gap: NDArray[np.float64]) -> EndTables:
    """Return the tables of the ends of phrases.

    :raises ModelError: if they are none.
    """
    shapes = hazard.shape, tune.shape, gap.shape
    if shapes != ((LENGTHS,), (TUNES,), (2, GAPS)) or min(map(np.min, (hazard, tune, gap))) <= 0 or hazard.max() >= 1:
        raise ModelError("what it knows of the ends of phrases is no table of chances; it is damaged")
    return EndTables(hazard, tune, gap)
