"""Runs the command line: `python -m improviser`."""

import contextlib
import io
import os
import sys
from types import TracebackType
from typing import NoReturn, TextIO

from improviser import termination

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    termination.listen()
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed: what is said there is for nobody
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: PTH123, SIM115  for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may be of no letters that can be printed
    try:
        from improviser.cli import run
    except KeyboardInterrupt:  # as soon as that: there is nothing to end yet
        sys.exit(INTERRUPTED)
    sys.excepthook = show_fault
    end(run())


def end(code: int) -> NoReturn:
    """Exit with `code`, also where a call hangs in a library that would hold up an orderly end (libjack may)."""
    for stream in (sys.stdout, sys.stderr):
        flush_for_good(stream)
    executors = sys.modules.get("improviser.executors")
    if executors is not None and executors.hangs():
        os._exit(code)
    sys.exit(code)


def flush_for_good(stream: TextIO) -> None:
    """Write what is left; where that cannot be, nowhere: Python tries again at exit, and 3.14 then ends with 120."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a fault of ours; its message may quote what came from outside."""
    import traceback

    from improviser.core.printable import printable_lines

    sys.stderr.write(printable_lines("".join(traceback.format_exception(kind, error, trace))))


if __name__ == "__main__":
    main()
