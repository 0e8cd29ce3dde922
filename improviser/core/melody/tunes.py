"""A new tune is a new session: whether what was heard before the last pause still helps to foresee what comes.

Key, register, rhythm and memory of one tune mislead in the next: a model that carries them over pays .3 to .7 bits a
note (`tests/benchmarks/folk_sessions.py`). So with each pause, and each phrase, a second session is begun, which knows
nothing of what came before; when it has foreseen the notes better than the first by enough, it takes its place.
"""

from collections.abc import Callable
from typing import Final

from improviser.core.melody.session import Melody
from improviser.core.networks.responder import LogProbabilities

EVIDENCE_AFTER_PAUSE, EVIDENCE_AFTER_PHRASE = 4.0, 7.0
"""Bits by which the new session must have foreseen better, by what it was begun with."""
HOPELESS = -1.0
"""A session that is behind by so many bits makes room for one that begins with the next phrase."""
TRIAL_NOTES: Final = 48
"""After so many notes a session that has not proved better is dropped."""
LONGEST_GAP: Final = 2
"""The class of gaps (see `Moment`) that are pauses: three times the usual one, or more."""
_NATS_PER_BIT: Final = 0.6931471805599453
_LEAST: Final = -14.0
"""Nats; what a note costs at most, so that one note alone is no evidence."""

Foresight = Callable[[Melody, float], LogProbabilities]
"""What a session makes of a note that starts at an onset: log-probabilities, shape (128,), normalised."""


class Tunes:
    """The sessions of a melody: the one it listens with, and perhaps one that may take its place.

    All that happens depends on the notes and their onsets alone, so that a replay is the same.

    :param begin: begins a session that knows nothing.
    :param foresee: what a session makes of a note.
    """

    def __init__(self, begin: Callable[[], Melody], foresee: Foresight) -> None:
        self._begin = begin
        self.foresee = foresee
        """What a session makes of a note."""
        self.session = begin()
        """The session to listen with."""
        self._trial: Melody | None = None
        self._gain = 0.0
        self._needed = 0.0
        self._notes = 0

    def hear(self, pitch: int, onset_seconds: float) -> None:
        """Take in the line's next note, and let the newer session take over if it has proved better."""
        self._try_anew(onset_seconds)
        if self._trial is not None:
            self._gain += self._log_chance(self._trial, pitch, onset_seconds)
            self._gain -= self._log_chance(self.session, pitch, onset_seconds)
            self._notes += 1
        self.sing(pitch, onset_seconds)
        if self._trial is not None:
            if self._gain > self._needed * _NATS_PER_BIT:
                self.session, self._trial = self._trial, None
            elif self._notes >= TRIAL_NOTES:
                self._trial = None

    def sing(self, pitch: int, onset_seconds: float) -> None:
        """Take in a note that the model itself has chosen: it says nothing about which session foresees better."""
        self.session.learn(pitch, onset_seconds)
        if self._trial is not None:
            self._trial.learn(pitch, onset_seconds)

    def overhear(self, pitch: int) -> None:
        """Take in a note of the player's, for the key alone."""
        self.session.overhear(pitch)
        if self._trial is not None:
            self._trial.overhear(pitch)

    def _try_anew(self, onset_seconds: float) -> None:
        """Begin another session where a tune may begin."""
        moment = self.session.moment(onset_seconds)
        if moment.gap is None or moment.notes > 0:
            return
        paused = moment.gap == LONGEST_GAP
        if not paused and self._trial is not None and self._gain > HOPELESS * _NATS_PER_BIT:
            return
        needed = EVIDENCE_AFTER_PAUSE if paused else EVIDENCE_AFTER_PHRASE
        self._trial, self._gain, self._needed, self._notes = self._begin(), 0.0, needed, 0

    def _log_chance(self, session: Melody, pitch: int, onset_seconds: float) -> float:
        return max(_LEAST, float(self.foresee(session, onset_seconds)[pitch]))
