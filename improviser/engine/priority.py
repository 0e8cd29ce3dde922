"""Priorities on the processor: the highest that the system grants for the note path, the lowest for background work."""

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
IDLE_PRIORITY_CLASS = 0x40
"""Windows: only while no other program wants the processor."""
QOS_CLASS_USER_INTERACTIVE = 0x21
"""macOS: never slowed down, and kept on the fast cores."""


def go_first() -> None:
    """Let the threads of this process run before other programs; where that is not granted, they go on as before.

    Real time needs a permission (on Linux `rtprio` for the audio group, which JACK needs too); niceness as well.
    Threads that are real time already, as JACK's and CoreMIDI's may be, stay what they are.
    """
    with contextlib.suppress(AttributeError, OSError, ValueError):
        if hasattr(ctypes, "windll"):
            _set_priority_class(HIGH_PRIORITY_CLASS)
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


def step_back(niceness: int) -> None:
    """Give this process a low priority: everything else runs before it.

    :param niceness: how far it steps back, on Unix: 19 is the farthest.
    """
    with contextlib.suppress(AttributeError, OSError, ValueError):
        if hasattr(ctypes, "windll"):
            _set_priority_class(IDLE_PRIORITY_CLASS)
        else:
            os.nice(niceness)


def command_behind(niceness: int, module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours, as `python -m` does, in a process that steps back first."""
    code = (
        "import runpy, sys; from improviser.engine.priority import step_back; step_back(int(sys.argv.pop(1))); "
        "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    )
    return [sys.executable, "-c", code, str(niceness), module, *arguments]


def _set_priority_class(its: int) -> None:
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    kernel.SetPriorityClass(ctypes.c_void_p(kernel.GetCurrentProcess()), its)


def _threads() -> list[int]:
    """Return the ids of all threads where the system tells; else 0, which stands for this one."""
    return [int(thread.name) for thread in THREADS.iterdir()] if THREADS.is_dir() else [0]
