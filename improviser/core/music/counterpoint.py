"""How two voices go together, in four figures that can be held against the corpus's own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from improviser.core.music.keys import PROFILES

CONSONANT = frozenset({0, 3, 4, 7, 8, 9})
PERFECT = frozenset({0, 7})
MAJOR_SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})
MINOR_SCALE = frozenset({0, 2, 3, 5, 7, 8, 9, 10, 11})


@dataclass(slots=True)
class Counterpoint:
    """Counts, added up over pieces; the figures are shares, NaN where there was nothing to count.

    A figure far above the corpus's own is as wrong as one far below: a voice that repeats itself is very consonant.
    """

    notes: int = 0
    consonances: int = 0
    verticals: int = 0
    scale_notes: int = 0
    repeats: int = 0
    successions: int = 0
    parallels: int = 0
    moves: int = 0

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

    def figures(self) -> dict[str, float]:
        """Return the shares of consonant verticals, notes in the scale, repeated notes and parallel perfect moves."""
        return {
            "consonant": _share(self.consonances, self.verticals),
            "in_scale": _share(self.scale_notes, self.notes),
            "repeats": _share(self.repeats, self.successions),
            "parallels": _share(self.parallels, self.moves),
        }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def key_of(pitches: Sequence[int]) -> tuple[int, bool]:
    """Return the tonic (pitch class) and whether the key is minor, of a whole piece that does not say."""
    histogram = np.bincount(np.asarray(pitches, dtype=np.int64) % 12, minlength=12)
    best = int((PROFILES @ histogram).argmax())
    return best % 12, best >= 12
