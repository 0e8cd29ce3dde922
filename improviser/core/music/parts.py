"""The four parts of a choir, by name, and what is said of some of them in one line: "alto 0.8, bass 1.2"."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from improviser.core.music.pitch import OFF

NAMES = ("soprano", "alto", "tenor", "bass")
"""The parts, the highest first; elsewhere they go by their numbers here."""

LONGEST = 120

Numbers = tuple[float, ...]
NOTHING: Mapping[int, Numbers] = MappingProxyType({})


class Sung(NamedTuple):
    """A pitch that is to sound.

    :param part: by which part; None if it is of no choir.
    :param holds: whether it goes on, if it sounds already, and is not struck again.
    """

    pitch: int
    part: int | None = None
    holds: bool = False


@lru_cache(64)
def said_of_parts(text: str) -> Mapping[int, Numbers] | None:
    """Return the numbers of each part that a line says something of: one, or two with a hyphen between.

    OFF says nothing of any part. None if it cannot be understood.
    """
    if text.strip().lower() == OFF:
        return NOTHING
    found: dict[int, Numbers] = {}
    for said in text[:LONGEST].split(","):
        words = said.split()
        part = NAMES.index(words[0].lower()) if words and words[0].lower() in NAMES else None
        if part is None or part in found or len(words) != 2:
            return None
        numbers = [_number(word) for word in words[1].replace("–", "-").split("-")]
        if not 1 <= len(numbers) <= 2 or None in numbers:
            return None
        found[part] = tuple(number for number in numbers if number is not None)
    return MappingProxyType(found)


def _number(word: str) -> float | None:
    plain = word.isascii() and word.replace(".", "", 1).isdigit()
    return float(word) if plain else None


def in_one_line(numbers: Mapping[int, Numbers]) -> str:
    """Return the line that says so of the parts, from the highest."""
    said = (f"{NAMES[part]} {'-'.join(f'{number:g}' for number in numbers[part])}" for part in sorted(numbers))
    return ", ".join(said) or OFF
