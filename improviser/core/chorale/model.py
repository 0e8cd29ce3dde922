"""The task `chorale`: a file's networks and the tables by which they are chosen together, ready to be played.

Whichever voice the player sings, the others are three networks with tables of their own: a file holds those of the
soprano, and may hold those of other voices.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.asked import AskedChorale
from improviser.core.chorale.ornaments import SHAPES, read_ornaments
from improviser.core.chorale.phrase_ends import SHAPES as END_SHAPES
from improviser.core.chorale.phrase_ends import checked
from improviser.core.chorale.session import ChoraleSession
from improviser.core.chorale.terms import SOPRANO, Terms
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.parts import NAMES
from improviser.core.networks.asking import Asked
from improviser.errors import ModelError

MOST_TYPES = 200
CANDIDATES = (2, 16)
"""So many pitches each part may propose, at least and at most."""

Arrays = dict[str, NDArray[Any]]


class ChoraleModel(ChoraleVoices, Asked):
    """The voices of a chorale as a model that can be played, asked and saved; as it is, they answer a soprano.

    Asked for a distribution, it gives the mean of its parts' distributions, the parts being chosen together. Of the
    notes before, those that sound with a note of the player's count as the chord that answered it; the highest is the
    alto's.
    """

    task = "chorale"
    around: Mapping[int, ChoraleVoices] = {}
    """What answers another voice, by that voice, 1 (the alto) to 3 (the bass)."""

    @classmethod
    def of(cls, name: str, answering: Mapping[int, ChoraleVoices]) -> Self:
        """Put a model together of what answers each voice, by that voice; the soprano must be among them.

        The numbers of terms are rounded to what a file holds of them.
        """
        rounded = {given: voices.with_numbers(_rounded(voices.numbers)) for given, voices in answering.items()}
        to = rounded.pop(SOPRANO)
        model = cls(
            name,
            to.parts,
            to.terms.types,
            to.numbers,
            to.weights.tolist(),
            to.ends,
            to.candidates,
            SOPRANO,
            to.ornaments,
        )
        model.around = rounded
        return model

    def answering(self, given: int) -> ChoraleVoices:
        """Return what answers a voice, 0 (the soprano) to 3; where the file holds nothing for it, what answers any."""
        return self.around.get(given, self)

    @property
    def answered(self) -> Mapping[int, ChoraleVoices]:
        """What answers each voice that there is something for, the highest first."""
        return {SOPRANO: self, **self.around}

    @classmethod
    def from_parts(cls, name: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Put a model together.

        :raises ModelError: if the parts do not fit each other.
        """
        around = settings.get("around", {})
        if not isinstance(around, dict) or not set(around) <= set(NAMES[1:]):
            raise ModelError("what it says of the voices that it answers is damaged")
        described = {
            SOPRANO: settings,
            **{given: around[voice] for given, voice in enumerate(NAMES) if voice in around},
        }
        return cls.of(name, {given: _read(name, given, each, tensors) for given, each in described.items()})

    def to_parts(self) -> tuple[dict[str, Any], Arrays]:
        """Take the model apart: settings (JSON values) and arrays."""
        settings, tensors = _apart(self)
        around = {}
        for given, voices in sorted(self.around.items()):
            around[NAMES[given]], arrays = _apart(voices)
            tensors |= arrays
        return settings | ({"around": around} if around else {}), tensors

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


def _rounded(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    return numbers.astype(np.float16).astype(np.float32)


def _prefix(given: int) -> str:
    """Return how the names of arrays begin that are for a voice."""
    return "" if given == SOPRANO else f"{NAMES[given]}/"


def _read(name: str, given: int, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> ChoraleVoices:
    """Return what answers a voice.

    :raises ModelError: if it is damaged.
    """
    prefix, parts = _prefix(given), [voice for voice in NAMES if voice != NAMES[given]]
    described = settings.get("parts") if isinstance(settings, dict) else None
    if not isinstance(described, dict) or set(described) != set(parts):
        raise ModelError(f"it does not describe its parts, {', '.join(parts)}; it is damaged")
    networks = [
        HarmonyModel.from_parts(f"{name}: {part}", described[part], {"genomes": tensors[f"{prefix}{part}.genomes"]})
        for part in parts
    ]
    types = _whole(settings, "types", 1, 4095, MOST_TYPES)
    (candidates,) = _whole({"candidates": [settings.get("candidates")]}, "candidates", *CANDIDATES, 1)
    numbers = np.zeros(Terms(types).size, np.float32)
    present, values = tensors[f"{prefix}terms.present"], tensors[f"{prefix}terms.numbers"]
    if present.dtype != np.uint8 or present.ndim != 1 or values.ndim != 1:
        raise ModelError("its terms are no list of numbers; it is damaged")
    # A file of before there were the last kinds of terms has fewer: those say nothing then.
    places = np.flatnonzero(np.unpackbits(present))
    if places.shape != values.shape or (places.size and places[-1] >= numbers.size):
        raise ModelError("its terms do not fit its tables; it is damaged")
    numbers[places] = values
    ends = checked({table: np.asarray(tensors[f"{prefix}ends.{table}"], np.float64) for table in END_SHAPES})
    weights = tensors[f"{prefix}weights"].tolist()
    tables = {table: tensors[f"{prefix}ornaments.{table}"] for table in SHAPES if f"{prefix}ornaments.rates" in tensors}
    ornaments = read_ornaments(tables) if tables else None
    return ChoraleVoices(name, networks, types, numbers, weights, ends, candidates, given, ornaments)


def _apart(voices: ChoraleVoices) -> tuple[dict[str, Any], Arrays]:
    """Return the settings and arrays of what answers a voice."""
    prefix = _prefix(voices.given)
    parts = [part for number, part in enumerate(NAMES) if number != voices.given]
    apart = {name: part.to_parts() for name, part in zip(parts, voices.parts, strict=True)}
    settings = {
        "parts": {name: described for name, (described, _) in apart.items()},
        "types": list(voices.terms.types),
        "candidates": voices.candidates,
    }
    numbers = voices.numbers.astype(np.float16)
    tensors: Arrays = {f"{prefix}{name}.genomes": arrays["genomes"] for name, (_, arrays) in apart.items()}
    tensors[f"{prefix}terms.present"] = np.packbits(numbers != 0)
    tensors[f"{prefix}terms.numbers"] = numbers[numbers != 0]
    tensors[f"{prefix}weights"] = voices.weights
    tensors |= {f"{prefix}ends.{table}": getattr(voices.ends, table) for table in END_SHAPES}
    if voices.ornaments is not None:
        tensors |= {f"{prefix}ornaments.{name}": table for name, table in voices.ornaments.arrays().items()}
    return settings, tensors


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
