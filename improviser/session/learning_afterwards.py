"""After a session: starts `improviser learn` in the background, at low priority, if a setting asks for it."""

import contextlib
import datetime as dt
import logging
import os
import subprocess
from io import BufferedWriter
from pathlib import Path

from improviser.engine.priority import command_behind
from improviser.files import PRIVATE
from improviser.recordings.midi_recording import default_folder
from improviser.settings.config import Config
from improviser.signals import own_group

log = logging.getLogger("improviser")

NICENESS = 19
TOLD, LONGEST_TOLD = "learned.txt", 1 << 16
"""The file among the recordings that tells what came of it, and after how many bytes it begins anew."""


def learn_afterwards(config: Config) -> subprocess.Popen[bytes] | None:
    """Breed the personal model from what is recorded, in a process that outlives this one; nothing waits for it.

    Returns it; None if it cannot be begun, or nothing is recorded.
    """
    record = config.settings.record
    if record is False:
        log.info("nothing is learned from this session: it is not recorded")
        return None
    folder = default_folder() if isinstance(record, bool) else Path(record)
    left_out = [word for name in config.settings.learn_except for word in ("--except", name)]
    with contextlib.ExitStack() as stack:
        said = stack.enter_context(told) if (told := _told_in(folder / TOLD)) is not None else subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                command_behind(NICENESS, "improviser", "learn", *left_out, "--", str(folder)),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ},
                **own_group(),
            )
        except OSError as error:
            log.warning("cannot learn from this session: %s", error.strerror or error)
            return None
    where = "" if told is None else f"; {folder / TOLD} will tell what comes of it"
    log.info("learning from the recordings in the background%s", where)
    return process


def _told_in(path: Path) -> BufferedWriter | None:
    """Return the file that tells what was learned, after what it has told, with today's date; None if it cannot be."""
    try:
        begins_anew = path.stat().st_size > LONGEST_TOLD
    except OSError:
        begins_anew = False
    how = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if begins_anew else 0)
    try:
        file = os.fdopen(os.open(path, how, PRIVATE), "ab")
        file.write(f"{dt.datetime.now():%Y-%m-%d %H:%M}\n".encode())  # noqa: DTZ005  as on the player's wall
        file.flush()
    except OSError:
        return None
    return file
