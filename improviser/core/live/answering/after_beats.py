"""After-beats: what a left hand plays above its own bass note, where a bass waits, or holds its note, for the next.

Chords after a bass note (a waltz, stride, comping) and broken chords leave the bass to the note that they rest on. That
one is a single pitch class; what belongs to it lies higher, goes with it, and comes soon.
"""

from collections.abc import Sequence

from improviser.core.live.player.chords import NEVER

LONGEST_SECONDS = 4.0
HIGHER = 3
"""Semitones above the bass note from which on a note is none of a bass line that goes up by step."""
FOREIGN = (1, 5)
"""Semitones above a bass note, in whatever octave, that ask for another: a minor second, and the fourth."""


class AfterBeats:
    """Knows the left hand's last bass note."""

    def __init__(self) -> None:
        self._bass: int | None = None
        self._onset = NEVER

    def learn(self, left: Sequence[int], now: float) -> None:
        """Take in what the left hand has struck at `now`, once it is complete."""
        if not left or self.belongs(left, now):
            return
        alone = len({pitch % 12 for pitch in left}) == 1
        self._bass, self._onset = (min(left), now) if alone else (None, NEVER)

    def belongs(self, left: Sequence[int], now: float) -> bool:
        """Say whether what the left hand strikes belongs to its bass note."""
        bass = self._bass
        if bass is None or not left or now - self._onset > LONGEST_SECONDS:
            return False
        return min(left) >= bass + HIGHER and not any((pitch - bass) % 12 in FOREIGN for pitch in left)
