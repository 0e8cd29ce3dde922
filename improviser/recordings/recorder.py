"""The recorder: keeps every session on disk, and never makes anything wait.

The bus hands it the session's events; a thread of its own writes them, twice a second. A session's files begin with
its first note; when an engine begins anew (see `silence`), or after an hour, there are new ones, and the oldest make
room for them. If the disk is full or gone, that is one line in the daemon's log, and playing goes on: what is played
meanwhile is kept in memory and written when there is room again, so that nothing is missing, or (after an hour of much
playing) the log says how much.

It can be stopped, and started again. Then the engine has to begin anew as well: a replay needs all that a performer has
heard, and what nobody wanted kept is kept nowhere.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from improviser.engine.bus import say_ended
from improviser.engine.events import SessionEvent, sounds, stamp_of
from improviser.engine.protocol import AnyReport, Lost, Ready
from improviser.errors import OutputError
from improviser.files import create_folder
from improviser.recordings.files import MIDI_SUFFIX, SessionFiles
from improviser.recordings.pruning import Limits, prune

log = logging.getLogger("improviser")

WRITE_SECONDS = 0.5
CLOSE_SECONDS = 10.0
MAX_WAITING = 1_000_000
MAX_EARLY = 100_000
MAX_KEPT = 100_000
"""Reports that wait in memory for a disk; some 50 MB."""
RETRY_SECONDS = 5.0


class Recorder:
    """Keeps the sessions of one service in `folder`, while it is on.

    :raises OutputError: if it is to be on at once, and the folder cannot be created.
    """

    def __init__(self, folder: Path, limits: Limits | None = None, *, on: bool = True) -> None:
        self.folder = folder
        self.on = False
        """Whether what is played is kept, from the next engine's first note on."""
        self._begun = self._has_failed = False
        if on:
            self.start()
        self._sessions = Sessions(folder, limits or Limits())
        self._waiting: deque[AnyReport | None] = deque()
        self._dropped = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Keep what is played from the next engine on, or from where this one begins anew (see `Renew`).

        :raises OutputError: if the folder cannot be created, or what writes there has ended by a fault.
        """
        if self._has_failed:
            raise OutputError("the recording has ended by a fault; start the session anew to record")
        create_folder(self.folder)
        if not os.access(self.folder, os.W_OK):
            raise OutputError(f"the folder {self.folder} may not be written to; choose another place")
        self.on = True

    def stop(self) -> None:
        """End the files, and keep nothing until the next `start`."""
        self.on = self._begun = False
        self._say_what_is_lost()
        self._waiting.append(None)

    def take(self, event: SessionEvent) -> None:
        """Have the report of an event written; returns at once."""
        report = event.report
        if isinstance(report, Ready):
            self._begun = self.on
        if not self._begun:
            return
        if len(self._waiting) >= MAX_WAITING:  # a disk that hangs
            self._dropped += 1
            return
        self._say_what_is_lost()
        self._waiting.append(report)

    def _say_what_is_lost(self) -> None:
        if self._dropped:
            self._waiting.append(Lost(self._dropped))
            self._dropped = 0

    def close(self) -> None:
        """Write what is left, and end the files; a disk that hangs is not waited for."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)

    @property
    def newest(self) -> Path | None:
        """The MIDI file that was begun last, if any was."""
        return self._sessions.newest

    def _run(self) -> None:
        try:
            while not self._closing.wait(WRITE_SECONDS):
                self._sessions.write(self._take_waiting())
            self._sessions.write(self._take_waiting())
            self._sessions.close()
        except Exception as error:  # noqa: BLE001  a fault here must not go by in silence, nor fill the memory
            self.on = self._begun = False
            self._has_failed = True
            self._waiting.clear()
            say_ended("the recording", error)

    def _take_waiting(self) -> list[AnyReport | None]:
        return [self._waiting.popleft() for _ in range(len(self._waiting))]


