"""The two files of one session, written while it is played: the log, and a MIDI file of what was heard and played.

Whatever ends the program, both can be read, up to the last `write`.
"""

import contextlib
from collections.abc import Iterable
from datetime import datetime
from io import BufferedWriter
from itertools import count
from pathlib import Path

import numpy as np

from improviser import __version__
from improviser.core.midi.growing_smf import GrowingFile
from improviser.files import write_atomically
from improviser.pipe import AnyReport, Applied, Played, Step
from improviser.session.log import FORMAT, SUFFIX, VERSION, End, Header, encode
from improviser.session.recording import IMPROVISER, PLAYER

NAME_FORMAT = "session-%Y-%m-%d-%H%M%S"
MIDI_SUFFIX = ".mid"


class SessionFiles:
    """Opens a new log and a new MIDI file in `folder`, named after the time.

    :param start: the time of the session at which the MIDI file begins.
    :param continues: the name of the log that this one goes on from.
    :raises OSError, OutputError: if they cannot be written; so does every method.
    """

    def __init__(self, folder: Path, start: float, continues: str | None = None) -> None:
        self._start = self._now = start
        began = datetime.now().astimezone()
        self.path, self._log = _create(folder, began.strftime(NAME_FORMAT))
        self._midi = GrowingFile(PLAYER, IMPROVISER)
        header = Header(
            format=FORMAT,
            version=VERSION,
            program=__version__,
            numpy=np.__version__,
            began=began.isoformat(timespec="milliseconds"),
            continues=continues,
        )
        self._log.write(encode(header))

    def write(self, reports: Iterable[AnyReport]) -> None:
        """Add what the engine reported, in order, and let it reach the files."""
        for report in reports:
            self._log.write(encode(report))
            self._add(report)
        self._log.flush()
        patches = self._midi.patches(self._now - self._start)
        if patches is None:
            write_atomically(self._midi_path, self._midi.image(self._now - self._start))
        elif patches:
            with self._midi_path.open("r+b", buffering=0) as file:
                for place, data in patches:
                    file.seek(place)
                    file.write(data)

    def _add(self, report: AnyReport) -> None:
        if isinstance(report, Step):
            self._midi.add(0, report.stamp - self._start, report.heard)
        if isinstance(report, Step | Played | Applied):
            self._now = max(self._now, report.stamp)
            for message in report.played:
                self._midi.add(1, report.stamp - self._start, message)

    @property
    def _midi_path(self) -> Path:
        return self.path.with_suffix(MIDI_SUFFIX)

    def finish(self) -> None:
        """End the log, take the room to grow out of the MIDI file, and close both."""
        with self._log as log:
            log.write(encode(End()))
        write_atomically(self._midi_path, self._midi.image(self._now - self._start, final=True))

    def abandon(self) -> None:
        """Close the log without another word: its disk is full, or gone."""
        with contextlib.suppress(OSError):
            self._log.close()


def _create(folder: Path, name: str) -> tuple[Path, BufferedWriter]:
    """Create the log; another session that began in the same second keeps its own."""
    for number in count(1):
        path = folder / f"{name}{SUFFIX if number == 1 else f'-{number}{SUFFIX}'}"
        with contextlib.suppress(FileExistsError):
            return path, path.open("xb")
    raise AssertionError
