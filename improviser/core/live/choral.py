"""Choral answers: all parts of a chorale answer a note of the player's line at once, as one chord.

What the player strikes together with a note is no further note of his line: the chord stays, and ends with the last of
these keys. Parts may meet on one pitch; it is struck once.
"""

from typing import Final

from improviser.core.live.band import Band
from improviser.core.live.postponed import Owner
from improviser.core.live.sounding import Sounding
from improviser.core.midi.event import Event
from improviser.core.music.phrase import CHORD_SECONDS


class Choral:
    """Knows the chord that was struck last."""

    def __init__(self, band: Band, sounding: Sounding) -> None:
        self._band: Final = band
        self._sounding: Final = sounding
        self._struck: tuple[Owner, float] | None = None
        """The key that was answered last, and when."""
        self._chord: list[tuple[int, int]] = []
        """Channel and pitch of what was struck then."""

    def forget(self) -> None:
        """Forget what sounds: a panic."""
        self._struck, self._chord = None, []

    def joins(self, now: float) -> bool:
        """Say whether a note that begins now is struck together with the one that was answered last."""
        if self._struck is None or not 0 <= now - self._struck[1] < CHORD_SECONDS:
            return False
        owner = self._struck[0]
        return any(owner in self._sounding.holders(*sounding) for sounding in self._chord)

    def join(self, owner: Owner, pitch: int, now: float) -> list[Event]:
        """Take in such a note: its key holds the chord, too."""
        self._band.overhear(pitch, now)
        for sounding in self._chord:
            self._sounding.share(owner, *sounding)
        return []

    def strike(self, owner: Owner, channel: int, pitches: list[int], now: float) -> list[int]:
        """Take in what the parts answer to a key; return the pitches to strike."""
        struck = [*dict.fromkeys(pitches)]
        self._struck = owner, now
        self._chord = [(channel, pitch) for pitch in struck]
        return struck

    def foretell(self, pitch: int, channel: int, now: float, *, think: bool) -> tuple[list[int], bool] | None:
        """Return what is struck with a note of one line; see `Band.foretell`. None if anything is unusual."""
        if self.joins(now) or (told := self._band.foretell(pitch, channel, now, 1, think=think)) is None:
            return None
        return [*dict.fromkeys(told[0])], told[1]
