"""Personal models that others have replaced: kept by digest, so that what was played with them can be replayed.

The mixture of all melody models has a personal model in it, too, and had none before the first was bred.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from improviser.core.networks.responder import Model
from improviser.core.printable import shown
from improviser.errors import ModelError
from improviser.files import create_folder, write_atomically
from improviser.library import catalogue, model_file
from improviser.library.catalogue import AUTO, PERSONAL
from improviser.library.model_file import SUFFIX

FOLDER: Final = "former"
"""Where they are, in the folder of the user's models."""
MOST: Final = 256
"""So many are kept, the last ones; each takes some 60 kB."""


def folder() -> Path:
    """Return the folder that they are kept in; it need not exist."""
    return catalogue.user_folder() / FOLDER


def keep(path: Path) -> None:
    """Keep the personal model in a file, if there is one: when it is written, and before it is replaced.

    :raises OutputError: if it cannot be kept.
    """
    if not path.is_file():
        return
    data = path.read_bytes()
    create_folder(folder())
    write_atomically(folder() / f"{hashlib.sha256(data).hexdigest()}{SUFFIX}", data)
    for old in _kept()[MOST:]:
        with contextlib.suppress(OSError):
            old.unlink()


def load(name: str, sha256: str) -> Model:
    """Return a model as it was when its digest (see `catalogue.digest`) was this.

    :raises ModelError: if it is not there any more.
    """
    for files in _candidates(name):
        if catalogue.digest_of(files) == sha256:
            return catalogue.put_together(name, [_part(file) for file in files])
    catalogue.check(name)
    raise ModelError(f"the model {shown(name)} is not the one that played then: its file has changed since")


def _candidates(name: str) -> Iterator[list[Path]]:
    """Yield the files that a model may have been made of, those of today first."""
    today: list[Path] = []
    with contextlib.suppress(ModelError):
        today = catalogue.files_of(name)
        yield today
    if name == PERSONAL:
        yield from ([file] for file in _kept())
    elif name == AUTO and today and today[0].stem != AUTO:
        others = [file for file in today if file.stem != PERSONAL]
        yield others
        yield from ([file, *others] for file in _kept())


def _kept() -> list[Path]:
    """Return those that are kept, the last one first."""
    return sorted(folder().glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime, reverse=True)


def _part(file: Path) -> catalogue.LoadableModel:
    name = PERSONAL if file.parent == folder() else file.stem
    return catalogue.build(name, model_file.read(file), file)
