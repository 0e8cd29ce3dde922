"""How a chord is arranged above its bass, and how all of its voices have moved at once, as places in tables of numbers.

Pairs of voices do not tell which three intervals stand over one bass, nor how four voices move together.
"""

from collections.abc import Mapping, Sequence

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
BASS_MOVES = 2 * FARTHEST[-1] + 1
"""So many moves of the bass are told apart: its bits, the lowest, are one of so many places."""


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


def lower_turn_of(now: IntArray, before: Sequence[int], moves: IntArray) -> IntArray:
    """Return where the numbers of alto and tenor after alto and tenor, with the bass's move, lie.

    :param moves: of the bass, one of BASS_MOVES, from 0.
    """
    was = _above(before)
    place: IntArray = TURN * (BASS_MOVES * (12 * was[1] + was[2]) + moves) + now % TURN
    return place


def arranged(tables: Mapping[str, FloatArray], before: Sequence[int] | None) -> FloatArray:
    """Return the sums of what is known of each voicing after a chord, for each move of the bass.

    Of shape (BASS_MOVES · VOICINGS,).

    :param tables: the numbers of the kinds "voicing", "voicing leap", `TURNS`, and "voicing AT leap".
    :param before: what sounded; None at the beginning, where the bass has not moved: shape (VOICINGS,).
    """
    voicings = tables["voicing"]
    if before is None:
        return voicings
    was = _above(before)
    upper, outer, lower = (
        tables[name][TURN * (12 * was[one] + was[other]) :][:TURN].reshape(12, 12)
        for name, (one, other) in TURNS.items()
    )
    known: FloatArray = voicings.reshape(12, 12, 12) + upper[:, :, None]
    known += outer[:, None, :]
    known += lower
    found: FloatArray = tables["voicing leap"][:-1].reshape(BASS_MOVES, 12, TURN) + known.reshape(12, TURN)
    moving = TURN * BASS_MOVES
    found += tables["voicing AT leap"][moving * (12 * was[1] + was[2]) :][:moving].reshape(BASS_MOVES, 1, TURN)
    return found.reshape(-1)


def _above(chord: Sequence[int]) -> list[int]:
    return [(pitch - chord[-1]) % 12 for pitch in chord[:-1]]


MOVED = np.array([moved(np.arange(-PITCHES, PITCHES), voice) for voice in range(len(FARTHEST))])
"""The bits of each voice's moves from −128 to 127 semitones, shape (4, 256)."""
VOICING_OF = voicing([np.arange(1 << 16) >> shift & 15 for shift in (12, 8, 4, 0)])
"""The voicing of the degrees of all voices, four bits of each, the soprano's in the highest."""
