"""Ends and freezes processes as somebody from outside does, on every system: nothing of theirs runs any more."""

import ctypes
import os
import signal
import sys

MAY_SUSPEND = 0x0800


def kill(process: int) -> None:
    """End a process at once."""
    os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows ends it without a word, too


def freeze(process: int) -> None:
    """Let a process stand still, alive."""
    if sys.platform == "win32":
        _on_windows("NtSuspendProcess", process)
    else:
        os.kill(process, signal.SIGSTOP)


def thaw(process: int) -> None:
    """Let a process go on that stands still."""
    if sys.platform == "win32":
        _on_windows("NtResumeProcess", process)
    else:
        os.kill(process, signal.SIGCONT)


def _on_windows(what: str, process: int) -> None:
    windows = ctypes.windll  # type: ignore[attr-defined, unused-ignore]
    kernel = windows.kernel32
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(kernel.OpenProcess(MAY_SUSPEND, False, process))
    if not handle:
        raise ProcessLookupError(process)
    try:
        getattr(windows.ntdll, what)(handle)
    finally:
        kernel.CloseHandle(handle)