class Sessions:
    """Sorts reports into files: which session they belong to, and when a new file begins."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._files: SessionFiles | None = None
        self._last: SessionFiles | None = None
        """What was written last, until there is more; nobody else may delete it so long."""
        self._before: str | None = None
        """The log that the next one goes on from."""
        self._early: list[AnyReport] = []
        """What was reported before the first note."""
        self._waiting: deque[AnyReport | None] = deque()
        """What is not in a file yet; it stays here as long as that fails."""
        self._missing = 0
        """How many reports came after too many had to wait."""
        self._ready: Ready | None = None
        self._failed_at: float | None = None
        self._began = 0.0
        self.newest: Path | None = None
        """The MIDI file that was begun last."""

    def write(self, reports: Sequence[AnyReport | None]) -> None:
        """Write reports to the files they belong to, which end at None.

        What cannot be written now is said once, and tried again.
        """
        for report in reports:
            self._wait(report)
        if self._failed_at is None or time.monotonic() - self._failed_at >= RETRY_SECONDS:
            self._try()

    def _wait(self, report: AnyReport | None) -> None:
        if self._failed_at is not None and len(self._waiting) >= MAX_KEPT and not isinstance(report, Ready | None):
            self._missing += 1
            return
        if self._missing:
            self._waiting.append(Lost(self._missing))
            self._missing = 0
        self._waiting.append(report)

    def _try(self) -> None:
        try:
            if self._failed_at is not None:
                self._look_whether_all_is_there()
            self._drain()
        except (OSError, OutputError, ValueError) as error:
            if self._failed_at is None:
                reason = (error.strerror if isinstance(error, OSError) else None) or error
                log.warning("cannot record: %s (%s); playing goes on, and is kept until it can", reason, self._folder)
            self._failed_at = time.monotonic()
        else:
            if self._failed_at is not None:
                log.info("recording again in %s", self._folder)
            self._failed_at = None

    def _look_whether_all_is_there(self) -> None:
        """If the log that was being written has been deleted, let another one begin, which says what is missing."""
        if self._files is not None and not self._files.path.exists():
            self._files.abandon()
            self._early = [*([] if self._ready is None else [self._ready]), Lost(self._files.logged)]
            self._files = self._before = None

    def _drain(self) -> None:
        """Hand out what waits, in order; what is handed out waits no more, whatever fails after it."""
        while self._waiting:
            report = self._waiting[0]
            if isinstance(report, Ready | None):
                self._begin_anew(report)
                self._waiting.popleft()
            elif self._files is None and not sounds(report) and len(self._early) < MAX_EARLY:
                self._early.append(report)
                self._waiting.popleft()
            elif self._files is None or self._is_due(report):
                self._turn_over(self._stamp(report))
            else:
                batch = [*self._batch()]
                self._files.log(batch)
                for _ in batch:
                    self._waiting.popleft()
        if self._missing:
            self._waiting.append(Lost(self._missing))
            self._missing = 0
            self._drain()
        elif self._files is not None:
            self._files.draw()

    def _batch(self) -> Iterator[AnyReport]:
        """Yield what waits for the files that are open."""
        for report in self._waiting:
            if isinstance(report, Ready | None) or self._is_due(report):
                return
            yield report

    def _is_due(self, report: AnyReport) -> bool:
        """Say whether a report belongs in the next file."""
        return self._stamp(report) - self._began >= self._limits.file_seconds

    def _stamp(self, report: AnyReport) -> float:
        """Return a report's time, or where it has none the time at which the files that are open began."""
        stamp = stamp_of(report)
        return self._began if stamp is None else stamp

    def _begin_anew(self, ready: Ready | None) -> None:
        """An engine began, or nothing is kept any more: nothing of what was before matters to what comes."""
        self._finish()
        self._before, self._ready = None, ready
        self._early = [] if ready is None else [ready]

    def _turn_over(self, stamp: float) -> None:
        """Go on in a new pair of files."""
        if self._files is not None:
            name = self._files.path.name
            self._finish()
            self._before = name
        create_folder(self._folder)
        prune(self._folder, self._limits, keep=self._before)
        self._files = SessionFiles(self._folder, stamp, self._early, self._before)
        self.newest = self._files.path.with_suffix(MIDI_SUFFIX)
        self._release_last()
        self._early = []
        self._began = stamp

    def _finish(self) -> None:
        if self._files is not None:
            self._files.finish()
            self._release_last()
            self._last, self._files = self._files, None

    def _release_last(self) -> None:
        if self._last is not None:
            self._last.abandon()
            self._last = None

    def close(self) -> None:
        """Write what waits, and end the files; say if that cannot be."""
        self._try()
        try:
            self._finish()
        except (OSError, OutputError) as error:
            log.debug("the recording has no end: %s", error)
        if self._failed_at is not None:
            missing = sum(report is not None for report in self._waiting) + self._missing
            log.warning("the end of the session is not recorded: %d messages", missing)
        if self._files is not None:
            self._files.abandon()
            self._files = None
        self._release_last()
