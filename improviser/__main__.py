"""Runs the command line: `python -m improviser`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from improviser.cli import run
    except KeyboardInterrupt:  # as soon as that: there is nothing to end yet
        sys.exit(INTERRUPTED)
    sys.exit(run())


if __name__ == "__main__":
    main()
