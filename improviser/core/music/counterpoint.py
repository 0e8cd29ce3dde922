"""How two voices go together, in four figures that can be held against the corpus's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.keys import PROFILES
from improviser.core.music.note import PITCHES

Chances = NDArray[np.float64]

CONSONANT = frozenset({0, 3, 4, 7, 8, 9})
PERFECT = frozenset({0, 7})
MAJOR_SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})
MINOR_SCALE = frozenset({0, 2, 3, 5, 7, 8, 9, 10, 11})


@dataclass(slots=True)
class Counterpoint:
    """Counts, added up over pieces; the figures are shares, NaN where there was nothing to count.

    A figure far above the corpus's own is as wrong as one far below: a voice that repeats itself is very consonant.
    """

    notes: float = 0
    consonances: float = 0
    verticals: float = 0
    scale_notes: float = 0
    repeats: float = 0
    successions: float = 0
    parallels: float = 0
    moves: float = 0

    def add(self, own: Sequence[int | None], tonic: int, *, minor: bool, player: Sequence[int] = ()) -> None:
        """Count one piece: the voice's note (None: it rests) at each onset, and the player's, if there is one."""
        scale = MINOR_SCALE if minor else MAJOR_SCALE
        before: int | None = None
        for index, pitch in enumerate(own):
            if pitch is not None:
                self.notes += 1
                self.scale_notes += (pitch - tonic) % 12 in scale
                if player:
                    self.verticals += 1
                    self.consonances += (player[index] - pitch) % 12 in CONSONANT
                if before is not None:
                    self.successions += 1
                    self.repeats += pitch == before
                    if player:
                        self._add_move(player[index - 1], before, player[index], pitch)
            before = pitch

    def _add_move(self, earlier_player: int, earlier: int, player: int, pitch: int) -> None:
        rise, player_rise = pitch - earlier, player - earlier_player
        if not rise or not player_rise:
            return
        self.moves += 1
        interval = (player - pitch) % 12
        together = (rise > 0) == (player_rise > 0)
        self.parallels += together and interval in PERFECT and interval == (earlier_player - earlier) % 12

    def expect(
        self, own: Sequence[int], chances: Sequence[Chances], tonic: int, *, minor: bool, player: Sequence[int] = ()
    ) -> None:
        """Count one piece by what could have been played at each onset, not by what was: much less is left to chance.

        :param own: what was played, and so decides what may come next.
        :param chances: the probability of each pitch at each onset, shape (128,), given what was played before.
        """
        scale = _in_scale(minor=minor)[tonic]
        for index, chance in enumerate(chances):
            self.notes += 1
            self.scale_notes += float(chance @ scale)
            if player:
                self.verticals += 1
                self.consonances += float(chance @ _consonant()[player[index] % 12])
            if index:
                stays = float(chance[own[index - 1]])
                self.successions += 1
                self.repeats += stays
                if player and player[index] != player[index - 1]:
                    self.moves += 1 - stays
                    self.parallels += _parallel(chance, own[index - 1], player[index - 1], player[index])

    def figures(self) -> dict[str, float]:
        """Return the shares of consonant verticals, notes in the scale, repeated notes and parallel perfect moves."""
        return {
            "consonant": _share(self.consonances, self.verticals),
            "in_scale": _share(self.scale_notes, self.notes),
            "repeats": _share(self.repeats, self.successions),
            "parallels": _share(self.parallels, self.moves),
        }


@cache
def _in_scale(*, minor: bool) -> NDArray[np.bool_]:
    """Return for each tonic which pitches are in its scale, shape (12, 128)."""
    scale = MINOR_SCALE if minor else MAJOR_SCALE
    return np.array([[(pitch - tonic) % 12 in scale for pitch in range(PITCHES)] for tonic in range(12)])


@cache
def _consonant() -> NDArray[np.bool_]:
    """Return for each pitch class of the player which pitches are consonant under it, shape (12, 128)."""
    return np.array([[(player - pitch) % 12 in CONSONANT for pitch in range(PITCHES)] for player in range(12)])


def _parallel(chances: Chances, own: int, earlier_player: int, player: int) -> float:
    """Return the probability of moving with the player from a perfect interval to the same one."""
    interval = (earlier_player - own) % 12
    if interval not in PERFECT:
        return 0.0
    pitches = np.arange((player - interval) % 12, PITCHES, 12)
    along = pitches > own if player > earlier_player else pitches < own
    return float(chances[pitches[along]].sum())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def key_of(pitches: Sequence[int]) -> tuple[int, bool]:
    """Return the tonic (pitch class) and whether the key is minor, of a whole piece that does not say."""
    histogram = np.bincount(np.asarray(pitches, dtype=np.int64) % 12, minlength=12)
    best = int((PROFILES @ histogram).argmax())
    return best % 12, best >= 12
