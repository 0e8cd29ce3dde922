"""Where a training run writes: the model, its checkpoint, and the report beside it; none of them over another's."""

from dataclasses import dataclass
from pathlib import Path

from improviser.errors import OutputError
from improviser.files import check_writable
from improviser.training.checkpoint import path_for, unfinished_for
from improviser.training.report import files_beside


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
        """Fail before anything is done if one of the files cannot be written, or is another's.

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
