"""Writes the page of a session into a folder: `python -m improviser.show.session_folder SESSION FOLDER`.

In a process of its own, since reading, drawing and rendering would hold up who plays; what is wrong is its last line.
"""

import sys
from pathlib import Path

from improviser.console_output import warn
from improviser.errors import ImproviserError
from improviser.recordings.reading import read_session
from improviser.show.session_page import write_folder


def main(session: str, folder: str) -> int:
    """Write the page; return the exit code."""
    try:
        write_folder(read_session(Path(session)), Path(folder))
    except ImproviserError as error:
        warn(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
