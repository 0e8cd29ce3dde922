"""The root that a bass is to have under a close chord of the left hand's, whichever of its notes lies lowest.

A close triad asks for its root. Four notes may be the upper ones of another chord: see `core.music.close_roots`.
"""

import math
from collections.abc import Iterable
from typing import Final

from improviser.core.harmony.context import classes_of
from improviser.core.live.answering.tonality import Tonality
from improviser.core.live.player.chords import Listener
from improviser.core.music.chords import clear_root
from improviser.core.music.close_roots import Reading, Situation, readings
from improviser.core.music.home import Home

TRIAD, FOUR, CLOSE_FROM, WIDEST = 3, 4, 45, 14
"""So many pitch classes in the left hand within an octave or little more, none lower than this, are a close chord."""
OCTAVE = 12
UNSURE, FADE, MOST = 1.0, 0.7, 5.0
"""How much one chord tells of whether the player leaves roots out: nats at most, what is left of them a chord later."""
PARENTS = {"dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7}
"""How many semitones above the tonic of the major key with the same notes the tonic of a mode is."""


class Roots:
    """Tells the roots of close chords by the key, by the root before, and by whether the player leaves roots out."""

    def __init__(self, tonality: Tonality, listener: Listener) -> None:
        self._tonality: Final = tonality
        self._listener: Final = listener
        self._latest: tuple[int, int] | None = None
        """The last chord's pitch classes, and its root."""
        self._before: int | None = None
        """The root of the last chord that was another."""
        self._habit = 0.0

    def of(self, sounding: Iterable[int], tune: int) -> int | None:
        """Return the pitch class of the root of the left hand's chord among these pitches; None if none is asked for.

        :param tune: the pitch of the tune.
        """
        left = frozenset(filter(self._listener.is_left, sounding))
        if len(left) < TRIAD or min(left) < CLOSE_FROM or max(left) - min(left) > WIDEST:
            return None
        if (classes := classes_of(left)).bit_count() == TRIAD and max(left) - min(left) <= OCTAVE:
            return clear_root(classes, min(left) % OCTAVE)
        found = self._readings(left, tune)
        return found[0].root if found else None

    def _readings(self, left: frozenset[int], tune: int) -> tuple[Reading, ...]:
        classes = classes_of(left)
        if classes.bit_count() != FOUR:
            return ()
        tonic, minor = _key(self._tonality.home)
        before = self._before if self._latest is None or self._latest[0] == classes else self._latest[1]
        now = Situation(tonic, minor, before, tune % OCTAVE, round(self._habit))
        return readings(classes, min(left) % OCTAVE, now)

    def learn(self, sounding: Iterable[int], tune: int) -> None:
        """Take in a chord that is complete."""
        left = frozenset(filter(self._listener.is_left, sounding))
        root = self.of(left, tune)
        if root is None:
            return
        classes, found = classes_of(left), self._readings(left, tune)
        if self._latest is None or self._latest[0] != classes:
            self._before = None if self._latest is None else self._latest[1]
            if found:
                with_root = sum(reading.chance for reading in found if reading.rooted)
                without = sum(reading.chance for reading in found if not reading.rooted)
                says = math.log((without + UNSURE) / (with_root + UNSURE)) - round(self._habit)
                self._habit = FADE * self._habit + (1 - FADE) * max(-MOST, min(MOST, says))
        self._latest = classes, root


def _key(home: Home) -> tuple[int, bool]:
    """Return the tonic of a key, and whether it is minor; modes are taken for the major key with the same notes."""
    mode = home.mode.name
    return (home.tonic - PARENTS.get(mode, 0)) % OCTAVE, mode in ("minor", "minor-pentatonic")
