"""A place at the front of the queue: what the note path asks of the scheduler, where the system grants it."""

import contextlib
import os

REALTIME_PRIORITY = 5
"""Above everything that is not real time; below JACK's own server (10) and the kernel's threads (50)."""
NICENESS = -10


def go_first() -> None:
    """Let this thread, and the threads it starts, run before other programs; where that is not granted, as before.

    Real time needs a permission (on Linux `rtprio` for the audio group, which JACK needs too); niceness as well.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REALTIME_PRIORITY))
    except (AttributeError, OSError):
        with contextlib.suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
