"""Tonality: where home is for the player, and which of his notes are going to be long there, in one session."""

from collections.abc import Iterable

from improviser.core.live.answering.departing import AFTER, FOREIGN, departing
from improviser.core.live.answering.homeward import LONG_FROM, SURELY_LONG_FROM, Lengths, homeward
from improviser.core.music.home import Home, HomeTracker
from improviser.core.networks.responder import LogProbabilities

SURE_OF_KEY = 4
"""Notes after which "auto" trusts its ears."""


class Tonality:
    """Hears the player's notes for what home is. What is asked for more than once between two notes is kept."""

    def __init__(self) -> None:
        self._home = HomeTracker()
        self._lengths = Lengths()
        self._at_home: Home | None = None
        self._tonics: list[float] | None = None
        self._notes = 0
        self._belonging: list[float] | None = None
        self._since_foreign = AFTER
        """How many notes have begun since one that did not belong to the key."""

    def count(self) -> None:
        """Take in that there is one more note to hear."""
        self._notes += 1

    def hear(self, pitch: int, now: float) -> None:
        """Take in a note."""
        self._since_foreign = 0 if self.is_sure and self._is_foreign(pitch) else self._since_foreign + 1
        self._belonging = None
        self._home.hear(pitch, now)
        self._lengths.hear(pitch, now)

    def renew(self, *, tonics: bool) -> None:
        """Take in that all notes are heard; find the likely home notes, and keys, at once, if they are asked for."""
        self._at_home = None
        self._tonics = self._home.tonics.tolist() if tonics else None
        self._belonging = self._home.belonging().tolist() if tonics else None

    @property
    def is_sure(self) -> bool:
        """Whether enough has been heard to tell."""
        return self._notes >= SURE_OF_KEY

    def home_chance(self, pitch: int) -> float:
        """Return how likely a pitch is home, 0–1; 0 if too little has been heard to tell."""
        if not self.is_sure:
            return 0.0
        if self._tonics is None:
            self._tonics = self._home.tonics.tolist()
        return self._tonics[pitch % 12]

    @property
    def home(self) -> Home:
        """The tonic and the mode as the last note left them."""
        if self._at_home is None:
            self._at_home = self._home.home()
        return self._at_home

    def at(self, now: float) -> Home:
        """Return the tonic and the mode, and how certain they are; `now` may end a phrase."""
        return self._home.home(now)

    def with_notes(self, notes: Iterable[tuple[int, float]]) -> HomeTracker:
        """Return where home is once these notes, pitches and onsets, are heard as well; changes nothing."""
        home = self._home.copy()
        for pitch, onset in notes:
            home.hear(pitch, onset)
        return home

    def homeward(self, logs: LogProbabilities, pitch: int) -> LogProbabilities:
        """Return a bass's opinion, shape (128,), on its note under the player's `pitch`, drawn home if that is."""
        return homeward(logs, pitch, self.home_chance(pitch), self._lengths.likely_long(pitch))

    def departing(self, logs: LogProbabilities, pitch: int) -> LogProbabilities:
        """Return a bass's opinion, shape (128,), on its note under the player's `pitch`, less in a key that is left."""
        if not self.is_sure or (self._since_foreign >= AFTER and not self._is_foreign(pitch)):
            return logs
        return departing(logs, self._home.belonging(pitch))

    def _is_foreign(self, pitch: int) -> bool:
        """Say whether a pitch, should it begin now, does not belong to the key that was heard."""
        if self._belonging is None:
            self._belonging = self._home.belonging().tolist()
        return self._belonging[pitch % 12] < FOREIGN

    def comes_to_rest(self, pitch: int) -> bool:
        """Say whether the player's `pitch`, should it begin now, is likely to be long."""
        return self._lengths.likely_long(pitch) >= LONG_FROM

    def rests_after(self, pitch: int) -> float | None:
        """Return how many seconds after `pitch`, should that begin now, one comes that is surely long."""
        chance, seconds = self._lengths.next_long(pitch)
        return seconds if chance >= SURELY_LONG_FROM else None
