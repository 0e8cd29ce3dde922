"""Runs the command line: `python -m improviser`."""

import signal
import sys
from types import FrameType
from typing import NoReturn

DONE, INTERRUPTED = 0, 130


def main() -> None:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, leave)
    try:
        from improviser.cli import run
    except KeyboardInterrupt:  # as soon as that: there is nothing to end yet
        sys.exit(INTERRUPTED)
    sys.exit(run())


def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End at once, as one does who is told to: commands that have more to end take SIGTERM over as they begin."""
    sys.exit(DONE)


if __name__ == "__main__":
    main()
