"""A session as a MIDI file: what the player played, and what the improviser answered.

However it comes (as the engine reports it, replayed from a log, or at the end of a session), one writer writes it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import platformdirs

from improviser.core.midi.codec import decode, encode
from improviser.core.midi.event import NoteOff, TimedEvent
from improviser.core.midi.growing_smf import LARGEST_NUMBER, TICKS_PER_SECOND, GrowingFile
from improviser.engine.events import sounds, stamp_of
from improviser.engine.held_keys import HeldKeys
from improviser.engine.protocol import AnyReport, Applied, Played, Step, number_of
from improviser.errors import OutputError
from improviser.files import write_atomically

PLAYER, IMPROVISER = "Player", "Improviser"
LONGEST_SECONDS = LARGEST_NUMBER // TICKS_PER_SECOND
"""A session of a day and a half; more ticks do not fit between two events."""


class SessionMidi:
    """The MIDI file of a session, which grows with what the engine reports.

    :param start: the time of the session at which it begins; by default that of the first note.
    """

    def __init__(self, start: float | None = None) -> None:
        self._file = GrowingFile(PLAYER, IMPROVISER)
        self._start = start
        self._keys = HeldKeys()
        self._now = 0.0
        """Seconds since the file began."""

    def add(self, report: AnyReport, played: Sequence[bytes] | None = None) -> None:
        """Add what a report says was heard and played.

        :param played: what is played instead.
        """
        stamp = stamp_of(report)
        if stamp is None or not isinstance(report, Step | Played | Applied):
            return
        if self._start is None and sounds(report):
            self._start = stamp
        now = 0.0 if self._start is None else stamp - self._start
        self._now = max(self._now, now)
        if isinstance(report, Step):
            if not self._keys.take(number_of(report), decode(report.heard)):
                self._file.add(0, now, report.heard)
        elif isinstance(report, Played) and report.cause == "lost":
            self._lose(number_of(report), now)
        for message in report.played if played is None else played:
            self._file.add(1, now, message)

    def _lose(self, number: int, now: float) -> None:
        keys = self._keys.lose(number)
        if keys is None:
            self._file.release(0, now)
        for channel, pitch in keys or ():
            self._file.add(0, now, encode(NoteOff(channel, pitch)))

    def image(self, *, final: bool = False) -> bytes:
        """Return the whole file so far; with `final`, without room to grow."""
        return self._file.image(self._now, final=final)

    def patches(self) -> list[tuple[int, bytes]] | None:
        """Return what to write where since the last call or `image`; None if a new image must be written."""
        return self._file.patches(self._now)


def write_session(
    path: Path,
    player: Iterable[TimedEvent],
    improviser: Iterable[TimedEvent],
    *,
    end_seconds: float | None = None,
) -> None:
    """Write a session as a MIDI file of two tracks, whole or not at all.

    Events are (seconds since the session began, event). Each is put at the nearest tick (0.52 ms at 120 beats a minute,
    which is not what anybody played, but makes seconds of ticks). Every note-on gets its note-off, every pedal and bend
    its return: what is unfinished ends at `end_seconds`, or with the last event.

    :raises OutputError: if the file cannot be written, or the session is longer than a day and a half.
    """
    heard, played = (sorted(events, key=lambda event: event[0]) for events in (player, improviser))
    last = max((seconds for seconds, _ in heard[-1:] + played[-1:]), default=0.0)
    end = max(last, end_seconds or 0.0)
    if end > LONGEST_SECONDS:
        raise OutputError(f"cannot write {path}: a session of {end / 3600:.0f} hours does not fit into a MIDI file")
    file = GrowingFile(PLAYER, IMPROVISER)
    for track, events in enumerate((heard, played)):
        for seconds, event in events:
            file.add(track, seconds, encode(event))
    write_atomically(path, file.image(end, final=True, silence=True))


def default_folder() -> Path:
    """Return where sessions are kept if the user names no other place."""
    return Path(platformdirs.user_data_path("improviser", appauthor=False)) / "sessions"
