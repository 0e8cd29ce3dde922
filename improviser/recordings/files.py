"""The two files of one session, written while it is played: its log and its MIDI file.

Whatever ends the program, both can be read, up to the last `write`. What is played is nobody else's business: only
their owner may read them. The log is locked as long as it is open, so that other sessions know that it is in use.
"""

import contextlib
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import FileIO
from itertools import count
from pathlib import Path

import numpy as np
from msgspec import structs

from improviser.engine.protocol import Adapted, AnyReport, Ready, Report
from improviser.files import PRIVATE, write_atomically
from improviser.locks import try_lock
from improviser.recordings.log import FORMAT, SUFFIX, VERSION, End, Header, adaptation_path, encode
from improviser.recordings.midi_recording import SessionMidi
from improviser.version import __version__

NAME_FORMAT = "session-%Y-%m-%d-%H%M%S"
MIDI_SUFFIX = ".mid"


class SessionFiles:
    """Opens a new log and a new MIDI file in `folder`, named after the time.

    What cannot be written now can be written later: whatever failed before, the log goes on where it was whole.

    :param start: the time of the session at which the MIDI file begins.
    :param early: what belongs at the beginning of the log.
    :param continues: the name of the log that this one goes on from.
    :raises OSError, OutputError: if they cannot be written; so does every method.
    """

    def __init__(
        self, folder: Path, start: float, early: Sequence[AnyReport] = (), continues: str | None = None
    ) -> None:
        self._midi = SessionMidi(start)
        self._is_drawn = self._has_ended = self._is_torn = False
        self._whole_bytes = 0
        self.logged = 0
        """How many reports are in the log, beside those of an engine's beginning."""
        began = datetime.now().astimezone()
        self.path, self._log = _create(folder, began.strftime(NAME_FORMAT))
        header = Header(
            format=FORMAT,
            version=VERSION,
            program=__version__,
            numpy=np.__version__,
            began=began.isoformat(timespec="milliseconds"),
            continues=continues,
        )
        try:
            self._append([header, *early])
        except OSError:
            self.abandon()
            self.path.unlink(missing_ok=True)
            raise
        self._take(early)

    def log(self, reports: Sequence[AnyReport]) -> None:
        """Add what the engine reported to the log, in order: all of it, or none if that fails.

        Adaptations come first, in files of their own.
        """
        for report in reports:
            if isinstance(report, Adapted):
                for digest, data in zip(report.digests, report.files, strict=True):
                    write_atomically(adaptation_path(self.path, digest), data, PRIVATE)
        self._append(
            [structs.replace(report, files=[]) if isinstance(report, Adapted) else report for report in reports]
        )
        self._take(reports)

    def _take(self, reports: Sequence[AnyReport]) -> None:
        self.logged += sum(not isinstance(report, Ready) for report in reports)
        for report in reports:
            self._midi.add(report)

    def _append(self, entries: Iterable[Report]) -> None:
        """Add entries behind what is whole, over what an attempt that failed may have left there."""
        data = b"".join(map(encode, entries))
        if self._is_torn:
            self._log.seek(self._whole_bytes)
            self._log.truncate()
        self._is_torn, rest = True, memoryview(data)
        while rest:
            rest = rest[self._log.write(rest) :]
        self._log.flush()
        self._is_torn = False
        self._whole_bytes += len(data)

    def draw(self) -> None:
        """Bring the MIDI file up to date with the log."""
        patches = self._midi.patches()
        was_drawn, self._is_drawn = self._is_drawn, False
        if patches is None or not was_drawn:
            write_atomically(self._midi_path, self._midi.image(), PRIVATE)
        elif patches:
            with self._midi_path.open("r+b", buffering=0) as file:
                for place, data in patches:
                    file.seek(place)
                    file.write(data)
        self._is_drawn = True

    @property
    def _midi_path(self) -> Path:
        return self.path.with_suffix(MIDI_SUFFIX)

    def finish(self) -> None:
        """End the log, and take the room to grow out of the MIDI file; the log stays locked until it is closed."""
        if not self._has_ended:
            self._append([End()])
            self._has_ended = True
        write_atomically(self._midi_path, self._midi.image(final=True), PRIVATE)

    def abandon(self) -> None:
        """Close the log without another word: it has its end, or its disk is full, or gone."""
        with contextlib.suppress(OSError):
            self._log.close()


def _create(folder: Path, name: str) -> tuple[Path, FileIO]:
    """Create the log, and lock it; another session that began in the same second keeps its own."""
    for number in count(1):
        path = folder / f"{name}{SUFFIX if number == 1 else f'-{number}{SUFFIX}'}"
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), PRIVATE)
            file = FileIO(descriptor, "wb")
            if _lock(file):
                return path, file
            file.close()
            path.unlink(missing_ok=True)
    raise AssertionError


def _lock(file: FileIO) -> bool:
    """Lock a new file; say whether it is still there, since somebody who makes room may have come in between."""
    try:
        return try_lock(file.fileno()) and os.fstat(file.fileno()).st_nlink > 0
    except OSError:  # there are no locks there
        return True
