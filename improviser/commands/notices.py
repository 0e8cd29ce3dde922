"""Says on stderr what was repaired in files, or left out of them: a line for each file, of very many only the first."""

import sys
from collections.abc import Sequence

MOST_LINES = 10


def give_notice(lines: Sequence[str], most: int = MOST_LINES) -> None:
    """Print the lines that there are; of more than `most`, how many more."""
    for line in lines[:most]:
        print(f"improviser: {' '.join(line.split())}", file=sys.stderr)
    if len(lines) > most:
        more = len(lines) - most
        files = "1 more file was" if more == 1 else f"{more:,} more files were"
        print(f"improviser: {files} repaired, or drums left out; --strict refuses the first repaired", file=sys.stderr)
