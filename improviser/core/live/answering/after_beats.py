"""After-beats: what a left hand plays above its own bass note, where a bass waits, or holds its note, for the next.

Chords after a bass note (a waltz, stride, comping) and broken chords leave the bass to the note that they rest on. That
one is a single pitch class; what belongs to it lies higher, goes with it, and comes soon.
"""

from collections.abc import Sequence
from typing import Final

from improviser.core.live.answering.left_chord import LeftChord
from improviser.core.live.player.chords import NEVER, Listener, Texture

LONGEST_SECONDS = 4.0
HIGHER = 3
"""Semitones above the bass note from which on a note is none of a bass line that goes up by step."""
CLASH, FOURTH = 1, 5
"""Semitones above a bass note, in whatever octave, that ask for another: a minor second, and a single note's fourth."""
BROKEN = 3
"""So many keys of the left hand, one after the other and all held, are a broken chord."""


QUICK_SECONDS, WALKING_SECONDS = 0.34, 0.5
"""Notes of the left hand that follow each other so soon are a figure, and single notes so soon at least walk."""
LASTS, BAR = 1.25, 4
"""What goes with the bass note of these belongs to it for so long, or for so many of them; then the next is one."""
SLACK = 0.06
"""Seconds by which the last of them may come early."""
USUAL = 3
"""A chord after a bass note is expected again until so many single notes have followed."""


class AfterBeats:
    """Knows the left hand's last bass note, and the last chord above one."""

    def __init__(self, listener: Listener, left_chord: LeftChord) -> None:
        self._listener: Final = listener
        self._left_chord: Final = left_chord
        self._bass: int | None = None
        self._onset = NEVER
        self._latest = NEVER
        """When the left hand's last chord began, and `_onset`, when its last bass note did."""
        self._walks = False
        """Whether that was a single note."""
        self._chord: int | None = None
        """The lowest pitch of that chord."""
        self._usual = 0

    def learn(self, onset: float) -> None:
        """Take in what the left hand has struck with the last chord, which began at `onset` and is complete."""
        left = self._listener.left_struck
        if not left:
            return
        is_chord = _is_chord(left)
        over = not is_chord and self._is_quick(onset) and not self._lasts(onset)
        self._latest, self._walks = onset, not is_chord
        if self._belongs(left, onset, chord=is_chord) and not over:
            self._usual = USUAL if is_chord else max(0, self._usual - 1)
            self._chord = min(left) if is_chord else self._chord
        else:
            self._bass, self._onset = (None, NEVER) if is_chord else (min(left), onset)

    def leave_out(self, texture: Texture, now: float) -> bool:
        """Say whether a bass leaves out what the left hand has begun to strike, since it belongs to its bass note."""
        left = self._listener.left_struck
        chord = True if _is_chord(left) else self._left_chord.becomes_chord(frozenset(left))
        if chord is None:
            chord = self._usual > 0 and self._is_high(left)
        keeps = self._listener.held.is_sustained or sum(map(self._listener.is_left, texture.held)) >= BROKEN
        quick = self._is_quick(now) and self._lasts(now)
        return (chord or keeps or quick) and self._belongs(left, now, chord=chord)

    def _is_quick(self, now: float) -> bool:
        """Say whether what the left hand strikes now is one of a row of quick notes."""
        return now - self._latest < (WALKING_SECONDS if self._walks else QUICK_SECONDS)

    def _lasts(self, now: float) -> bool:
        """Say whether the bass note of such a row still counts."""
        return now - self._onset < max(LASTS, BAR * (now - self._latest) - SLACK)

    def _is_high(self, left: Sequence[int]) -> bool:
        """Say whether this lies nearer to the last chord than to the bass note."""
        low = min(left, default=0)
        return self._chord is not None and self._bass is not None and 2 * low > self._chord + self._bass

    def _belongs(self, left: Sequence[int], now: float, *, chord: bool) -> bool:
        """Say whether what the left hand strikes, a chord or a single note, belongs to its bass note."""
        bass = self._bass
        if bass is None or not left or now - self._onset > LONGEST_SECONDS or min(left) < bass + HIGHER:
            return False
        steps = {(pitch - bass) % 12 for pitch in left}
        return CLASH not in steps and (chord or FOURTH not in steps)


def _is_chord(left: Sequence[int]) -> bool:
    return len({pitch % 12 for pitch in left}) > 1
