"""The task `chorale`: a file's three networks and the tables by which they are chosen together, ready to be played."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.asked import AskedChorale
from improviser.core.chorale.phrase_ends import GAPS, LENGTHS, TUNES, EndTables
from improviser.core.chorale.session import ChoraleSession
from improviser.core.chorale.terms import Terms
from improviser.core.chorale.voices import PARTS, ChoraleVoices
from improviser.core.harmony.model import HarmonyModel
from improviser.core.networks.asking import Asked
from improviser.errors import ModelError

MOST_TYPES = 200
CANDIDATES = (2, 12)
"""So many pitches each part may propose, at least and at most."""


class ChoraleModel(ChoraleVoices, Asked):
    """The voices of a chorale as a model that can be played, asked and saved.

    Asked for a distribution, it gives the mean of its parts' distributions, the parts being chosen together. Of the
    notes before, those that sound with a note of the player's count as the chord that answered it; the highest is the
    alto's.
    """

    task = "chorale"

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
