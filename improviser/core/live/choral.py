"""Choral answers: all parts of a chorale answer a note of the player's line at once, as one chord.

What the player strikes together with a note is no further note of his line: the chord stays, and ends with the last of
these keys. Parts may meet on one pitch; it is struck once.
"""

from typing import Final

from improviser.core.live.band import Band
from improviser.core.live.postponed import Owner
from improviser.core.live.sounding import Sounding
from improviser.core.midi.event import Event, NoteOn
from improviser.core.music.parts import Sung
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

    def strike(self, owner: Owner, notes: list[NoteOn], now: float) -> list[NoteOn]:
        """Take in what the parts answer to a key; return the notes to strike."""
        struck = once(notes)
        self._struck = owner, now
        self._chord = [(note.channel, note.pitch) for note in struck]
        return struck

    def foretell(self, pitch: int, channel: int, now: float, *, think: bool) -> tuple[list[Sung], bool] | None:
        """Return what is struck with a note of one line; see `Band.foretell`. None if anything is unusual."""
        return None if self.joins(now) else self._band.foretell(pitch, channel, now, 1, think=think)


def once(notes: list[NoteOn]) -> list[NoteOn]:
    """Return notes of which none is of the channel and the pitch of another one before it."""
    found: dict[tuple[int, int], NoteOn] = {}
    for note in notes:
        found.setdefault((note.channel, note.pitch), note)
    return [*found.values()]
