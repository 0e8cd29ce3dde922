"""A place at the front of the queue: what the note path asks of the scheduler, where the system grants it."""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

REALTIME_PRIORITY = 4
"""Above everything that is not real time; below JACK's own server (10) and the kernel's threads (50)."""
NICENESS = -10
THREADS = Path("/proc/self/task")
HIGH_PRIORITY_CLASS = 0x80
"""Windows: before all ordinary programs, and no higher, since the note path may compute for a while."""
QOS_CLASS_USER_INTERACTIVE = 0x21
"""macOS: never slowed down, and kept on the fast cores."""


def go_first() -> None:
    """Let the threads of this process run before other programs; where that is not granted, they go on as before.

    Real time needs a permission (on Linux `rtprio` for the audio group, which JACK needs too); niceness as well.
    Threads that are real time already, as JACK's and CoreMIDI's may be, stay what they are.
    """
    with contextlib.suppress(AttributeError, OSError, ValueError):
        if hasattr(ctypes, "windll"):
            kernel = ctypes.windll.kernel32
            kernel.SetPriorityClass(ctypes.c_void_p(kernel.GetCurrentProcess()), HIGH_PRIORITY_CLASS)
            return
        if sys.platform == "darwin":
            ctypes.CDLL(None).pthread_set_qos_class_self_np(QOS_CLASS_USER_INTERACTIVE, 0)
    for thread in _threads():
        try:
            if os.sched_getscheduler(thread) == os.SCHED_OTHER:
                os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(REALTIME_PRIORITY))
        except (AttributeError, OSError):
            with contextlib.suppress(AttributeError, OSError):
                os.setpriority(os.PRIO_PROCESS, thread, NICENESS)


def _threads() -> list[int]:
    """Return the ids of all threads where the system tells; else 0, which stands for this one."""
    return [int(thread.name) for thread in THREADS.iterdir()] if THREADS.is_dir() else [0]
