"""What training keeps for later runs, in the user's cache folder: what files hold, and arrays made of them.

All of it can be made again, so anything may be removed at any time. What was used longest ago goes first when it takes
more than MOST_BYTES.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import platformdirs

MOST_BYTES = 4 * 2**30
"""What is kept of files and arrays, beside the parsed corpora of music21."""
FILES, ARRAYS = "parsed-files", "note-arrays"
"""Folders: what a file of notes holds, by the digest of its contents; and large arrays, by what they were made of."""
UNFINISHED = ".unfinished-"
"""What the name of a file begins with that is being written."""
OURS = re.compile(r"\.unfinished-.+|(sent-)?[0-9a-f]{64}(\.npy|\.lines)?")
"""What files of ours are called in these folders: nothing else is touched there."""
ABANDONED_SECONDS = 24 * 3600.0
"""After this nobody is still writing it."""


def cache_folder() -> Path:
    """Where parsed corpora are kept: the user's cache folder, or the one named by IMPROVISER_CACHE."""
    override = os.environ.get("IMPROVISER_CACHE")
    return Path(override) if override else platformdirs.user_cache_path("improviser")


def used(path: Path) -> None:
    """Say that a file of the cache was of use."""
    with contextlib.suppress(OSError):
        os.utime(path)


def size(parsed: Iterable[str]) -> tuple[int, int]:
    """Return how many files are kept, and how many bytes they take.

    :param parsed: the names of corpora that are kept as well.
    """
    sizes = [status.st_size for _, status in (*_kept(), *_parsed(parsed))]
    return len(sizes), sum(sizes)


def clear(parsed: Iterable[str]) -> None:
    """Remove all that is kept; whatever is not ours stays.

    :param parsed: see `size`.
    :raises OSError: if something cannot be removed.
    """
    for path, _ in (*_kept(), *_parsed(parsed)):
        path.unlink(missing_ok=True)


def prune(most: int = MOST_BYTES) -> None:
    """Remove what was used longest ago until the rest takes no more than so many bytes, and what was never finished.

    What another run has open stays open for it, or cannot be removed (on Windows) and stays.
    """
    found = _kept()
    left = sum(status.st_size for _, status in found)
    now = time.time()
    for path, status in sorted(found, key=lambda each: each[1].st_mtime):
        is_unfinished = path.name.startswith(UNFINISHED)
        if now - status.st_mtime > ABANDONED_SECONDS if is_unfinished else left > most:
            with contextlib.suppress(OSError):
                path.unlink()
                left -= status.st_size


def _kept() -> list[tuple[Path, os.stat_result]]:
    """Return the files and arrays that are kept."""
    return [
        (path, status)
        for name in (FILES, ARRAYS)
        for path, status in _files(cache_folder() / name)
        if OURS.fullmatch(path.name)
    ]


def _parsed(names: Iterable[str]) -> list[tuple[Path, os.stat_result]]:
    paths = [cache_folder() / f"{name}.json" for name in names]
    return [(path, path.stat()) for path in paths if path.is_file()]


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                path = Path(place, name)
                yield path, path.stat(follow_symlinks=False)
