"""Scores of the music21 corpus: read where the extra `corpus` is installed, and kept parsed in the user's cache.

music21 is imported only here. Its bundled scores are read, never shipped.
"""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from improviser.errors import CorpusError, OutputError
from improviser.extras import how_to_add
from improviser.files import read_regular, write_atomically

LARGEST_CACHE = 1 << 28

T = TypeVar("T")


def music21_for(source: str) -> Any:
    """Return the library, to read the corpus that users call `source`.

    :raises CorpusError: if it is not installed.
    """
    try:
        import music21
        import music21.corpus
    except ImportError:
        raise CorpusError(f"{source} needs music21, which is not installed; {how_to_add('corpus')}") from None
    return music21


def read_cache(path: Path, kind: type[T]) -> T | None:
    """Return what a cache file holds, or None if there is none that can be read whole."""
    try:
        return msgspec.json.decode(read_regular(path, LARGEST_CACHE), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_cache(path: Path, value: object) -> None:
    """Keep a value in a cache file if its folder allows it: without one, the next call parses again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(value))
    except (OSError, OutputError):
        return
