"""Scales: the pitches that a key, such as "D minor" or "f# dorian", allows."""

import re
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES
from improviser.core.music.pitch import AUTO, OFF
from improviser.errors import ConfigError

STEPS = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic-minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic-minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor-pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole-tone": (0, 2, 4, 6, 8, 10),
    "octatonic": (0, 2, 3, 5, 6, 8, 9, 11),
    "chromatic": tuple(range(12)),
}

_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_KEY = re.compile(r"([A-Ga-g])([#♯b♭]?)(?:[\s_]+(\S.*))?")


def pitches_of(key: str) -> NDArray[np.bool_] | None:
    """Return which of the 128 pitches belong to `key`, shape (128,), or None for "off" and "auto" (still to be found).

    A key is a tonic and a scale ("C major", "f# dorian", "Bb minor-pentatonic"); a tonic alone is major, or minor if it
    is a small letter.

    :raises ConfigError: if there is no such key; it names the scales there are.
    """
    if key in (OFF, AUTO):
        return None
    match = _KEY.fullmatch(key.strip())
    scale = "" if match is None else (match[3] or ("minor" if match[1].islower() else "major"))
    steps = STEPS.get(re.sub(r"[\s_]+", "-", scale.strip().lower()))
    if match is None or steps is None:
        there_are = ", ".join(STEPS)
        raise ConfigError(f"scale {key!r} is not known; use off, auto, or a tonic and one of {there_are}: 'D dorian'")
    tonic = _LETTERS[match[1].lower()] + _ACCIDENTALS[match[2]]
    classes = {(tonic + step) % 12 for step in steps}
    return pitches_in(classes)


def pitches_in(classes: Collection[int]) -> NDArray[np.bool_]:
    """Return the pitches of some pitch classes, shape (128,)."""
    return np.array([pitch % 12 in classes for pitch in range(PITCHES)])
