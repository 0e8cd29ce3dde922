"""How a chord is arranged above its bass, and how all of its voices have moved at once, as places in tables of numbers.

Pairs of voices do not tell which three intervals stand over one bass, nor how four voices move together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]

VOICINGS = 12**3
TURNS = {"voicing SA": (0, 1), "voicing ST": (0, 2), "voicing AT": (1, 2)}
"""How two of the upper voices stand above the bass, after how they stood above it before: which two."""
TURN = 12**2
FARTHEST = (4, 3, 3, 7)
"""The moves of each voice are told apart up to so far, in semitones, the soprano's first."""
MOVES = 1 << 14
_MOVE_AT = (10, 7, 4, 0)
"""Where the bits of each voice's move begin."""


def moved(distance: IntArray, voice: int) -> IntArray:
    """Return the bits of how a voice has moved; those of all voices together are one of MOVES places."""
    limit = FARTHEST[voice]
    bits: IntArray = np.clip(distance, -limit, limit) + limit << _MOVE_AT[voice]
    return bits


def voicing(degrees: Sequence[IntArray]) -> IntArray:
    """Return which degrees the upper voices have above the bass, as one of VOICINGS places.

    :param degrees: of all voices, the soprano's first.
    """
    soprano, alto, tenor, bass = degrees
    place: IntArray = (soprano - bass) % 12 * 144 + (alto - bass) % 12 * 12 + (tenor - bass) % 12
    return place


def turns_of(now: IntArray, before: Sequence[int]) -> list[IntArray]:
    """Return where the numbers of TURNS lie for voicings after a chord, each of TURN² places."""
    was, apart = _above(before), (now // 144, now // 12 % 12, now % 12)
    return [TURN * (12 * was[one] + was[other]) + 12 * apart[one] + apart[other] for one, other in TURNS.values()]


def arranged(voicings: FloatArray, turns: Sequence[FloatArray], before: Sequence[int] | None) -> FloatArray:
    """Return the sums of what `voicing` and `turns_of` point at, of all voicings after a chord, shape (VOICINGS,).

    :param voicings: their numbers.
    :param turns: those of each of TURNS.
    """
    if before is None:
        return voicings
    was = _above(before)
    upper, outer, lower = (
        numbers[TURN * (12 * was[one] + was[other]) :][:TURN].reshape(12, 12)
        for numbers, (one, other) in zip(turns, TURNS.values(), strict=True)
    )
    found: FloatArray = voicings.reshape(12, 12, 12) + upper[:, :, None]
    found += outer[:, None, :]
    found += lower
    return found.reshape(-1)


def _above(chord: Sequence[int]) -> list[int]:
    return [(pitch - chord[-1]) % 12 for pitch in chord[:-1]]


MOVED = np.array([moved(np.arange(-PITCHES, PITCHES), voice) for voice in range(len(FARTHEST))])
"""The bits of each voice's moves from −128 to 127 semitones, shape (4, 256)."""
VOICING_OF = voicing([np.arange(1 << 16) >> shift & 15 for shift in (12, 8, 4, 0)])
"""The voicing of the degrees of all voices, four bits of each, the soprano's in the highest."""
