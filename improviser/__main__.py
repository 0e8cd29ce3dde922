"""Runs the command line: `python -m improviser`."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from improviser.cli import run

    sys.exit(run())


if __name__ == "__main__":
    main()
