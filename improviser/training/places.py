"""Where a training run writes: the model, its checkpoint, and the report beside it; none of them over another's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from improviser.errors import OutputError
from improviser.files import check_writable, create_folder
from improviser.library import catalogue
from improviser.library.model_file import SUFFIX
from improviser.training.checkpoint import path_for, unfinished_for
from improviser.training.report import files_beside

LONGEST_NAME = 40
"""Characters of a source that are part of a model's name."""


def place_in_library(sources: Sequence[str], task: str, *, resume: bool) -> Path:
    """Return a model file in the user's library, named after what is learned from and the task: never another's.

    :param resume: whether it is to be that of the last run of this name that has not ended, if there is one.
    :raises OutputError: if the library's folder cannot be created.
    """
    folder = catalogue.user_folder()
    create_folder(folder)
    stem = re.sub(r"[^\w-]+", "-", Path(sources[0]).stem if Path(sources[0]).is_file() else Path(sources[0]).name)
    name = f"{stem.strip('-')[:LONGEST_NAME] or 'my'}-{task}"
    numbered = (folder / f"{name}{'' if number == 1 else f'-{number}'}{SUFFIX}" for number in count(1))
    last: Path | None = None
    for path in numbered:
        begun = path_for(path).exists()
        last = path if begun else last
        if not begun and not any(
            file.exists() for file in (path, *files_beside(path), catalogue.bundled_folder() / path.name)
        ):
            return last if resume and last is not None else path
    raise AssertionError


@dataclass(frozen=True, slots=True)
class Places:
    """The files of a run that makes the model `output`.

    :param report: whether a report is written.
    :param resume: whether the run goes on from its checkpoint, if there is one: then the others are its own, too.
    :param force: whether files that are there may be written over.
    """

    output: Path
    report: bool = True
    resume: bool = False
    force: bool = False

    @property
    def checkpoint(self) -> Path:
        """The file from which the run can be resumed."""
        return path_for(self.output)

    def check(self) -> None:
        """Fail, before anything is done, if a file cannot be written, or belongs to another run.

        :raises OutputError: if so; says which, and what to do.
        """
        check_writable(self.output)
        check_writable(self.checkpoint)
        check_writable(unfinished_for(self.checkpoint))  # its name is the longest
        begun = self.checkpoint.exists()
        if begun and not self.resume and not self.force:
            raise OutputError(
                f"{self.checkpoint} is of a run that has not ended; go on with --resume, or begin anew with --force"
            )
        for file in (self.output, *(files_beside(self.output) if self.report else ())):
            if self.report and file != self.output and file.exists() and not self.force and not begun:
                raise OutputError(f"{file} exists already; choose another --output, --no-report, or --force")
            check_writable(file, force=self.force or begun)
