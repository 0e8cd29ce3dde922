"""Makes room for new recordings: which of the old ones go, and which must stay.

Clocks are wrong now and then, and a wrong clock must cost nobody a recording. So how old one is, is told by the
recordings that came after it, and a leap between two of them counts for little: it may be the clock's. One that is
dated later than now comes first: whenever it was, it was before those of now.

What a session that runs, in any process, is writing or has written last, and all that it goes on from, stays: a lock
tells, which a process holds as long as it is there, stopped or idle.
"""

import contextlib
import logging
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from improviser.errors import LogError
from improviser.locks import try_lock
from improviser.recordings.files import MIDI_SUFFIX
from improviser.recordings.log import ADAPTATION_SUFFIX, SUFFIX, header_of

log = logging.getLogger("improviser")

OURS = re.compile(r"session-\d{4}-\d\d-\d\d-\d{6}(-\d+)?")
"""What `SessionFiles` calls its files, and nothing else: what is deleted is called so."""
DAY_SECONDS = 86_400
MEGABYTE = 1_000_000
FIRST_DATE = 1_767_225_600.0
"""The beginning of 2026, as files are dated. What is dated before was kept by a machine whose clock was not set yet."""
OPEN_FILES_STAY = os.name == "nt"
"""Whether the system deletes no file that anybody has open."""
LEAPS = 4
"""A leap between two recordings counts as no more than this part of the time that they are kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a file gets, and how much is kept.

    :param file_seconds: after so long a session goes on in new files.
    :param kept_days, kept_megabytes: what is older than the newest by more, and the oldest of what is more, is deleted.
    """

    file_seconds: float = 3600.0
    kept_days: float = 365.0
    kept_megabytes: float = 1000.0


@dataclass(frozen=True, slots=True)
class Recording:
    """The files of one name; `date` is when the last of them was changed (seconds of the system's clock)."""

    stem: str
    files: tuple[Path, ...]
    date: float
    size: int


def prune(folder: Path, limits: Limits, keep: str | None = None) -> None:
    """Delete the recordings that are too old, then the oldest until the rest is small enough; log each.

    How old a recording is whose date cannot be right, nobody knows: it counts by its size only.

    :param keep: the name of a log that stays, with its MIDI file; what it goes on from need not.
    """
    now = time.time()
    recordings = sorted(_recordings(folder), key=lambda each: (each.date <= now + DAY_SECONDS, each.date), reverse=True)
    too_old = _too_old([each for each in recordings if FIRST_DATE <= each.date <= now + DAY_SECONDS], limits)
    left = limits.kept_megabytes * MEGABYTE
    superfluous: dict[str, str] = {}
    for each in recordings:  # the newest first
        left -= each.size
        if each.stem in too_old:
            superfluous[each.stem] = f"it is {limits.kept_days:g} days older than the newest"
        elif left < 0:
            superfluous[each.stem] = f"all that is kept takes more than {limits.kept_megabytes:g} MB"
    if superfluous:
        kept = None if keep is None else Path(keep).stem
        needed = {*_needed(folder, recordings, kept), *([] if kept is None else [kept])}
        for each in reversed(recordings):  # whatever ends this, the oldest are gone first
            if each.stem in superfluous and each.stem not in needed:
                _delete(each, superfluous[each.stem])


def _recordings(folder: Path) -> Iterator[Recording]:
    sessions: dict[str, list[tuple[Path, os.stat_result]]] = {}
    for path in folder.iterdir():
        stem = _stem_of(path)
        if stem is not None and OURS.fullmatch(stem):
            with contextlib.suppress(OSError):
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode):
                    sessions.setdefault(stem, []).append((path, facts))
    for stem, files in sessions.items():
        date = max(facts.st_mtime for _, facts in files)
        yield Recording(stem, tuple(path for path, _ in files), date, sum(facts.st_size for _, facts in files))


def _stem_of(path: Path) -> str | None:
    """Return the name of the recording that a file is of, if it is called like one of its files."""
    if path.suffix in (SUFFIX, MIDI_SUFFIX):
        return path.stem
    stem, _, digest = path.stem.partition(".")
    return stem if path.suffix == ADAPTATION_SUFFIX and re.fullmatch(r"[0-9a-f]{64}", digest) else None


def _too_old(recordings: Sequence[Recording], limits: Limits) -> set[str]:
    """Return what is older than the newest by more than it is kept; the newest comes first."""
    kept = limits.kept_days * DAY_SECONDS
    age = 0.0
    found = set()
    for newer, older in pairwise(recordings):
        age += min(newer.date - older.date, kept / LEAPS)
        if age > kept:
            found.add(older.stem)
    return found


def _needed(folder: Path, recordings: Sequence[Recording], ours: str | None) -> set[str]:
    """Return what sessions that run are writing or have written last, and all that they go on from."""
    needed: set[str] = set()
    for each in recordings:
        stem: str | None = each.stem
        if stem == ours or not _is_in_use(folder / f"{stem}{SUFFIX}"):
            continue
        while stem is not None and stem not in needed:
            needed.add(stem)
            stem = _stem_before(folder / f"{stem}{SUFFIX}")
    return needed


def _stem_before(path: Path) -> str | None:
    """Return the stem of the log that this one goes on from, None if it does not say."""
    try:
        header = header_of(path)
    except LogError:
        return None
    return None if header is None or header.continues is None else Path(header.continues).stem


def _is_in_use(path: Path) -> bool:
    with _locked(path) as free:
        return not free


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Lock a log, if nobody has; without one, or where there are no locks, nobody can have."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        yield True
        return
    try:
        try:
            free = try_lock(descriptor)
        except OSError:
            free = True
        yield free
    finally:
        os.close(descriptor)


def _delete(recording: Recording, why: str) -> None:
    with _locked(recording.files[0].with_name(f"{recording.stem}{SUFFIX}")) as free:
        if free and not OPEN_FILES_STAY:
            _unlink(recording, why)
    if free and OPEN_FILES_STAY:  # not even we may have it open; and who takes it now, keeps it by that
        _unlink(recording, why)


def _unlink(recording: Recording, why: str) -> None:
    """Delete the files of a recording, its log first: if that stays, the others do."""
    try:
        for path in sorted(recording.files, key=lambda path: path.suffix != SUFFIX):
            path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("cannot delete the recording %s: %s", recording.stem, error.strerror or error)
    else:
        log.info("deleted the recording %s: %s", recording.stem, why)
