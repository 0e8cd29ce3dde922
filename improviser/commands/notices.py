"""Says on stderr what was repaired in files, or left out of them: a line for each file, of very many only the first."""

from collections.abc import Sequence

MOST_LINES = 10


def give_notice(lines: Sequence[str], most: int = MOST_LINES) -> None:
    """Say the lines that there are; of more than `most`, how many more."""
    from improviser.console_output import warn

    for line in lines[:most]:
        warn(f"improviser: {line}")
    if len(lines) > most:
        more = len(lines) - most
        files = "1 more file was" if more == 1 else f"{more:,} more files were"
        warn(f"improviser: {files} repaired, or drums left out; --strict refuses the first repaired")
