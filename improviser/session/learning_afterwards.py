"""After a session: `improviser learn` in the background, behind everything else, where a setting asks for it."""

import logging
import os
import subprocess

from improviser.engine.priority import command_behind
from improviser.recordings.midi_recording import default_folder
from improviser.settings.config import Config
from improviser.signals import own_group

log = logging.getLogger("improviser")

NICENESS = 19


def learn_afterwards(config: Config) -> subprocess.Popen[bytes] | None:
    """Breed the personal model from what is recorded, in a process that outlives this one; nothing waits for it.

    Returns it; None if it cannot be begun, or nothing is recorded.
    """
    record = config.settings.record
    if record is False:
        log.info("nothing is learned from this session: it is not recorded")
        return None
    folder = str(default_folder() if isinstance(record, bool) else record)
    left_out = [word for name in config.settings.learn_except for word in ("--except", name)]
    try:
        process = subprocess.Popen(
            command_behind(NICENESS, "improviser", "learn", folder, *left_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ},
            **own_group(),
        )
    except OSError as error:
        log.warning("cannot learn from this session: %s", error.strerror or error)
        return None
    log.info("learning from the recordings in the background; next time, try --model me")
    return process
