"""Which pitches an answer may have: those of a register and a scale."""

import numpy as np

from improviser.core.live.answering.decoding import Mask
from improviser.core.live.parameters.table import Parameters
from improviser.core.music.note import PITCHES
from improviser.core.music.pitch import in_midi
from improviser.core.music.scales import pitches_of


def allowed_pitches(parameters: Parameters) -> Mask | None:
    """Return which pitches an answer may have, shape (128,), or None if any ("auto" is the performer's to find).

    :raises ConfigError: if the scale is not known.
    """
    return within(parameters.low, parameters.high, pitches_of(parameters.scale))


def within(low: int, high: int, scale: Mask | None) -> Mask | None:
    """Return which pitches are in the register and the scale, or in the register if none is in both; None if all."""
    if low == 0 and high == PITCHES - 1:
        return scale
    pitches = np.arange(PITCHES)
    register = (pitches >= low) & (pitches <= high)
    both = register if scale is None else register & scale
    return both if both.any() else register


def shift_to(parameters: Parameters, middle: float) -> int:
    """Return by how many semitones a line about this pitch is moved to where it sounds: as asked for, and by octaves.

    Octaves are as few as bring its middle into the register, or nearest to it.
    """
    middle += parameters.transpose
    return parameters.transpose + min(
        (12 * octaves for octaves in range(-10, 11)),
        key=lambda shift: (max(0.0, parameters.low - middle - shift, middle + shift - parameters.high), abs(shift)),
    )


def nearest(pitch: int, allowed: Mask | None) -> int:
    """Return a pitch, moved by octaves into MIDI's range, or the allowed one that is nearest."""
    pitch = in_midi(pitch)
    if allowed is None or allowed[pitch] or not allowed.any():
        return pitch
    return min(np.flatnonzero(allowed).tolist(), key=lambda other: (abs(other - pitch), other))
